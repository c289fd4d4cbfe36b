"""The same conversation, word for word, over both APIs, and from one to the other."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from broker.chat.history import repair
from broker.models.model import KEPT_OUTPUT, ChatMessage, Model, ModelRequest, TextDelta, Turn
from tests.models import responses_events as over_responses
from tests.models import scripted_server as over_chat
from tests.models.scripted_server import Answer, ScriptedServer

Make = Callable[..., Model]
PNG = "data:image/png;base64,iVBORw0KGgo="
IMAGE = {"type": "image_url", "image_url": {"url": PNG}}
TOOLS = [
    {
        "type": "function",
        "function": {"name": name, "description": name, "parameters": {"type": "object"}, "strict": False},
    }
    for name in ("weather", "map")
]
ASKED: list[ChatMessage] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Is it warmer there than in 上海?"}, IMAGE]},
]
# What the model says in each turn: words, and calls as (id, name, arguments).
SCRIPT: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("I look.", [("c1", "weather", '{"city": "北京"}'), ("c2", "map", '{"city": "上海"}')]),
    ("", [("c3", "weather", "{}")]),
    ("Yes, by 3 °C.", []),
]
RESULTS: dict[str, Any] = {
    "c1": '{"celsius": 21}',
    "c2": [{"type": "text", "text": "a map"}, IMAGE],
    "c3": '{"celsius": 18}',
}
APIS = {"chat-completions": "/v1/chat/completions", "responses": "/v1/responses"}


def answer(driver: str, text: str, calls: list[tuple[str, str, str]]) -> Answer:
    """One turn, as the server says it to this driver."""
    if driver == "chat-completions":
        words = over_chat.said(text)[:-1] if text else []
        return over_chat.stream([*words, *over_chat.asked_for(*calls)])
    thought = over_responses.reasoning("gAAA")
    words = [over_responses.said(text)] if text else []
    asked = [over_responses.call(*one) for one in calls]
    return over_responses.sent(over_responses.events([thought, *words, *asked]))


async def play(server: ScriptedServer, models: Iterator[tuple[str, Model]]) -> list[ChatMessage]:
    """Holds the conversation; each turn is asked of the next of `models`."""
    messages = list(ASKED)
    for text, calls in SCRIPT:
        driver, model = next(models)
        server.script.append(answer(driver, text, calls))
        request = ModelRequest(messages=repair(messages), tools=TOOLS)
        *deltas, turn = [item async for item in model.stream(request)]
        assert isinstance(turn, Turn)
        assert "".join(one.text for one in deltas if isinstance(one, TextDelta)) == turn.text == text
        assert [(call.id, call.name, call.arguments) for call in turn.calls] == calls
        # It is saved after each turn, and read again.
        messages.append(orjson.loads(orjson.dumps(turn.message)))
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.id]} for call in turn.calls
        ]
    return messages


def in_words(messages: list[ChatMessage]) -> list[ChatMessage]:
    return [{key: value for key, value in message.items() if key != KEPT_OUTPUT} for message in messages]


EXPECTED: list[ChatMessage] = [
    *ASKED,
    {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in SCRIPT[0][1]
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": RESULTS["c1"]},
    {"role": "tool", "tool_call_id": "c2", "content": RESULTS["c2"]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c3", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c3", "content": RESULTS["c3"]},
    {"role": "assistant", "content": "Yes, by 3 °C."},
]


@pytest.mark.parametrize(
    "drivers",
    [
        ["chat-completions"] * 3,
        ["responses"] * 3,
        ["responses", "chat-completions", "responses"],
        ["chat-completions", "responses", "chat-completions"],
    ],
    ids=" ".join,
)
async def test_the_same_conversation_is_held_by_either_driver_and_by_both_in_turn(
    server: ScriptedServer, model_for: Make, drivers: list[str]
) -> None:
    made = {driver: model_for(driver=driver, endpoint="openai") for driver in APIS}

    messages = await play(server, iter([(driver, made[driver]) for driver in drivers]))

    assert in_words(messages) == EXPECTED
    assert [headers[":path"] for headers in server.headers] == [APIS[driver] for driver in drivers]
    for number, (driver, request) in enumerate(zip(drivers, server.requests, strict=True)):
        # The picture that the user sent is there in each turn; that of the tool from the second on.
        assert str(request).count(PNG) == (1 if number == 0 else 2)
        # Its reasoning is shown to the API that said it, and to no other.
        thought_before = driver == "responses" and "responses" in drivers[:number]
        assert ("gAAA" in str(request)) is thought_before
        assert KEPT_OUTPUT not in str(request)


async def test_the_conversation_goes_on_over_the_other_api_after_a_fallback(
    server: ScriptedServer, model_for: Make
) -> None:
    auto = model_for(driver="auto", endpoint="openai")
    kept = in_words(await play(server, iter([("responses", auto)] * 3)))
    server.script.append(over_chat.refusal(404, {"detail": "Not Found"}))
    server.script.append(over_chat.stream(over_chat.said("Bye.")))

    request = ModelRequest(messages=repair([*kept, {"role": "user", "content": "Bye."}]), tools=TOOLS)
    items = [item async for item in auto.stream(request)]

    assert isinstance(items[-1], Turn)
    assert items[-1].text == "Bye."
