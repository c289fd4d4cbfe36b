"""How long the command takes to start, beside a Python that imports grpc."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.row import Row

_ROUNDS = 9
_BROKER = str(Path(sys.executable).parent / "broker")
_REFERENCE = [sys.executable, "-c", "import grpc"]


def rows() -> list[Row]:
    """`broker --help`, and `broker tools` on one service, without rules and with."""
    plain, ruled = "protos/broker/v1/broker.proto", "protos/weather/v1/weather.proto"
    return [
        _row("`broker --help`", [_BROKER, "--help"], floor=2.5, goal=1.5),
        _row("`broker tools` on one service", _tools(plain), floor=5, goal=3.5),
        # To load protovalidate takes longer than `import grpc`.
        _row("`broker tools` on one with rules", _tools(ruled), floor=8, goal=6),
    ]


def _tools(proto: str) -> list[str]:
    return [_BROKER, "tools", proto, "-import-path", "protos"]


def _row(name: str, command: Sequence[str], *, floor: float, goal: float) -> Row:
    _seconds(command), _seconds(_REFERENCE)
    pairs = [(_seconds(command), _seconds(_REFERENCE)) for _ in range(_ROUNDS)]
    ours, reference = (statistics.median(pair[side] for pair in pairs) * 1e3 for side in (0, 1))
    return Row(
        name=name,
        reference_name='`python -c "import grpc"`',
        ours=ours,
        reference=reference,
        unit="ms",
        floor=floor,
        goal=goal,
    )


# An installed package has its bytecode; a shell that forbids to write it would measure the compiler.
_ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def _seconds(command: Sequence[str]) -> float:
    before = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=_ENVIRONMENT)
    return time.perf_counter() - before
