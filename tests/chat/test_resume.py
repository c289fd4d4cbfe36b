"""Runs that are taken up again: how often, by whom, and what is known of the calls that were on their way."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from broker.chat.decisions import Approve, Reject
from broker.chat.events import ApprovalNeeded, CallStarted, Done, StopReason
from broker.chat.loop import Chat
from broker.dispatch import Broker
from broker.errors import Code, ModelError, RunError
from broker.models.chunks import openai_call
from broker.models.model import ModelRequest, Turn
from broker.tool import ToolCall
from tests.chat.conversation import (
    ALICE,
    HELLO,
    PREFIX,
    Make,
    calls,
    danger,
    ended,
    results,
    resumed,
    waiting,
)
from tests.models.scripted_server import ScriptedServer, refusal, said, stream
from tests.servers.probe import Probe


async def test_a_run_that_has_ended_stays_ended_when_its_reader_goes_away_at_once(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    chat = chat_with()
    state = await waiting(chat)

    async with aclosing(chat.resume(state, decisions=[Approve(call_id="x")], context=ALICE)) as events:
        async for event in events:
            if isinstance(event, Done):
                break

    with pytest.raises(RunError, match="has ended") as refused:
        await resumed(chat, state)
    assert refused.value.code is Code.FAILED_PRECONDITION


async def test_a_run_that_waits_is_kept_when_its_reader_goes_away_at_once(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    chat, state = chat_with(), None

    async with aclosing(chat.run(HELLO, context=ALICE)) as events:
        async for event in events:
            if isinstance(event, Done):
                state = event.state
                break

    assert state is not None
    _, done = await resumed(chat, state, Approve(call_id="x"))
    assert (probe[0].seen, done.text) == (["Dangerous"], "Sent.")


async def test_when_the_model_fails_the_run_is_taken_up_again_and_nothing_is_sent_twice(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x")), refusal(500, {"error": {"message": "overloaded"}})]
    chat = chat_with()
    state = await waiting(chat)
    with pytest.raises(ModelError, match="overloaded"):
        await resumed(chat, state, Approve(call_id="x"))

    server.script.append(stream(said("Sent.")))
    events, done = await resumed(chat, state)

    assert probe[0].seen == ["Dangerous"]
    assert results(events) == {}
    assert (done.stop_reason, done.text) == (StopReason.ANSWERED, "Sent.")
    assert [message["role"] for message in done.messages] == ["assistant", "tool", "assistant"]
    assert '"text":"a"' in done.messages[1]["content"]


async def test_a_call_that_was_on_its_way_when_the_reader_went_away_is_unknown_and_not_sent_again(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x"), danger("y")), stream(said("I do not know."))]
    chat = chat_with()
    state = await waiting(chat)
    decisions = [Approve(call_id="x"), Approve(call_id="y")]

    async with aclosing(chat.resume(state, decisions=decisions, context=ALICE)) as broken_off:
        async for event in broken_off:
            if isinstance(event, CallStarted):
                break
    sent = list(probe[0].seen)

    events, done = await resumed(chat, state, Approve(call_id="y"))

    assert results(events)["x"].code is Code.UNKNOWN
    assert "not known" in results(events)["x"].content
    assert not results(events)["y"].is_error
    assert probe[0].seen == [*sent, "Dangerous"]
    assert done.text == "I do not know."


async def test_of_two_who_take_up_a_run_at_once_one_is_refused_and_the_call_is_sent_once(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    chat = chat_with()
    state = await waiting(chat)

    both = [ended(chat.resume(state, decisions=[Approve(call_id="x")], context=ALICE)) for _ in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)

    assert probe[0].seen == ["Dangerous"]
    assert [type(outcome) for outcome in outcomes].count(RunError) == 1


class Lingering:
    """A model that asks for a call, and then answers; the one who goes away meanwhile has to wait for it."""

    name, profile, max_tools = "lingering", "openai", None

    def __init__(self) -> None:
        self.asked = 0
        self.has_answered = asyncio.Event()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Turn, None]:
        self.asked += 1
        if self.asked == 1:
            call = ToolCall(id="x", name=f"{PREFIX}Dangerous", arguments='{"text": "a"}')
            message = {"role": "assistant", "content": None, "tool_calls": [openai_call(call)]}
            yield Turn(text="", calls=(call,), message=message)
            return
        try:
            yield Turn(text="Sent.", calls=(), message={"role": "assistant", "content": "Sent."})
        finally:
            self.has_answered.set()
            await asyncio.Event().wait()


async def test_a_reader_that_goes_away_after_the_answer_and_before_the_end_gets_the_answer_later(
    broker: Broker, probe: tuple[Probe, int]
) -> None:
    model = Lingering()
    chat = Chat(broker, model)
    state = await waiting(chat)
    reading = asyncio.create_task(resumed(chat, state, Approve(call_id="x")))
    await asyncio.wait_for(model.has_answered.wait(), 10)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    events, done = await resumed(chat, state)

    assert events == []
    assert (done.stop_reason, done.text, len(done.messages)) == (StopReason.ANSWERED, "Sent.", 3)
    assert model.asked == 2, "a model that has answered is not asked again"
    assert probe[0].seen == ["Dangerous"]


async def test_a_run_that_went_in_circles_before_it_waited_must_answer_afterwards(
    server: ScriptedServer, chat_with: Make
) -> None:
    missing = ("Fail", {"code": 5})
    again = [calls((f"f{number}", *missing)) for number in range(4)]
    server.script += [*again, calls(("f4", *missing), danger("x")), stream(said("I give up."))]
    chat = chat_with()

    _, done = await resumed(chat, await waiting(chat), Reject(call_id="x"))

    assert server.requests[-1]["tool_choice"] == "none"
    assert (done.stop_reason, done.text) == (StopReason.REPEATING, "I give up.")


async def test_the_time_in_which_a_run_waits_does_not_count(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    chat = chat_with(timeout=2.0)
    state = await waiting(chat)
    await asyncio.sleep(2.1)

    _, done = await resumed(chat, state, Approve(call_id="x"))

    assert (probe[0].seen, done.stop_reason) == (["Dangerous"], StopReason.ANSWERED)


async def test_the_turns_and_calls_before_a_pause_count_after_it(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x")), calls(danger("y")), stream(said("Enough."))]
    chat = chat_with(max_calls=1, max_turns=3)

    events, done = await resumed(chat, await waiting(chat), Approve(call_id="x"))

    assert probe[0].seen == ["Dangerous"]
    assert results(events)["y"].code is Code.RESOURCE_EXHAUSTED
    assert server.requests[2]["tool_choice"] == "none"
    assert (done.text, len(done.usage_by_turn)) == ("Enough.", 3)


async def test_an_id_that_the_model_uses_again_in_a_later_turn_is_another_call(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x", "one")), calls(danger("x", "two")), stream(said("Sent."))]
    chat = chat_with()

    events, half = await resumed(chat, await waiting(chat), Approve(call_id="x"))

    needed = events[-1]
    assert isinstance(needed, ApprovalNeeded)
    assert needed.call.id != "x"
    assert half.state is not None
    with pytest.raises(RunError, match="no call waits"):
        await resumed(chat, half.state, Approve(call_id="x"))
    await resumed(chat, half.state, Approve(call_id=needed.call.id))
    assert probe[0].seen == ["Dangerous", "Dangerous"]


async def test_a_run_that_is_cut_off_by_its_deadline_while_calls_wait_can_be_taken_up_still(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x"), ("w", "Wait", {"text": "a"})), stream(said("Sent."))]
    chat = chat_with()
    context = replace(ALICE, deadline=time.monotonic() + 1.0)

    events, half = await ended(chat.run(HELLO, context=context))

    assert results(events)["w"].code is Code.DEADLINE_EXCEEDED
    assert half.stop_reason is StopReason.WAITING
    assert half.state is not None
    _, done = await resumed(chat, half.state, Approve(call_id="x"))
    assert (probe[0].seen, done.text) == (["Wait", "Dangerous"], "Sent.")
