"""The hotel service as a process of its own: built from source, started on a free port."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "tool_servers" / "hotels"
JAR = FOLDER / "target" / "hotels.jar"
TODAY = "2026-03-01"


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["java", "-Xmx256m", "-jar", JAR, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, ready, on 1 March 2026, and its address."""
    process = start("--address", "127.0.0.1:0", "--today", TODAY, *arguments)
    try:
        assert process.stdout is not None
        fact, _, address = process.stdout.readline().strip().rpartition(" ")
        if fact != "hotels: listening on":
            process.kill()
            pytest.fail(f"not ready: {process.communicate()}")
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
