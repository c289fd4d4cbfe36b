"""The same conversation through the loop, with calls, approval and resume, over both of OpenAI's APIs."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from broker import assembly
from broker.chat.decisions import Approve
from broker.chat.events import ApprovalNeeded, CallFinished, CallStarted, ClientCall, Done, Event, TextDelta
from broker.chat.loop import Chat
from broker.chat.options import RunOptions
from broker.config.settings import Settings
from broker.dispatch import Broker
from broker.models.model import KEPT_OUTPUT, ChatMessage
from broker.state.checkpoints import Checkpoints
from broker.state.memory import MemoryStore
from broker.tool import ToolResult
from tests.chat.conversation import ALICE, HELLO, PREFIX, ended
from tests.models import responses_events as over_responses
from tests.models import scripted_server as over_chat
from tests.models.scripted_server import Answer, ScriptedServer
from tests.servers.probe import Probe

Call = tuple[str, str, str]
ECHO, DANGEROUS, LOCATE = f"{PREFIX}Echo", f"{PREFIX}Dangerous", "locate"
OWN = {"type": "function", "function": {"name": LOCATE, "parameters": {"type": "object", "properties": {}}}}
OPTIONS = RunOptions(tools=(OWN,), tool_choice="required", parameters={"temperature": 0})
# What the model says in each turn: words, and calls as (id, name, arguments).
SCRIPT: list[tuple[str, list[Call]]] = [
    ("I look.", [("c1", ECHO, '{"text": "北京"}'), ("c2", ECHO, '{"txt": "a"}')]),
    ("", [("c3", DANGEROUS, '{"text": "to all"}'), ("c4", LOCATE, "{}")]),
    ("It is 3 °C in Oslo.", []),
]
APIS = {"chat-completions": "/v1/chat/completions", "responses": "/v1/responses"}


def answer(driver: str, text: str, calls: Sequence[Call]) -> Answer:
    """One turn, as the server says it to this driver."""
    if driver == "chat-completions":
        words = over_chat.said(text)[:-1] if text else []
        last = over_chat.asked_for(*calls) if calls else over_chat.said()
        usage = {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
        return over_chat.stream([*words, *last, usage])
    items = [over_responses.reasoning("gAAA")]
    items += [over_responses.said(text)] if text else []
    items += [over_responses.call(*one) for one in calls]
    counted = {"input_tokens": 10, "output_tokens": 5}
    return over_responses.sent(over_responses.events(items, usage=counted))


@pytest.fixture
def chat_over(
    server: ScriptedServer, probe: tuple[Probe, int], broker: Broker, settings_for: Callable[..., Settings]
) -> Callable[..., Any]:
    """Opens a Chat with a driver; all take up the same runs."""
    checkpoints = Checkpoints(MemoryStore())

    @asynccontextmanager
    async def opened(driver: str) -> AsyncIterator[Chat]:
        known = {"name": "m", "base_url": server.base_url, "api_key": "k", "endpoint": "openai"}
        async with assembly.open_model(settings_for(probe[1], model={**known, "driver": driver})) as model:
            yield Chat(broker, model, checkpoints=checkpoints)

    return opened


def in_words(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    return [{key: value for key, value in message.items() if key != KEPT_OUTPUT} for message in messages]


def told(events: Sequence[Event]) -> list[tuple[str, str]]:
    """What happened and to which call; pieces of text are one."""
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    happened = [
        (type(event).__name__, event.call.id)
        for event in events
        if isinstance(event, CallStarted | CallFinished | ApprovalNeeded | ClientCall)
    ]
    return [("text", text), *happened]


async def held(
    server: ScriptedServer, chat_over: Callable[..., Any], before: str, after: str
) -> tuple[list[Event], Done, list[Event], Done]:
    """The conversation until it waits over one API, and from there over the same or the other."""
    server.script += [answer(before, *turn) for turn in SCRIPT[:2]]
    server.script += [answer(after, *turn) for turn in SCRIPT[2:]]
    async with chat_over(before) as chat:
        events, half = await ended(chat.run(HELLO, options=OPTIONS, context=ALICE))
    assert half.state is not None
    located = ToolResult(call_id="c4", content="Oslo")
    decisions = [Approve(call_id="c3", arguments='{"text": "to me"}')]
    async with chat_over(after) as chat:
        run = chat.resume(half.state, decisions=decisions, results=[located], context=ALICE)
        return events, half, *await ended(run)


@pytest.mark.parametrize("after", APIS)
@pytest.mark.parametrize("before", APIS)
async def test_a_conversation_with_calls_approval_and_resume_is_the_same_over_both_apis(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    chat_over: Callable[..., Any],
    before: str,
    after: str,
) -> None:
    events, half, more, done = await held(server, chat_over, before, after)

    assert told(events) == [
        ("text", "I look."),
        ("CallFinished", "c2"),
        ("CallStarted", "c1"),
        ("CallFinished", "c1"),
        ("ApprovalNeeded", "c3"),
        ("ClientCall", "c4"),
    ]
    assert told(more) == [
        ("text", "It is 3 °C in Oslo."),
        ("CallFinished", "c4"),
        ("CallStarted", "c3"),
        ("CallFinished", "c3"),
    ]
    assert probe[0].seen == ["Echo", "Dangerous"]
    messages = in_words(done.messages)
    assert [message.get("tool_call_id") for message in messages] == [None, "c1", "c2", None, "c3", "c4", None]
    assert [
        [call["function"]["arguments"] for call in message["tool_calls"]]
        for message in messages
        if message.get("tool_calls")
    ] == [['{"text": "北京"}', '{"txt": "a"}'], ['{"text": "to all"}', "{}"]]
    assert json.loads(messages[1]["content"])["text"] == "北京"
    assert 'Did you mean "text"?' in messages[2]["content"]
    assert '"text":"to me"' in messages[4]["content"]
    assert messages[5:] == [
        {"role": "tool", "tool_call_id": "c4", "content": "Oslo"},
        {"role": "assistant", "content": "It is 3 °C in Oslo."},
    ]
    assert (half.stop_reason, done.stop_reason, done.text) == ("waiting", "answered", "It is 3 °C in Oslo.")
    assert [(one.input_tokens, one.output_tokens) for one in done.usage_by_turn] == [(10, 5)] * 3


@pytest.mark.parametrize("after", APIS)
@pytest.mark.parametrize("before", APIS)
async def test_each_api_is_asked_the_same_in_its_own_words(
    server: ScriptedServer, chat_over: Callable[..., Any], before: str, after: str
) -> None:
    await held(server, chat_over, before, after)

    assert [headers[":path"] for headers in server.headers] == [APIS[before], APIS[before], APIS[after]]
    assert [request.get("tool_choice") for request in server.requests] == ["required", None, None]
    assert [request["temperature"] for request in server.requests] == [0, 0, 0]
    names = [[tool.get("function", tool)["name"] for tool in request["tools"]] for request in server.requests]
    assert names[0] == names[1] == names[2]
    assert names[0][-1] == LOCATE
    # What the model thought is shown to the API that said it, and to no other, also after the pause.
    thoughts = [str(request).count("gAAA") for request in server.requests]
    by_responses = before == "responses"
    assert thoughts == [0, int(by_responses), 2 if by_responses and after == "responses" else 0]
