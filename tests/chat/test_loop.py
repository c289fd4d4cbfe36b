"""The loop between a real driver, whose server is scripted, and a real broker before a real backend."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from broker.chat.events import CallFinished, CallStarted, Done, Event, StopReason, TextDelta
from broker.chat.loop import Chat
from broker.dispatch import Broker
from broker.errors import Code, ModelError
from broker.models.model import ChatMessage, ModelRequest, Notice, Turn, Usage
from broker.tool import CallContext, ToolCall, ToolResult
from tests.models.scripted_server import (
    Answer,
    ScriptedServer,
    asked_for,
    chunk,
    event,
    refusal,
    said,
    stream,
)
from tests.servers.probe import Probe

Make = Callable[..., Chat]
HELLO = [{"role": "user", "content": "hello"}]
PREFIX = "probe_v1_ProbeService_"


def calls(*asked: tuple[str, str, dict[str, Any]], **more: Any) -> Answer:
    """An answer that asks for calls, each (id, method, arguments)."""
    return stream(
        asked_for(*((id, PREFIX + method, json.dumps(arguments)) for id, method, arguments in asked), **more)
    )


def echo(call_id: str, text: str) -> tuple[str, str, dict[str, Any]]:
    return (call_id, "Echo", {"text": text})


def wait(call_id: str) -> tuple[str, str, dict[str, Any]]:
    return (call_id, "Wait", {"text": call_id})


async def run(chat: Chat, messages: Sequence[ChatMessage] = HELLO, **more: Any) -> tuple[list[Event], Done]:
    *events, done = [item async for item in chat.run(messages, **more)]
    assert isinstance(done, Done)
    return events, done


def finished(events: Sequence[Event]) -> dict[str, ToolResult]:
    return {one.call.id: one.result for one in events if isinstance(one, CallFinished)}


async def warm(server: ScriptedServer, chat: Chat) -> Chat:
    """The same chat, with all connections made, so that a short deadline is long enough."""
    server.script += [calls(echo("warm", "up")), stream(said("warm"))]
    await run(chat)
    return chat


async def test_an_answer_without_calls_is_streamed_and_done(server: ScriptedServer, chat_with: Make) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    server.script.append(stream([*said("Good ", "morning."), {"choices": [], "usage": usage}]))

    events, done = await run(chat_with())

    assert events == [TextDelta(text="Good "), TextDelta(text="morning.")]
    assert done == Done(
        messages=({"role": "assistant", "content": "Good morning."},),
        stop_reason=StopReason.ANSWERED,
        text="Good morning.",
        usage=Usage(input_tokens=9, output_tokens=2),
        usage_by_turn=(Usage(input_tokens=9, output_tokens=2),),
    )


async def test_calls_are_made_and_their_results_go_back_to_the_model(
    server: ScriptedServer, broker: Broker, chat_with: Make
) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1}}
    first = [*asked_for(("x", PREFIX + "Echo", '{"text": "北京"}')), usage]
    server.script += [stream(first), stream([*said("It says 北京."), usage])]

    events, done = await run(chat_with())

    call = ToolCall(id="x", name=PREFIX + "Echo", arguments='{"text": "北京"}')
    started, ended, text = events
    assert started == CallStarted(call=call)
    assert isinstance(ended, CallFinished)
    assert ended.call == call
    assert ended.seconds > 0
    assert json.loads(ended.result.content)["text"] == "北京"
    assert text == TextDelta(text="It says 北京.")
    assistant, result, answer = done.messages
    assert assistant["tool_calls"][0]["function"] == {"name": call.name, "arguments": call.arguments}
    assert result == {"role": "tool", "tool_call_id": "x", "content": ended.result.content}
    assert answer == {"role": "assistant", "content": "It says 北京."}
    assert done.usage == Usage(input_tokens=10, output_tokens=2)
    assert server.requests[0]["tools"] == broker.catalog.tools(profile="openai")
    assert server.requests[1]["messages"] == [*HELLO, assistant, result]


async def test_the_messages_of_a_run_continue_the_conversation(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [calls(echo("x", "a")), stream(said("a")), stream(said("b"))]
    chat = chat_with()

    _, done = await run(chat)
    await run(chat, [*HELLO, *done.messages, *HELLO])

    assert server.requests[2]["messages"] == [*HELLO, *done.messages, *HELLO]


async def test_parallel_calls_are_in_flight_together_and_answered_in_the_order_of_the_model(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    asked = [wait("a"), wait("b"), echo("c", "c")]
    server.script += [calls(*asked), stream(said("done"))]
    ends = []

    async for one in chat_with().run(HELLO):
        if isinstance(one, Done):
            done = one
        elif isinstance(one, CallFinished):
            ends.append(one.call.id)
            if ends == ["c"]:
                # Both others are at the backend, and it answers neither before this.
                await probe[0].waiting.acquire()
                await probe[0].waiting.acquire()
                probe[0].let_go.set()

    assert probe[0].max_in_flight == 2
    assert ends[0] == "c"
    assert server.requests[1]["messages"] == [*HELLO, *done.messages[:-1]]
    results = [message for message in done.messages if message["role"] == "tool"]
    assert [message["tool_call_id"] for message in results] == ["a", "b", "c"]
    assert [json.loads(message["content"])["text"] for message in results] == ["a", "b", "c"]


async def test_no_more_calls_are_in_flight_than_allowed(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(*map(wait, "abcde")), stream(said("done"))]
    task = asyncio.create_task(run(chat_with(max_parallel_calls=2)))
    await probe[0].waiting.acquire()
    await probe[0].waiting.acquire()
    probe[0].let_go.set()

    events, _ = await task

    assert probe[0].max_in_flight == 2
    assert len(finished(events)) == 5


@pytest.mark.parametrize(
    ("asked", "code", "told"),
    [
        pytest.param(("x", "Fail", {"code": 5, "message": "gone"}), Code.NOT_FOUND, "gone", id="a status"),
        pytest.param(
            ("x", "Echo", {"txt": "a"}), Code.INVALID_ARGUMENT, 'Did you mean "text"', id="arguments"
        ),
        pytest.param(("x", "Ecoh", {}), Code.NOT_FOUND, PREFIX + "Echo", id="an unknown tool"),
    ],
)
async def test_a_failed_call_goes_back_to_the_model_beside_the_others(
    server: ScriptedServer, chat_with: Make, asked: tuple[str, str, dict[str, Any]], code: Code, told: str
) -> None:
    server.script += [calls(asked, echo("y", "fine")), stream(said("done"))]

    events, done = await run(chat_with())

    results = finished(events)
    assert results["x"].code is code
    assert not results["y"].is_error
    sent = server.requests[1]["messages"][-2:]
    assert told in sent[0]["content"]
    assert "fine" in sent[1]["content"]
    assert done.stop_reason is StopReason.ANSWERED


async def test_a_call_that_was_cut_off_is_not_made(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [
        calls(echo("x", "whole"), echo("y", "cut?"), finish_reason="length"),
        stream(asked_for(("z", PREFIX + "Echo", '{"text": "cut'))),
        stream(said("done")),
    ]

    events, done = await run(chat_with())

    assert probe[0].seen == ["Echo"]
    results = finished(events)
    assert not results["x"].is_error
    for id in "yz":
        assert results[id].code is Code.INVALID_ARGUMENT
        assert "was cut off" in results[id].content
    assert [one.call.id for one in events if isinstance(one, CallStarted)] == ["x"]
    assert done.stop_reason is StopReason.ANSWERED
    # Servers that read the arguments of old calls get an object for the half one.
    assert server.requests[2]["messages"][-2]["tool_calls"][0]["function"]["arguments"] == "{}"


async def test_in_the_last_turn_the_model_must_answer(server: ScriptedServer, chat_with: Make) -> None:
    server.script += [calls(echo("x", "a")), calls(echo("y", "b")), stream(said("That is all."))]

    _, done = await run(chat_with(max_turns=3))

    assert [request.get("tool_choice") for request in server.requests] == [None, None, "none"]
    assert all(request["tools"] for request in server.requests)
    assert done.stop_reason is StopReason.ANSWERED
    assert done.text == "That is all."


async def test_calls_of_the_last_turn_are_not_made(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script.append(
        stream([chunk({"content": "Let me see."}), *asked_for(("x", PREFIX + "Echo", "{}"))])
    )

    events, done = await run(chat_with(max_turns=1))

    assert done.stop_reason is StopReason.MAX_TURNS
    assert done.text == "Let me see."
    assert probe[0].seen == []
    assert finished(events)["x"].code is Code.RESOURCE_EXHAUSTED
    assert [message["role"] for message in done.messages] == ["assistant", "tool"]
    assert "not made" in done.messages[1]["content"]


@pytest.mark.parametrize(
    ("messages", "first"),
    [
        pytest.param(HELLO, {"role": "system", "content": "Be brief."}, id="put first"),
        pytest.param(
            [{"role": "system", "content": "Mine."}, *HELLO],
            {"role": "system", "content": "Mine."},
            id="system there",
        ),
        pytest.param(
            [{"role": "developer", "content": "Mine."}, *HELLO],
            {"role": "system", "content": "Mine."},
            id="developer there",
        ),
    ],
)
async def test_the_system_message_is_put_first_where_there_is_none(
    server: ScriptedServer, chat_with: Make, messages: list[ChatMessage], first: ChatMessage
) -> None:
    server.script.append(stream(said("a")))

    _, done = await run(chat_with(system="Be brief."), messages)

    sent = server.requests[0]["messages"]
    assert sent[0] == first
    assert sent[-1:] == HELLO
    assert [message["role"] for message in sent].count(first["role"]) == 1
    assert [message["role"] for message in done.messages] == ["assistant"]


async def test_a_broken_history_is_repaired_before_it_is_sent(
    server: ScriptedServer, chat_with: Make
) -> None:
    function = {"name": "f", "arguments": "{}"}
    left = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "x", "type": "function", "function": function}],
    }
    stray = {"role": "tool", "tool_call_id": "y", "content": "nobody asked"}
    server.script.append(stream(said("a")))

    await run(chat_with(), [*HELLO, left, *HELLO, stray])

    roles = [message["role"] for message in server.requests[0]["messages"]]
    assert roles == ["user", "assistant", "tool", "user"]
    assert "interrupted" in server.requests[0]["messages"][2]["content"]


async def test_an_id_of_an_earlier_turn_is_not_used_again(server: ScriptedServer, chat_with: Make) -> None:
    server.script += [calls(echo("call_0", "a")), calls(echo("call_0", "b")), stream(said("done"))]

    _, done = await run(chat_with())

    ids = [message["tool_call_id"] for message in done.messages if message["role"] == "tool"]
    assert ids[0] == "call_0"
    assert ids[1] != "call_0"
    assert server.requests[2]["messages"] == [*HELLO, *done.messages[:-1]]


async def test_the_context_goes_along_with_each_call(server: ScriptedServer, chat_with: Make) -> None:
    server.script += [calls(echo("x", "a")), stream(said("done"))]
    context = CallContext(deadline=time.monotonic() + 7, metadata=(("x-request-id", "r1"),))

    events, _ = await run(chat_with(), context=context)

    response = json.loads(finished(events)["x"].content)
    assert "x-request-id=r1" in response["metadata"]
    assert 0 < response["time_remaining"] <= 7


async def test_the_deadline_ends_a_run_while_the_model_speaks(
    server: ScriptedServer, chat_with: Make
) -> None:
    chat = await warm(server, chat_with())
    server.script.append(Answer(blocks=[event(chunk({"content": "Well, "})), asyncio.Event()]))

    events, done = await run(chat, context=CallContext(deadline=time.monotonic() + 0.5))

    assert events == [TextDelta(text="Well, ")]
    assert done.stop_reason is StopReason.TIMEOUT
    assert done.text == "Well, "
    assert done.messages == ({"role": "assistant", "content": "Well, "},)
    await server.gone.wait()


async def test_the_deadline_ends_a_run_before_the_model_has_said_anything(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script.append(Answer(blocks=[asyncio.Event()]))

    _, done = await run(chat_with(), context=CallContext(deadline=time.monotonic() + 0.1))

    assert (done.stop_reason, done.text, done.messages) == (StopReason.TIMEOUT, "", ())


async def test_the_deadline_ends_a_run_while_calls_are_made_and_keeps_what_there_is(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    chat = await warm(server, chat_with())
    server.script.append(calls(echo("x", "a"), wait("y")))

    events, done = await run(chat, context=CallContext(deadline=time.monotonic() + 0.5))

    await probe[0].cancelled.acquire()
    assert done.stop_reason is StopReason.TIMEOUT
    assert [message["role"] for message in done.messages] == ["assistant", "tool", "tool"]
    results = finished(events)
    assert not results["x"].is_error
    assert results["y"].code is Code.DEADLINE_EXCEEDED
    assert not server.script
    assert len(server.requests) == 3


async def test_closing_the_generator_cancels_the_calls_at_the_backend(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script.append(calls(wait("x"), wait("y")))

    async with aclosing(chat_with().run(HELLO)) as events:
        assert isinstance(await anext(events), CallStarted)
        await probe[0].waiting.acquire()
        await probe[0].waiting.acquire()

    await probe[0].cancelled.acquire()
    await probe[0].cancelled.acquire()
    assert len(server.requests) == 1


async def test_closing_the_generator_ends_the_request_to_the_model(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script.append(Answer(blocks=[event(chunk({"content": "a"})), asyncio.Event()]))

    async with aclosing(chat_with().run(HELLO)) as events:
        assert await anext(events) == TextDelta(text="a")

    await server.gone.wait()


async def test_cancelling_the_task_cancels_the_calls_at_the_backend(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script.append(calls(wait("x"), wait("y")))
    task = asyncio.create_task(run(chat_with()))
    await probe[0].waiting.acquire()
    await probe[0].waiting.acquire()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await probe[0].cancelled.acquire()
    await probe[0].cancelled.acquire()


async def test_a_failure_of_the_model_is_raised_and_nothing_is_called_twice(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(echo("x", "a")), refusal(500, {"error": {"message": "overloaded"}})]

    with pytest.raises(ModelError, match="overloaded"):
        await run(chat_with())

    assert probe[0].seen == ["Echo"]


class Odd:
    """A model that says what it is told to, and remembers what it was asked."""

    name = "odd"
    profile = "mcp"
    max_tools = None

    def __init__(self, *items: TextDelta | Notice | Turn) -> None:
        self.items = items
        self.offered: Sequence[Mapping[str, Any]] = ()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        self.offered = request.tools
        for item in self.items:
            yield item


async def test_a_model_gets_the_tools_in_its_own_profile(broker: Broker) -> None:
    model = Odd(Turn(text="a", calls=(), message={"role": "assistant", "content": "a"}))

    _, done = await run(Chat(broker, model))

    assert model.offered == broker.catalog.tools(profile="mcp")
    assert done.text == "a"


async def test_what_a_model_lets_the_user_know_is_an_event_and_not_its_text(broker: Broker) -> None:
    notice = Notice(text="asked without reasoning")
    model = Odd(notice, Turn(text="a", calls=(), message={"role": "assistant", "content": "a"}))

    events, done = await run(Chat(broker, model))

    assert notice in events
    assert done.text == "a"


async def test_a_model_that_stops_without_a_turn_is_an_error(broker: Broker) -> None:
    with pytest.raises(ModelError, match="without a whole turn"):
        await run(Chat(broker, Odd(TextDelta(text="a"))))
