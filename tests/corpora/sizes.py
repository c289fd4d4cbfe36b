"""How large the definitions of a corpus are: numbers that change only when what models see changes (P8)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from broker.schema.profiles import PROFILES
from tests.corpora.properties import Counterexample, Seen

FILE = Path(__file__).with_name("sizes.json")
_PACKAGE = Path(__file__).parents[2] / "benchmarks/corpora/package.json"
_CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"

Sizes = Mapping[str, Any]


def sizes_of(found: Sequence[Seen]) -> Sizes:
    """Bytes of the definitions of one corpus by profile, as compact JSON; and how many tools are what."""
    return {
        "tools": len(found),
        "strict": sum(seen.strict for seen in found),
        "quarantined": {profile: sum(profile in seen.quarantined for seen in found) for profile in PROFILES},
        "bytes": {profile: _spread([seen.sizes.get(profile, 0) for seen in found]) for profile in PROFILES},
    }


def _spread(sizes: list[int]) -> dict[str, int]:
    ordered = sorted(sizes)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
    return {name: ordered[int(share * (len(ordered) - 1))] for name, share in shares.items()} | {
        "max": ordered[-1]
    }


def versions() -> dict[str, str]:
    """Of the packages that the corpora come in, as they are pinned."""
    pins = dict(line.split("==") for line in _CONSTRAINTS.read_text().splitlines() if "==" in line)
    npm = json.loads(_PACKAGE.read_text())["dependencies"]
    return {
        **npm,
        "temporalio": pins["temporalio"],
        "googleapis-common-protos": pins["googleapis-common-protos"],
        "grpcio-tools": version("grpcio-tools"),
    }


def record(sizes: Mapping[str, Sizes]) -> None:
    """Writes what is expected from now on."""
    FILE.write_text(json.dumps({"versions": versions(), "corpora": sizes}, indent=1) + "\n")


def compare(sizes: Mapping[str, Sizes]) -> Iterator[Counterexample]:
    """Each number that is not the recorded one."""
    recorded = json.loads(FILE.read_text())
    if recorded["versions"] != versions():
        yield _differs("versions", recorded["versions"], versions())
    for name, found in sizes.items():
        before, now = _flat(recorded["corpora"].get(name, {})), _flat(found)
        for key in sorted(before.keys() | now.keys()):
            if before.get(key) != now.get(key):
                yield _differs(f"{name} {key}", before.get(key), now.get(key))


def _differs(what: str, before: Any, now: Any) -> Counterexample:
    cure = "if that is meant, record it: make test-corpora RECORD=1"
    return Counterexample(prop="P8", tool=what, what=f"recorded {before}, now {now}; {cure}")


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    return {
        key: one for name, held in value.items() for key, one in _flat(held, f"{path} {name}".strip()).items()
    }
