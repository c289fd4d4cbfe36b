import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from broker.config import loading


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug of ours: what cannot happen happens while the config is read."""

    def load(path: Path, *, unlocked: bool) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(loading, "load", load)


@pytest.mark.usefixtures("bug")
def test_a_bug_is_one_line_and_no_stack_trace(run: Callable[..., Any]) -> None:
    outcome = run("tools", "broker.yaml")

    assert outcome.status == 1
    assert outcome.err == (
        "broker: ZeroDivisionError: a bug; this should not happen: BROKER_DEBUG=1 shows where it did\n"
    )


@pytest.mark.usefixtures("bug")
@pytest.mark.parametrize("how", ["-v", "BROKER_DEBUG"])
def test_a_bug_shows_its_stack_trace_to_those_who_ask(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "BROKER_DEBUG":
        monkeypatch.setenv(how, "1")

    outcome = run("tools", "broker.yaml", *(["-v"] if how == "-v" else []))

    assert "Traceback" in outcome.err


def test_a_reader_that_goes_away_is_no_error(command: Sequence[str], probe_protoset: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [*command, "tools", str(probe_protoset), "--json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert "Traceback" not in process.stderr
    assert "BrokenPipe" not in process.stderr
