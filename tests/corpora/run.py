"""Every property over every method of every corpus that is installed: `make test-corpora`.

Two workers are forked when a corpus is loaded, so that it is loaded once; each has a bound on its memory,
and each batch one on its time. A second pass renders all again in another process with another hash seed.
Exit status 1 with the first counterexamples of each property, when there is one.
"""

import multiprocessing
import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from broker.catalog.catalog import Catalog
from broker.tool import Tool
from tests.corpora import corpus, providers, sizes
from tests.corpora.properties import Counterexample, Seen, look

_WORKERS = 2
_BATCH = 100
_MAX_SECONDS = 300
"""For one batch; most take three."""
_MAX_MEMORY = 6 * 1024**3
_SHOWN = 5

_catalog: Catalog
_tools: Sequence[Tool]


def main(arguments: Sequence[str]) -> int:
    """Looks at all; or, told to render, writes a digest of each tool of one corpus."""
    if arguments[:1] == ["--digests"]:
        for seen in _each(arguments[1], only_render=True):
            print(seen.full_name, seen.digest)
        return 0
    names = [name for name in corpus.NAMES if corpus.is_there(name)]
    if missing := set(corpus.NAMES) - set(names):
        print(f"test-corpora: not installed: {', '.join(sorted(missing))}; `make corpora` does that")
        return 1
    if not providers.OTHERS:
        print("test-corpora: openai-agents and pydantic-ai are not installed; `make corpora` does that")
        return 1
    started = time.monotonic()
    found = {name: _look(name) for name in names}
    measured = {name: sizes.sizes_of(seen) for name, seen in found.items()}
    if "--record" in arguments:
        sizes.record(measured)
    against = [one for seen in found.values() for each in seen for one in each.against]
    status = _report([*against, *sizes.compare(measured)])
    print(f"test-corpora: {sum(map(len, found.values())):,} tools in {time.monotonic() - started:.0f} s")
    return status


def _look(name: str) -> list[Seen]:
    """All properties of one corpus."""
    started = time.monotonic()
    again = _digests(name)
    found = list(_each(name, only_render=False))
    for seen in found:
        if again.get(seen.full_name) != seen.digest:
            what = "another process renders it otherwise"
            seen.against.append(Counterexample(prop="P9", tool=seen.full_name, what=what))
    for twice, count in Counter(seen.name.lower() for seen in found).items():
        if count > 1:
            seen.against.append(Counterexample(prop="P5", tool=twice, what=f"{count} tools have this name"))
    _tell(name, found, time.monotonic() - started)
    return found


def _digests(name: str) -> dict[str, str]:
    """What each tool is rendered to in a process whose sets are in another order."""
    seed = str((int(os.environ.get("PYTHONHASHSEED", "0").replace("random", "0")) + 1) % 4294967295)
    command = [sys.executable, "-m", "tests.corpora.run", "--digests", name]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    words = run.stdout.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _each(name: str, *, only_render: bool) -> Iterator[Seen]:
    global _catalog, _tools  # noqa: PLW0603 - what is forked is found there
    _catalog = corpus.catalog_of(name)
    _tools = list(_catalog)
    batches = [(start, only_render) for start in range(0, len(_tools), _BATCH)]
    context = multiprocessing.get_context("fork")
    with context.Pool(_WORKERS, initializer=_bounded) as pool:
        results = pool.imap(_batch, batches)
        for number in range(len(batches)):
            yield from results.next(timeout=_MAX_SECONDS)
            _progress(name, (number + 1) / len(batches))


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))


def _batch(batch: tuple[int, bool]) -> list[Seen]:
    start, only_render = batch
    return [look(_catalog, tool, only_render=only_render) for tool in _tools[start : start + _BATCH]]


def _progress(name: str, share: float) -> None:
    if sys.stderr.isatty():
        print(
            f"\rtest-corpora: {name}: {share:4.0%}",
            end="" if share < 1 else "\n",
            file=sys.stderr,
            flush=True,
        )


def _tell(name: str, found: Sequence[Seen], seconds: float) -> None:
    strict = sum(seen.strict for seen in found)
    share = f"{strict:,} of them strict ({strict / len(found):.1%})"
    print(f"{name}: {len(found):,} tools, {share}, {seconds:.0f} s")
    reasons = Counter(
        (profile, re.sub('"[^"]+"', "…", reason))
        for seen in found
        for profile, reason in seen.quarantined.items()
    )
    for (profile, reason), count in reasons.most_common():
        print(f"  {count} quarantined as {profile}: {reason}")
    counts = sum((seen.counts for seen in found), Counter[str]())
    print(f"  {'; '.join(f'{count:,} {what}' for what, count in sorted(counts.items()))}", flush=True)


def _report(against: Sequence[Counterexample]) -> int:
    by_property: dict[str, list[Counterexample]] = {}
    for one in against:
        by_property.setdefault(one.prop, []).append(one)
    for prop, ones in sorted(by_property.items()):
        print(f"{prop}: {len(ones):,} counterexample(s); the first:")
        for one in ones[:_SHOWN]:
            print(f"  {one.tool}: {one.what}")
    print(
        "test-corpora: " + ("no counterexample" if not by_property else f"{len(against):,} counterexamples")
    )
    return int(bool(by_property))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
