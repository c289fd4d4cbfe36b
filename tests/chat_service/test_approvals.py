"""Approvals over gRPC: what is shown before it is sent, and what becomes of a decision."""

import json
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
import pytest

from broker.v1 import broker_pb2 as pb
from tests.chat.conversation import calls, danger, echo
from tests.chat_service.client import (
    approve,
    ask,
    client_tool,
    kinds,
    refused,
    reject,
    results,
    resume,
    talked,
    tool_ids,
    waiting,
)
from tests.chat_service.conftest import Opened
from tests.chat_service.script import DANGEROUS
from tests.models.scripted_server import ScriptedServer, said, stream
from tests.servers.probe import Probe


async def test_a_call_that_needs_approval_is_shown_exactly_as_it_will_be_sent(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any
) -> None:
    server.script.append(calls(danger("x", "to all"), echo("y")))

    events, done = await talked(stub, ask())

    assert kinds(events) == ["call_started", "call_finished", "approval_needed"]
    needed = events[-1].approval_needed
    assert (needed.call.id, needed.call.name, needed.backend) == ("x", DANGEROUS, "probe")
    assert needed.full_name == "probe.v1.ProbeService.Dangerous"
    assert json.loads(needed.request) == {"text": "to all", "number": 0}
    assert (done.stop_reason, tool_ids(done.messages)) == ("waiting", ["", "y"])
    assert done.state
    assert probe[0].seen == ["Echo"]


@pytest.mark.parametrize(
    ("decision", "code", "told", "sent"),
    [
        pytest.param(approve("x"), grpc.StatusCode.OK, '"text":"to all"', ["Dangerous"], id="approve"),
        pytest.param(
            approve("x", '{"text": "to me"}'),
            grpc.StatusCode.OK,
            '"text":"to me"',
            ["Dangerous"],
            id="approve with other arguments",
        ),
        pytest.param(reject("x", "not now"), grpc.StatusCode.PERMISSION_DENIED, "not now", [], id="reject"),
    ],
)
async def test_what_is_decided_is_done_and_the_model_reads_what_came_of_it(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    stub: Any,
    decision: pb.Decision,
    code: grpc.StatusCode,
    told: str,
    sent: list[str],
) -> None:
    server.script += [calls(danger("x", "to all")), stream(said("Well."))]

    events, done = await talked(stub, resume(await waiting(stub), decision))

    assert probe[0].seen == sent
    result = results(events)["x"]
    assert (result.code, result.is_error) == (code.value[0], code is not grpc.StatusCode.OK)
    assert told in result.content
    assert server.requests[1]["messages"][-1]["content"] == result.content
    assert (done.stop_reason, done.state, tool_ids(done.messages)) == ("answered", b"", ["", "x", ""])


async def test_what_is_not_decided_waits_on_under_a_new_state(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any
) -> None:
    server.script += [calls(danger("x"), danger("y"), danger("z")), stream(said("Done."))]

    events, half = await talked(stub, resume(await waiting(stub), approve("y"), reject("z")))

    assert results(events).keys() == {"y", "z"}
    assert [event.approval_needed.call.id for event in events if event.HasField("approval_needed")] == ["x"]
    assert half.stop_reason == "waiting"
    _, done = await talked(stub, resume(half.state, approve("x")))
    assert tool_ids(done.messages) == ["", "x", "y", "z", ""]
    assert probe[0].seen == ["Dangerous", "Dangerous"]


@pytest.mark.parametrize(
    ("request_of", "code", "told"),
    [
        pytest.param(
            lambda state: resume(state, approve("nobody")),
            grpc.StatusCode.INVALID_ARGUMENT,
            '"nobody": no call waits for a decision',
            id="a decision about no call",
        ),
        pytest.param(
            lambda state: resume(state, pb.Decision(call_id="x")),
            grpc.StatusCode.INVALID_ARGUMENT,
            'decisions[0]: missing. Send "approve" or "reject".',
            id="a decision that says nothing",
        ),
        pytest.param(
            lambda state: resume(state, approve("x"), reject("x")),
            grpc.StatusCode.INVALID_ARGUMENT,
            "two answers",
            id="two decisions",
        ),
        pytest.param(
            lambda state: resume(state, approve("x", '{"txt": "a"}')),
            grpc.StatusCode.INVALID_ARGUMENT,
            'Did you mean "text"?',
            id="arguments that do not fit",
        ),
        pytest.param(
            lambda state: resume(state, results=[pb.ToolResult(call_id="x", content="done")]),
            grpc.StatusCode.INVALID_ARGUMENT,
            "no call of a tool of yours",
            id="a result for a call that is ours",
        ),
        pytest.param(
            lambda state: resume(state, results=[pb.ToolResult(call_id="x", code=99)]),
            grpc.StatusCode.INVALID_ARGUMENT,
            "99 is no gRPC status code",
            id="a code that is none",
        ),
        pytest.param(
            lambda state: resume(state, approve("x"), limits=pb.Limits(max_turns=1)),
            grpc.StatusCode.INVALID_ARGUMENT,
            "limits: a run that is resumed keeps what it began with",
            id="limits beside it",
        ),
        pytest.param(
            lambda state: resume(state, approve("x"), tools=[client_tool("locate")]),
            grpc.StatusCode.INVALID_ARGUMENT,
            "tools: a run that is resumed",
            id="tools beside it",
        ),
        pytest.param(
            lambda _: resume(b"\xff rubbish", approve("x")),
            grpc.StatusCode.INVALID_ARGUMENT,
            "not the state of a run",
            id="rubbish",
        ),
        pytest.param(
            lambda state: resume(state[:-1] + (b"a" if state[-1:] != b"a" else b"b"), approve("x")),
            grpc.StatusCode.FAILED_PRECONDITION,
            "used already",
            id="another secret",
        ),
    ],
)
async def test_an_answer_that_does_not_fit_is_a_status_and_nothing_is_sent_or_used_up(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    stub: Any,
    request_of: Callable[[bytes], pb.ChatRequest],
    code: grpc.StatusCode,
    told: str,
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    state = await waiting(stub)

    status, details = await refused(stub, request_of(state))

    assert (status, probe[0].seen) == (code, [])
    assert told in details
    await talked(stub, resume(state, approve("x")))
    assert probe[0].seen == ["Dangerous"]


async def test_a_state_is_used_once(server: ScriptedServer, probe: tuple[Probe, int], stub: Any) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    state = await waiting(stub)
    await talked(stub, resume(state, approve("x")))

    code, details = await refused(stub, resume(state, approve("x")))

    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "has ended" in details
    assert probe[0].seen == ["Dangerous"]


async def test_a_state_of_another_server_is_not_found(
    server: ScriptedServer, probe: tuple[Probe, int], opened: Opened
) -> None:
    server.script.append(calls(danger("x")))

    async with opened() as one, opened() as other:
        code, details = await refused(other, resume(await waiting(one), approve("x")))

    assert code is grpc.StatusCode.NOT_FOUND
    assert "no such run" in details
    assert probe[0].seen == []
