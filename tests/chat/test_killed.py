"""Runs whose process is killed, and which another process takes up: how often the backend receives a call."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chat.one_run import LEASE
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe

REPOSITORY = Path(__file__).parent.parent.parent


class RunProcess:
    """A run in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What it tells, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            yield json.loads(line)

    async def until(self, name: str) -> dict[str, Any]:
        """The next event of a kind."""
        async for event in self.events():
            if event["event"] == name:
                return event
        raise AssertionError(f"the run ended without {name}")

    async def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@pytest.fixture
async def start(
    server: ScriptedServer, probe: tuple[Probe, int], probe_protoset: Path, tmp_path: Path
) -> AsyncIterator[Callable[..., Any]]:
    """Starts `one_run.py` with a SQLite file for its state; Wait needs approval and has side effects."""
    backend = {
        "target": f"127.0.0.1:{probe[1]}",
        "plaintext": True,
        "descriptors": {"protoset": str(probe_protoset)},
    }
    config = tmp_path / "broker.yaml"
    settings = {
        "model": {"driver": "chat-completions", "name": "m", "base_url": server.base_url, "api_key": "none"},
        "backends": {"probe": backend},
        "tools": {"*.Wait": {"approval": "required", "read_only": False}},
        "state": {"file": str(tmp_path / "runs.db"), "lease": LEASE},
    }
    config.write_text(json.dumps(settings))
    started: list[RunProcess] = []

    async def start(*arguments: str) -> RunProcess:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("one_run.py")),
            str(config),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "gen/python")]),
            },
        )
        started.append(RunProcess(process))
        return started[-1]

    yield start
    for each in started:
        await each.kill()


def call(method: str) -> Answer:
    return stream(asked_for(("x", f"probe_v1_ProbeService_{method}", json.dumps({"text": "a"}))))


async def test_killed_while_it_waits_for_approval_the_call_is_received_once(
    server: ScriptedServer, probe: tuple[Probe, int], start: Callable[..., Any]
) -> None:
    server.script += [call("Dangerous"), stream(said("Sent."))]
    first = await start()
    state = (await first.until("Kept"))["state"]
    await first.until("Done")
    await first.kill()
    assert probe[0].seen == []

    second = await start(state, "x")

    assert (await second.until("CallFinished"))["code"] is None
    assert (await second.until("Done"))["text"] == "Sent."
    assert probe[0].seen == ["Dangerous"]


async def test_killed_between_sending_and_answer_the_call_is_told_as_unknown_and_not_sent_again(
    server: ScriptedServer, probe: tuple[Probe, int], start: Callable[..., Any]
) -> None:
    server.script += [call("Wait"), stream(said("I do not know whether it took effect."))]
    first = await start()
    waiting = (await first.until("Done"))["state"]
    second = await start(waiting, "x")
    await asyncio.wait_for(probe[0].waiting.acquire(), 30)
    await second.kill()

    third = await start(waiting)
    told = [event async for event in third.events()]

    assert [event.get("code") for event in told if event["event"] == "CallFinished"] == ["UNKNOWN"]
    assert "CallStarted" not in {event["event"] for event in told}
    assert told[-1]["stop_reason"] == "answered"
    assert "not sent again" in server.requests[-1]["messages"][-1]["content"]
    assert probe[0].seen == ["Wait"]


async def test_killed_while_the_model_speaks_it_is_asked_again_and_what_was_done_stays_done(
    server: ScriptedServer, probe: tuple[Probe, int], start: Callable[..., Any]
) -> None:
    never = asyncio.Event()
    head, *_ = stream(said("I was about")).blocks
    server.script += [call("Flaky"), Answer(blocks=[head, never]), stream(said("It says a."))]
    first = await start()
    state = (await first.until("Kept"))["state"]
    await first.until("TextDelta")
    await first.kill()

    second = await start(state)

    assert (await second.until("Done"))["text"] == "It says a."
    assert probe[0].seen == ["Flaky"]
