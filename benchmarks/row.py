"""One measured row, and the table of all of them."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Row:
    """Ours beside a reference, measured in one run."""

    name: str
    reference_name: str
    ours: float
    reference: float
    unit: str
    floor: float
    goal: float
    more_is_better: bool = False
    """False: `ours` is a cost, and the ratio is how much of it we need; True: the other way round."""
    times_faster: bool = False
    """True: both are times, and the ratio is how many times faster we are."""

    @property
    def ratio(self) -> float:
        """Ours / reference, or reference / ours for `times_faster`."""
        return self.reference / self.ours if self.times_faster else self.ours / self.reference

    @property
    def verdict(self) -> str:
        """`goal`, `floor` or `MISSED`."""
        for bound, word in ((self.goal, "goal"), (self.floor, "floor")):
            if self.ratio >= bound if self.at_least else self.ratio <= bound:
                return word
        return "MISSED"

    @property
    def at_least(self) -> bool:
        """Whether floor and goal are lower bounds of the ratio."""
        return self.more_is_better or self.times_faster


def machine() -> str:
    """What the numbers were measured on."""
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    cpu = f"{len(names)} × {names[0]}" if names else platform.machine()
    libraries = ", ".join(f"{name} {version(name)}" for name in ("grpcio", "protobuf", "openai"))
    return f"{cpu}, {platform.system()}, Python {platform.python_version()}, {libraries}"


def table(rows: Sequence[Row]) -> str:
    """A Markdown table."""
    lines = [
        "| measured | against | ours | reference | ratio | floor | goal | |",
        "|---|---|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        times = f"{row.ours:.4g} {row.unit} | {row.reference:.4g} {row.unit} | {row.ratio:.2f}×"
        bounds = f"{sign} {row.floor:g}× | {sign} {row.goal:g}×"
        lines.append(f"| {row.name} | {row.reference_name} | {times} | {bounds} | {row.verdict} |")
    return "\n".join(lines)


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
