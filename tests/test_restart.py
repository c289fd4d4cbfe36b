"""Runs that wait, and outlive who holds them: a client that goes away, a server that stops or is killed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from broker.config.settings import Settings
from broker.servers.lifecycle import running
from broker.v1 import broker_pb2 as pb
from broker.v1.broker_pb2_grpc import BrokerServiceStub
from tests.chat.conversation import calls, danger
from tests.chat_service.client import approve, ask, chat_service, kinds, results, resume, talked, tool_ids
from tests.models.scripted_server import ScriptedServer, said, scripted_server, stream
from tests.servers.probe import Probe
from tests.test_start import BROKER

UNKNOWN = grpc.StatusCode.UNKNOWN.value[0]
# A call that the backend answers when the test lets it, and that may change something.
TOOLS = {"*.Wait": {"approval": "required", "read_only": False}}
LEASE = 1.0


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """The model's server: what it says is written in the test."""
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def given(
    server: ScriptedServer, probe: tuple[Probe, int], probe_protoset: Path, tmp_path: Path
) -> dict[str, Any]:
    """What each of the servers that follow each other is told: they have one file."""
    backend = {
        "target": f"127.0.0.1:{probe[1]}",
        "plaintext": True,
        "descriptors": {"protoset": str(probe_protoset)},
    }
    return {
        "model": {"driver": "chat-completions", "name": "m", "base_url": server.base_url, "api_key": "k"},
        "server": {"grpc": "127.0.0.1:0", "drain_delay": "1ms", "drain_timeout": "5s"},
        "state": {"file": str(tmp_path / "runs.db"), "lease": f"{LEASE:.0f}s"},
        "log": {"level": "error"},
        "backends": {"probe": backend},
        "tools": TOOLS,
    }


def wait(call_id: str) -> tuple[str, str, dict[str, Any]]:
    return (call_id, "Wait", {"text": call_id})


async def waiting(stub: Any) -> bytes:
    """The state of a run that waits."""
    _, done = await talked(stub, ask())
    assert done.stop_reason == "waiting"
    return done.state


async def test_a_run_that_waits_is_taken_up_by_the_server_that_follows(
    server: ScriptedServer, probe: tuple[Probe, int], given: dict[str, Any]
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    settings = Settings.model_validate(given)
    async with chat_service(settings) as stub:
        state = await waiting(stub)

    async with chat_service(settings) as stub:
        _, done = await talked(stub, resume(state, approve("x")))

    assert probe[0].seen == ["Dangerous"]
    assert (done.stop_reason, tool_ids(done.messages)) == ("answered", ["", "x", ""])


async def test_a_client_that_goes_away_leaves_a_run_that_goes_on_without_the_call_that_was_under_way(
    server: ScriptedServer, probe: tuple[Probe, int], given: dict[str, Any]
) -> None:
    server.script += [calls(wait("x"), danger("y")), stream(said("I do not know of x."))]
    settings = Settings.model_validate(given)
    async with chat_service(settings) as stub:
        state = await waiting(stub)
        call = stub.Chat(resume(state, approve("x"), approve("y")))
        await asyncio.wait_for(probe[0].waiting.acquire(), 10)
        call.cancel()
        await asyncio.wait_for(probe[0].cancelled.acquire(), 10)

    async with chat_service(settings) as stub:
        events, half = await talked(stub, resume(state))
        assert results(events)["x"].code == UNKNOWN
        assert "not sent again" in results(events)["x"].content
        # What was decided about y is gone with the client; it was not begun, and is asked about again.
        assert kinds(events)[-1] == "approval_needed"
        _, done = await talked(stub, resume(half.state, approve("y")))

    assert probe[0].seen == ["Wait", "Dangerous"]
    assert tool_ids(done.messages) == ["", "x", "y", ""]


async def talked_when_free(stub: Any, request: pb.ChatRequest) -> tuple[list[pb.ChatResponse], pb.Done]:
    """Asks until nobody takes the process that is gone for one that lives."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await talked(stub, request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.ABORTED:
                    raise
                await asyncio.sleep(LEASE / 10)


async def test_a_server_that_stops_while_a_call_is_under_way_puts_the_run_down_for_the_next(
    server: ScriptedServer, probe: tuple[Probe, int], given: dict[str, Any]
) -> None:
    server.script += [calls(wait("x")), stream(said("I do not know."))]
    given["server"]["drain_timeout"] = "100ms"
    given["state"]["lease"] = "1h"
    settings = Settings.model_validate(given)
    service = running(settings)
    port = await service.__aenter__()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = BrokerServiceStub(channel)
        state = await waiting(stub)
        call = stub.Chat(resume(state, approve("x")))
        await asyncio.wait_for(probe[0].waiting.acquire(), 10)
        await service.__aexit__(None, None, None)
        with pytest.raises(grpc.aio.AioRpcError):
            [event async for event in call]

    async with chat_service(settings) as stub:
        events, _ = await talked(stub, resume(state))

    assert results(events)["x"].code == UNKNOWN
    assert probe[0].seen == ["Wait"]


@asynccontextmanager
async def process(folder: Path, given: dict[str, Any]) -> AsyncIterator[tuple[Any, Any]]:
    """`broker serve` as a process of its own, and its stub."""
    config = folder / "broker.yaml"
    config.write_text(json.dumps(given))  # which is YAML
    started = await asyncio.create_subprocess_exec(
        BROKER, "serve", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    try:
        assert started.stderr is not None
        ready = (await asyncio.wait_for(started.stderr.readline(), 60)).decode()
        assert "serving at" in ready, ready
        async with grpc.aio.insecure_channel(ready.split()[-1]) as channel:
            yield started, BrokerServiceStub(channel)
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_a_server_that_is_killed_while_a_run_waits_has_lost_nothing(
    server: ScriptedServer, probe: tuple[Probe, int], given: dict[str, Any], tmp_path: Path
) -> None:
    server.script += [calls(danger("x", "to all")), stream(said("Sent."))]
    async with process(tmp_path, given) as (started, stub):
        state = await waiting(stub)
        started.kill()
        await started.wait()

    async with process(tmp_path, given) as (_, stub):
        events, done = await talked(stub, resume(state, approve("x")))

    assert probe[0].seen == ["Dangerous"]
    assert json.loads(results(events)["x"].content)["text"] == "to all"
    assert done.stop_reason == "answered"


async def test_a_call_that_was_sent_when_the_server_was_killed_is_unknown_and_is_not_sent_again(
    server: ScriptedServer, probe: tuple[Probe, int], given: dict[str, Any], tmp_path: Path
) -> None:
    server.script += [calls(wait("x")), stream(said("I do not know."))]
    async with process(tmp_path, given) as (started, stub):
        state = await waiting(stub)
        call = stub.Chat(resume(state, approve("x")))
        await asyncio.wait_for(probe[0].waiting.acquire(), 10)
        started.kill()
        await started.wait()
        with pytest.raises(grpc.aio.AioRpcError):
            [event async for event in call]

    async with process(tmp_path, given) as (_, stub):
        events, done = await talked_when_free(stub, resume(state))

    assert probe[0].seen == ["Wait"]
    assert results(events)["x"].code == UNKNOWN
    assert "is not sent again" in server.requests[1]["messages"][-1]["content"]
    assert done.messages[-1].content[0].text == "I do not know."
