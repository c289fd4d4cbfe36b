"""What a client may ask of the model over gRPC, and what is refused."""

import json
from typing import Any

import grpc
import grpc.aio
import pytest

from broker.v1 import broker_pb2 as pb
from tests.chat.conversation import PREFIX, calls, danger, echo
from tests.chat_service.client import approve, ask, client_tool, refused, results, resume, talked
from tests.chat_service.conftest import Opened
from tests.chat_service.script import DANGEROUS, ECHO
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe


def forced(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize(
    ("choice", "first", "second"),
    [
        pytest.param(None, None, None, id="not given"),
        pytest.param(pb.ToolChoice(), "auto", "auto", id="unspecified"),
        pytest.param(pb.ToolChoice(mode="MODE_AUTO"), "auto", "auto", id="auto"),
        pytest.param(pb.ToolChoice(mode="MODE_REQUIRED"), "required", None, id="required"),
        pytest.param(pb.ToolChoice(name=ECHO), forced(ECHO), None, id="one tool"),
        pytest.param(pb.ToolChoice(name="locate"), forced("locate"), None, id="one of the caller's"),
        pytest.param(
            pb.ToolChoice(allowed=pb.ToolChoice.Allowed(mode="MODE_REQUIRED", names=[ECHO, "locate"])),
            allowed("required", ECHO, "locate"),
            allowed("auto", ECHO, "locate"),
            id="some tools",
        ),
    ],
)
async def test_what_is_forced_is_forced_in_the_first_turn_alone(
    server: ScriptedServer, opened: Opened, choice: pb.ToolChoice | None, first: Any, second: Any
) -> None:
    server.script += [calls(echo("x")), stream(said("Done."))]

    async with opened({"endpoint": "openai"}) as stub:
        await talked(stub, ask(tool_choice=choice, tools=[client_tool("locate")]))

    assert [request.get("tool_choice") for request in server.requests] == [first, second]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        pytest.param(pb.ToolChoice(mode="MODE_NONE"), "may not be called", id="none"),
        pytest.param(
            pb.ToolChoice(allowed=pb.ToolChoice.Allowed(names=[f"{PREFIX}Wait"])),
            "may not be called",
            id="others",
        ),
    ],
)
async def test_a_tool_that_the_caller_has_not_allowed_is_not_called_whatever_the_model_says(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any, choice: pb.ToolChoice, told: str
) -> None:
    server.script += [calls(echo("x")), stream(said("Done."))]

    events, done = await talked(stub, ask(tool_choice=choice))

    assert results(events)["x"].code == grpc.StatusCode.PERMISSION_DENIED.value[0]
    assert told in results(events)["x"].content
    assert probe[0].seen == []
    assert done.stop_reason == "answered"


async def test_what_else_is_asked_reaches_the_model_in_each_turn_also_after_a_pause(
    server: ScriptedServer, stub: Any
) -> None:
    server.script += [calls(danger("x")), stream(said("{}"))]
    format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    asked = ask(
        response_format=json.dumps(format),
        parameters='{"temperature": 0.5, "max_output_tokens": 77, "extra_body": {"user": "u1"}}',
        parallel_tool_calls=False,
    )

    _, half = await talked(stub, asked)
    await talked(stub, resume(half.state, approve("x")))

    for request in server.requests:
        assert request["response_format"] == format
        assert (request["temperature"], request["user"]) == (0.5, "u1")
        assert 77 in (request.get("max_tokens"), request.get("max_completion_tokens"))
    assert [request.get("parallel_tool_calls") for request in server.requests] == [
        server.requests[0].get("parallel_tool_calls")
    ] * 2


@pytest.mark.parametrize(
    ("limits", "script", "sent", "reason"),
    [
        pytest.param({"max_turns": 1}, [calls(echo("x"))], [], "max_turns", id="turns"),
        pytest.param(
            {"max_calls": 1},
            [calls(echo("x"), echo("y")), stream(said("One."))],
            ["Echo"],
            "answered",
            id="calls",
        ),
        pytest.param(
            {"max_calls_per_tool": 1},
            [calls(echo("x"), echo("y")), stream(said("One."))],
            ["Echo"],
            "answered",
            id="calls of a tool",
        ),
    ],
)
async def test_limits_bound_what_a_run_may_do(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    stub: Any,
    limits: dict[str, Any],
    script: list[Answer],
    sent: list[str],
    reason: str,
) -> None:
    server.script += script

    _, done = await talked(stub, ask(limits=pb.Limits(**limits)))

    assert (probe[0].seen, done.stop_reason) == (sent, reason)


@pytest.mark.parametrize(("field", "limit"), [("max_input_tokens", 121), ("max_output_tokens", 120)])
async def test_tokens_are_counted_by_turn_over_a_pause_and_bound_the_run(
    server: ScriptedServer, stub: Any, field: str, limit: int
) -> None:
    limits: dict[str, Any] = {field: limit}
    usage = {"choices": [], "usage": {"prompt_tokens": 60, "completion_tokens": 60}}
    asked = asked_for(("x", DANGEROUS, '{"text": "a"}'))
    server.script += [stream([*asked, usage]), stream([*said("Done."), usage])]

    _, half = await talked(stub, ask(limits=pb.Limits(**limits)))
    _, done = await talked(stub, resume(half.state, approve("x")))

    assert [(one.input_tokens, one.output_tokens) for one in half.usage_by_turn] == [(60, 60)]
    assert [(one.input_tokens, one.output_tokens) for one in done.usage_by_turn] == [(60, 60)] * 2
    assert (done.usage.input_tokens, done.usage.output_tokens) == (120, 120)
    assert server.requests[1]["tool_choice"] == "none", "there is not enough for another turn like it"


async def test_a_limit_of_nothing_is_the_brokers_own(server: ScriptedServer, stub: Any) -> None:
    server.script.append(stream(said("Hello.")))

    _, done = await talked(stub, ask(limits=pb.Limits(timeout={"seconds": 0}, max_turns=0)))

    assert done.stop_reason == "answered"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param({"limits": pb.Limits(max_calls=-1)}, "limits.max_calls: -1 is below 0", id="limit"),
        pytest.param(
            {"limits": pb.Limits(timeout={"seconds": -1})}, "limits.timeout: -1.0 is below 0", id="timeout"
        ),
        pytest.param(
            {"tools": [pb.ClientTool(definition="{")]}, "tools[0].definition: is not JSON", id="JSON"
        ),
        pytest.param(
            {"tools": [pb.ClientTool(definition='{"name": "a"}')]}, "tools[0]: must be", id="a tool's form"
        ),
        pytest.param({"tools": [client_tool("a b")]}, '"a b" is no name', id="a tool's name"),
        pytest.param({"tools": [client_tool(ECHO)]}, "is a tool of the broker", id="a tool of ours"),
        pytest.param({"tools": [client_tool("read_result")]}, "is a tool of the broker", id="reserved"),
        pytest.param({"tools": [client_tool("a")] * 2}, '"a" is there twice', id="a tool twice"),
        pytest.param({"tools": [client_tool(f"t{n}") for n in range(129)]}, "129 are too many", id="many"),
        pytest.param({"tool_choice": pb.ToolChoice(name="nope")}, 'no tool "nope"', id="no such tool"),
        pytest.param(
            {"tool_choice": pb.ToolChoice(allowed=pb.ToolChoice.Allowed())},
            "tool_choice: send",
            id="no names",
        ),
        pytest.param(
            {"tool_choice": pb.ToolChoice(allowed=pb.ToolChoice.Allowed(mode="MODE_NONE", names=[ECHO]))},
            "tool_choice: send",
            id="none of some",
        ),
        pytest.param({"tool_choice": pb.ToolChoice(mode=9)}, "tool_choice.mode: 9", id="mode"),  # type: ignore[arg-type]
        pytest.param({"response_format": "[]"}, "response_format: must be a JSON object", id="format"),
        pytest.param(
            {"response_format": '{"a":' * 101 + "1" + "}" * 101}, "more than 100 deep", id="a deep object"
        ),
        pytest.param(
            {"parameters": f'{{"extra_body": {{"a": {"[" * 99 + "]" * 99}}}}}'}, "deep", id="a deep list"
        ),
        pytest.param({"parameters": '{"temprature": 1}'}, "temprature", id="no such parameter"),
        pytest.param(
            {"parameters": '{"max_output_tokens": "many"}', "limits": pb.Limits(max_output_tokens=9)},
            "max_output_tokens",
            id="a parameter's value",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_the_reason_before_the_model_is_asked(
    server: ScriptedServer, stub: Any, asked: dict[str, Any], told: str
) -> None:
    code, details = await refused(stub, ask(**asked))

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert told in details
    assert server.requests == []


async def test_what_is_as_deep_as_it_may_be_is_sent_and_kept(server: ScriptedServer, stub: Any) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    deep = f'{{"a": {"[" * 99 + "]" * 99}}}'
    said_before = pb.Message(role="assistant", content=[pb.ContentPart(text="a")], extras=deep)

    _, half = await talked(stub, ask(said_before, response_format=deep))
    _, done = await talked(stub, resume(half.state, approve("x")))

    assert done.stop_reason == "answered"


@pytest.mark.parametrize("key", ["role", "content", "tool_call_id"])
async def test_extras_do_not_say_what_has_a_field_of_its_own(
    server: ScriptedServer, stub: Any, key: str
) -> None:
    message = pb.Message(role="assistant", extras=json.dumps({key: {"a": 1}}))

    code, details = await refused(stub, ask(message))

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert f'messages[1].extras: "{key}" has a field of its own' in details


@pytest.mark.parametrize("extra", ['"x"', "[1]", "[[], {}]", '{"a": 1}', "[{}]"])
async def test_calls_in_extras_that_fit_no_call_are_left_out(
    server: ScriptedServer, stub: Any, extra: str
) -> None:
    server.script.append(stream(said("Hello.")))
    call = pb.ToolCall(id="x", name=ECHO, arguments="{}")
    one = pb.Message(role="assistant", extras=f'{{"tool_calls": {extra}}}', tool_calls=[call])
    none = pb.Message(role="assistant", extras=f'{{"tool_calls": {extra}}}')

    await talked(stub, ask(one, none))

    assert [list(call) for call in server.requests[0]["messages"][1]["tool_calls"]] == [
        ["id", "type", "function"]
    ]
