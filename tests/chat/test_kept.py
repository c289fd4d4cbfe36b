"""Runs that are kept from their first step: what is left of them when they are cut short."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from broker.chat.decisions import Approve
from broker.chat.events import ApprovalNeeded, CallFinished, Done, Event, Kept, StopReason
from broker.chat.loop import Chat
from broker.errors import Code, RunError
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe

Open = Callable[..., AbstractAsyncContextManager[Chat]]
HELLO = [{"role": "user", "content": "hello"}]


def call(method: str) -> Answer:
    return stream(asked_for(("x", f"probe_v1_ProbeService_{method}", json.dumps({"text": "a"}))))


async def until_it_hangs(chat: Chat, probe: Probe) -> str:
    """Runs until a call has arrived in Wait, ends there, and hands out the token of the run."""
    seen: list[Event] = []

    async def run() -> None:
        async for event in chat.run(HELLO, kept=True):
            seen.append(event)

    task = asyncio.create_task(run())
    await asyncio.wait_for(probe.waiting.acquire(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(seen[0], Kept)
    return seen[0].state


async def test_a_kept_run_hands_out_first_what_takes_it_up_when_it_waits(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    server.script += [call("Dangerous"), stream(said("Sent."))]
    async with chat_before() as chat:
        first, *_, needed, waiting = [event async for event in chat.run(HELLO, kept=True)]
        assert isinstance(first, Kept)
        assert isinstance(waiting, Done)
        assert isinstance(needed, ApprovalNeeded)
        *_, done = [event async for event in chat.resume(first.state, decisions=[Approve(call_id="x")])]

    assert waiting.state == first.state
    assert isinstance(done, Done)
    assert (done.text, probe[0].seen) == ("Sent.", ["Dangerous"])


async def test_a_run_that_is_not_kept_says_nothing_of_it(server: ScriptedServer, chat_before: Open) -> None:
    server.script.append(stream(said("Hi.")))
    async with chat_before() as chat:
        events = [event async for event in chat.run(HELLO)]

    assert not any(isinstance(event, Kept) for event in events)


async def test_a_call_that_was_under_way_is_told_and_not_sent_again(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    server.script += [call("Wait"), stream(said("I do not know."))]
    async with chat_before(tools={"*.Wait": {"read_only": False}}) as chat:
        state = await until_it_hangs(chat, probe[0])
        told, *_, done = [event async for event in chat.resume(state)]

    assert isinstance(told, CallFinished)
    assert told.result.code is Code.UNKNOWN
    assert probe[0].seen == ["Wait"]
    assert "not sent again" in server.requests[-1]["messages"][-1]["content"]
    assert isinstance(done, Done)
    assert done.stop_reason is StopReason.ANSWERED


async def test_a_call_without_side_effects_that_was_under_way_is_made_again(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    server.script += [call("Wait"), stream(said("It came."))]
    async with chat_before() as chat:  # Wait is NO_SIDE_EFFECTS
        state = await until_it_hangs(chat, probe[0])
        probe[0].let_go.set()
        *_, done = [event async for event in chat.resume(state)]

    assert probe[0].seen == ["Wait", "Wait"]
    assert isinstance(done, Done)
    assert done.text == "It came."


async def test_a_kept_run_that_has_ended_is_not_taken_up(server: ScriptedServer, chat_before: Open) -> None:
    server.script.append(stream(said("Hi.")))
    async with chat_before() as chat:
        first, *_ = [event async for event in chat.run(HELLO, kept=True)]
        assert isinstance(first, Kept)

        with pytest.raises(RunError, match="has ended"):
            await anext(chat.resume(first.state))
