"""The loop over gRPC, between a scripted model and a real backend: what a client may ask, and gets back."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from broker.config.settings import Settings
from broker.v1 import broker_pb2 as pb
from tests.chat.conversation import PREFIX, calls, danger, echo
from tests.chat_client import (
    approve,
    ask,
    chat_service,
    client_tool,
    kinds,
    reject,
    results,
    resume,
    talked,
    tool_ids,
)
from tests.models import responses_events as over_responses
from tests.models.scripted_server import (
    Answer,
    ScriptedServer,
    asked_for,
    chunk,
    refusal,
    said,
    scripted_server,
    stream,
)
from tests.servers.probe import Probe

Opened = Callable[..., AbstractAsyncContextManager[Any]]
ECHO, DANGEROUS = f"{PREFIX}Echo", f"{PREFIX}Dangerous"
SERVER = {"grpc": "127.0.0.1:0", "drain_delay": "1ms", "drain_timeout": "5s"}
PNG = b"\x89PNG\r\n\x1a\n"
PNG_URL = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """The model's server: what it says is written in the test."""
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def opened(server: ScriptedServer, probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> Opened:
    """Opens a service before the scripted model and the probe: its stub. What is given are settings."""

    @asynccontextmanager
    async def open_service(model: dict[str, Any] | None = None, **more: Any) -> AsyncIterator[Any]:
        known = {"driver": "chat-completions", "name": "m", "base_url": server.base_url, "api_key": "k"}
        given = settings_for(probe[1], model=known | (model or {}), server=SERVER, **more)
        async with chat_service(given) as stub:
            yield stub

    return open_service


@pytest.fixture
async def stub(opened: Opened) -> AsyncIterator[Any]:
    async with opened() as stub:
        yield stub


async def waiting(stub: Any, **more: Any) -> bytes:
    """The state of a run that waits."""
    _, done = await talked(stub, ask(**more))
    assert done.stop_reason == "waiting"
    return done.state


async def refused(stub: Any, request: pb.ChatRequest) -> tuple[grpc.StatusCode, str]:
    """The status that a request ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await talked(stub, request)
    return error.value.code(), error.value.details() or ""


def client_call(call_id: str, name: str = "locate") -> tuple[str, str, str]:
    return (call_id, name, "{}")


def server_call(call_id: str, name: str = ECHO, text: str = "a") -> tuple[str, str, str]:
    return (call_id, name, json.dumps({"text": text}))


# Approvals


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


# The caller's own tools


async def test_the_callers_tools_are_its_own_to_run_beside_ours(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any
) -> None:
    asked = asked_for(server_call("a"), client_call("b"), server_call("c", DANGEROUS))
    server.script += [stream(asked), stream(said("Here."))]

    events, half = await talked(stub, ask(tools=[client_tool("locate")]))

    assert kinds(events) == ["call_started", "call_finished", "client_call", "approval_needed"]
    call = events[2].client_call.call
    assert (call.id, call.name, call.arguments) == ("b", "locate", "{}")
    assert half.stop_reason == "waiting"
    located = pb.ToolResult(call_id="b", content="Oslo")
    events, done = await talked(stub, resume(half.state, approve("c"), results=[located]))
    assert tool_ids(done.messages) == ["", "a", "b", "c", ""]
    assert done.messages[2].content[0].text == "Oslo"
    assert probe[0].seen == ["Echo", "Dangerous"]
    offered = [tool["function"]["name"] for tool in server.requests[1]["tools"]]
    assert offered[-1] == "locate", "a run that goes on has its tools still"


async def test_a_result_that_failed_at_the_caller_is_told_as_it_is(server: ScriptedServer, stub: Any) -> None:
    server.script += [stream(asked_for(client_call("b"))), stream(said("I cannot."))]
    state = await waiting(stub, tools=[client_tool("locate")])
    failed = pb.ToolResult(call_id="b", content="no signal", is_error=True)

    events, _ = await talked(stub, resume(state, results=[failed]))

    assert (results(events)["b"].is_error, results(events)["b"].code) == (True, 2)
    assert server.requests[1]["messages"][-1]["content"] == "no signal"


async def test_results_of_the_callers_tools_may_also_come_as_messages(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any
) -> None:
    asked = asked_for(server_call("a"), client_call("b"))
    server.script += [stream(asked), stream(said("Here."))]
    tools = [client_tool("locate")]
    _, half = await talked(stub, ask(tools=tools))

    located = pb.Message(role="tool", tool_call_id="b", content=[pb.ContentPart(text="Oslo")])
    _, done = await talked(stub, ask(*half.messages, located, tools=tools))

    assert done.stop_reason == "answered"
    sent = server.requests[1]["messages"]
    assert [message.get("tool_call_id") for message in sent[1:]] == [None, "a", "b"]
    assert sent[-1]["content"] == "Oslo"
    assert probe[0].seen == ["Echo"]


async def test_an_image_in_a_result_is_shown_to_the_model_and_survives_the_round_trip(
    server: ScriptedServer, stub: Any
) -> None:
    server.script += [stream(asked_for(client_call("b"))), stream(said("A cat.")), stream(said("A cat."))]
    tools = [client_tool("locate")]
    state = await waiting(stub, tools=tools)
    picture = pb.ToolResult(call_id="b", content="see", media=[pb.Media(media_type="image/png", data=PNG)])

    _, done = await talked(stub, resume(state, results=[picture]))

    assert [part.image_url for part in done.messages[1].content if part.image_url] == [PNG_URL]
    await talked(stub, ask(*done.messages, tools=tools))
    assert str(server.requests[1]).count(PNG_URL) == 1
    assert server.requests[2]["messages"][: len(server.requests[1]["messages"])] == [
        *server.requests[1]["messages"]
    ]


# What is asked of the model


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


# What the model's server wants to see again


async def test_what_a_server_of_chat_completions_said_beside_its_text_and_calls_goes_back_to_it(
    server: ScriptedServer, opened: Opened
) -> None:
    signature = {"google": {"thought_signature": "c2ln"}}
    call, rest = asked_for(server_call("x"))[0], asked_for(server_call("x"))[1:]
    call["choices"][0]["delta"]["tool_calls"][0]["extra_content"] = signature
    thought = chunk({"reasoning_content": "I echo."})
    server.script += [stream([thought, call, *rest]), stream(said("Done.")), stream(said("Bye."))]

    async with opened({"endpoint": {"kind": "other", "send_back": "always"}}) as stub:
        _, done = await talked(stub, ask())
        await talked(stub, ask(*done.messages))

    within, after = (request["messages"][1] for request in server.requests[1:])
    assert within["tool_calls"][0]["extra_content"] == signature
    assert within["reasoning_content"] == "I echo."
    assert after == within


async def test_what_the_responses_api_said_goes_back_to_it_word_for_word(
    server: ScriptedServer, opened: Opened
) -> None:
    thought = over_responses.reasoning("gAAA")
    asked = over_responses.call(*server_call("x"))
    answered = [over_responses.events([over_responses.said(text)]) for text in ("Done.", "Bye.")]
    server.script.append(over_responses.sent(over_responses.events([thought, asked])))
    server.script += map(over_responses.sent, answered)

    async with opened({"driver": "responses", "endpoint": "openai"}) as stub:
        _, done = await talked(stub, ask())
        await talked(stub, ask(*done.messages))

    within, after = (request["input"] for request in server.requests[1:])
    assert [item["type"] for item in within] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert within[1]["encrypted_content"] == "gAAA"
    assert after[: len(within)] == within


async def test_a_model_that_refuses_the_conversation_is_an_invalid_argument(
    server: ScriptedServer, stub: Any
) -> None:
    server.script.append(refusal(400, {"error": {"message": "no such model: secret-name"}}))

    code, details = await refused(stub, ask())

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("the model refused the conversation; error ")
    assert "secret-name" not in details
