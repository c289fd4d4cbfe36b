"""Calls that somebody has to decide about: what waits, what is sent, and what never is."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from broker.chat.decisions import Approve, Reject
from broker.chat.events import ApprovalNeeded, CallFinished, CallStarted, StopReason
from broker.errors import Code, RunError
from broker.tool import CallContext, ToolResult
from tests.chat.conversation import (
    ALICE,
    HELLO,
    Make,
    calls,
    danger,
    echo,
    ended,
    results,
    resumed,
    waiting,
)
from tests.models.scripted_server import ScriptedServer, said, stream
from tests.servers.probe import Probe


async def test_a_run_waits_for_approval_after_the_calls_that_need_none(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script.append(calls(danger("x", "to all"), echo("y")))

    events, done = await ended(chat_with().run(HELLO))

    assert probe[0].seen == ["Echo"]
    needed = events[-1]
    assert isinstance(needed, ApprovalNeeded)
    assert (needed.call.id, needed.backend, needed.full_name) == (
        "x",
        "probe",
        "probe.v1.ProbeService.Dangerous",
    )
    assert json.loads(needed.request) == {"text": "to all", "number": 0}
    assert done.stop_reason is StopReason.WAITING
    assert [message.get("tool_call_id") for message in done.messages] == [None, "y"]
    assert len(server.requests) == 1


async def test_an_approved_call_is_sent_once_and_the_model_goes_on(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x", "to all"), echo("y")), stream(said("Sent."))]
    chat = chat_with()
    state = await waiting(chat)

    events, done = await resumed(chat, state, Approve(call_id="x"))

    assert probe[0].seen == ["Echo", "Dangerous"]
    assert [type(event) for event in events[:2]] == [CallStarted, CallFinished]
    assert (done.stop_reason, done.text, done.state) == (StopReason.ANSWERED, "Sent.", None)
    assert [message.get("tool_call_id") for message in done.messages] == [None, "x", "y", None]
    sent = server.requests[1]["messages"]
    assert json.loads(sent[-2]["content"])["text"] == "to all"


async def test_a_rejected_call_is_not_sent_and_the_model_reads_why(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x")), stream(said("I did not."))]
    chat = chat_with()

    events, done = await resumed(chat, await waiting(chat), Reject(call_id="x", message="not on Sunday"))

    assert probe[0].seen == []
    assert results(events)["x"].code is Code.PERMISSION_DENIED
    assert "not on Sunday" in server.requests[1]["messages"][-1]["content"]
    assert done.text == "I did not."


async def test_an_approval_with_other_arguments_sends_those(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x", "to all")), stream(said("Sent."))]
    chat = chat_with()
    edited = Approve(call_id="x", arguments='{"text": "to me"}')

    events, _ = await resumed(chat, await waiting(chat), edited)

    said_so, _, answer = results(events)["x"].content.partition("\n")
    assert '{"text": "to me"}' in said_so
    assert json.loads(answer)["text"] == "to me"
    assert probe[0].seen == ["Dangerous"]


async def test_what_is_not_decided_waits_on_and_the_rest_is_done(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(danger("x"), danger("y"), danger("z")), stream(said("Done."))]
    chat = chat_with()
    first = await waiting(chat)

    events, done = await resumed(chat, first, Approve(call_id="y"), Reject(call_id="z"))

    assert results(events).keys() == {"y", "z"}
    assert [event.call.id for event in events if isinstance(event, ApprovalNeeded)] == ["x"]
    assert done.stop_reason is StopReason.WAITING
    assert done.state is not None
    _, done = await resumed(chat, done.state, Approve(call_id="x"))
    assert probe[0].seen == ["Dangerous", "Dangerous"]
    assert done.text == "Done."
    assert [message.get("tool_call_id") for message in done.messages] == [None, "x", "y", "z", None]


async def test_a_denied_tool_is_never_sent_and_nobody_is_asked(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    chat_before: Callable[..., Any],
) -> None:
    server.script += [calls(danger("x")), stream(said("I may not."))]

    async with chat_before(tools={"*.Dangerous": {"approval": "deny"}}) as chat:
        events, done = await ended(chat.run(HELLO))

    assert probe[0].seen == []
    assert results(events)["x"].code is Code.PERMISSION_DENIED
    assert done.stop_reason is StopReason.ANSWERED


async def test_with_strict_approvals_what_is_not_marked_harmless_waits(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Callable[..., Any]
) -> None:
    asked = {"x": "Echo", "y": "Fail", "z": "Flaky", "w": "Garbage"}
    arguments = {"Fail": {"code": 5}}
    server.script.append(
        calls(*((id, method, arguments.get(method, {"text": "a"})) for id, method in asked.items()))
    )

    async with chat_before(approvals="strict", tools={"*.Garbage": {"read_only": True}}) as chat:
        events, done = await ended(chat.run(HELLO))

    assert sorted(probe[0].seen) == ["Echo", "Garbage"]
    assert [event.call.id for event in events if isinstance(event, ApprovalNeeded)] == ["y", "z"]
    assert done.stop_reason is StopReason.WAITING


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        pytest.param("used", Code.FAILED_PRECONDITION, "has ended", id="used"),
        pytest.param("other secret", Code.FAILED_PRECONDITION, "used already", id="another token"),
        pytest.param("no run", Code.NOT_FOUND, "no such run", id="a run that never was"),
        pytest.param("rubbish", Code.INVALID_ARGUMENT, "not the state", id="rubbish"),
        pytest.param("principal", Code.PERMISSION_DENIED, "somebody else", id="another principal"),
    ],
)
async def test_a_state_that_is_not_the_callers_to_use_is_refused_and_nothing_is_sent(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make, change: str, code: Code, told: str
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    chat = chat_with()
    state = await waiting(chat)
    context = ALICE
    match change:
        case "used":
            await resumed(chat, state, Reject(call_id="x"))
        case "other secret":
            state = state[:-1] + ("a" if state[-1] != "a" else "b")
        case "no run":
            state = "run_0123." + state.partition(".")[2]
        case "rubbish":
            state = "{}"
        case "principal":
            context = CallContext(principal="bob")

    with pytest.raises(RunError, match=told) as refused:
        await resumed(chat, state, Approve(call_id="x"), context=context)

    assert refused.value.code is code
    assert probe[0].seen == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param({"decisions": [Approve(call_id="nobody")]}, "no call waits", id="an unknown id"),
        pytest.param({"decisions": [Approve(call_id="y")]}, "no call waits", id="a call that was made"),
        pytest.param(
            {"decisions": [Approve(call_id="x", arguments='{"txt": 1}')]},
            'Did you mean "text"',
            id="arguments",
        ),
        pytest.param(
            {"decisions": [Approve(call_id="x"), Reject(call_id="x")]}, "two answers", id="two answers"
        ),
        pytest.param({"results": [ToolResult(call_id="x", content="yes")]}, "tool of yours", id="a result"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_and_the_state_is_not_used_up(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make, answer: dict[str, Any], told: str
) -> None:
    server.script += [calls(danger("x"), echo("y")), stream(said("Sent."))]
    chat = chat_with()
    state = await waiting(chat)

    with pytest.raises(RunError, match=told):
        await ended(chat.resume(state, context=ALICE, **answer))

    assert probe[0].seen == ["Echo"]
    await resumed(chat, state, Approve(call_id="x"))
    assert probe[0].seen == ["Echo", "Dangerous"]
