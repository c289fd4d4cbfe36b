"""Runs that are taken up again: how often, by whom, and what is known of the calls that were on their way."""

import asyncio
from contextlib import aclosing

import pytest

from broker.chat.decisions import Approve
from broker.chat.events import CallStarted, Done, StopReason
from broker.errors import Code, ModelError, RunError
from tests.chat.conversation import ALICE, HELLO, Make, calls, danger, ended, results, resumed, waiting
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
