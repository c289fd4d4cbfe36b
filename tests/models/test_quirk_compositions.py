"""Any calls × any quirks that go together × any cut: always the same calls, over real HTTP and the real SDK.

The quirks are those that servers were seen to have; what each does alone is in test_quirks.py.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.config.settings import ModelSettings
from broker.models.chat_completions import ChatCompletions
from broker.models.model import ModelRequest, TextDelta, Turn
from broker.models.responses import Responses
from tests.models import responses_events
from tests.models.scripted_server import Answer, event, scripted_server

Ask = Callable[[str, Answer], tuple[str, Turn]]
"""A driver and an answer → the text as it was streamed, and the turn."""


@asynccontextmanager
async def asking() -> AsyncIterator[Callable[[str, Answer], Any]]:
    async with scripted_server() as server:
        known = ModelSettings(name="m", base_url=server.base_url)
        models: dict[str, ChatCompletions | Responses] = {
            "chat-completions": ChatCompletions(known, max_retries=0),
            "responses": Responses(known, max_retries=0),
        }

        async def ask(driver: str, answer: Answer) -> tuple[str, Turn]:
            server.script.append(answer)
            request = ModelRequest(messages=[{"role": "user", "content": "hello"}])
            *deltas, turn = [item async for item in models[driver].stream(request)]
            assert isinstance(turn, Turn)
            return "".join(one.text for one in deltas if isinstance(one, TextDelta)), turn

        yield ask
        for model in models.values():
            await model.close()


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """One server and its clients for all examples."""
    with asyncio.Runner() as runner:
        stack = asking()
        asked = runner.run(stack.__aenter__())
        yield lambda driver, answer: runner.run(asked(driver, answer))
        runner.run(stack.__aexit__(None, None, None))


class Call(NamedTuple):
    name: str
    arguments: str


NAMES = st.from_regex(r"[a-z]{3,6}_[a-z]{3,6}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.text(max_size=5), VALUES, min_size=1, max_size=3)
CALLS = st.lists(
    st.builds(Call, NAMES, ARGUMENTS.map(lambda value: json.dumps(value, ensure_ascii=False))),
    min_size=1,
    max_size=4,
    unique=True,
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
QUIRKS: dict[str, list[Any]] = {
    "index": ["right", "offset", "missing", "null", "zero"],
    "id": ["first", "every", "fresh", "empty", "missing", "same"],
    "name": ["first", "every", "growing", "in pieces"],
    "arguments": ["cut", "whole", "object", "null first", "{} first"],
    "reason": ["tool_calls", "stop", "function_call", "", None],
    "shape": ["deltas", "one chunk", "message", "function_call"],
}


def go_together(quirks: dict[str, Any]) -> bool:
    """Whether anybody could tell which piece belongs to which call."""
    if quirks["shape"] == "function_call":
        return True
    if quirks["id"] == "fresh":
        # A new id with a name is a new call.
        return bool(quirks["name"] == "first")
    if quirks["id"] == "same":
        # What has the same id and no place of its own is the same call.
        return quirks["index"] in ("right", "offset")
    return True


COMPOSITIONS = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in QUIRKS.items()}).filter(
    go_together
)


def cut(data: st.DataObject, text: str) -> list[str]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def pieces(data: st.DataObject, number: int, call: Call, quirks: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of `tool_calls` in which a server with these quirks sends one call."""
    heads = {
        "growing": [call.name[:2], call.name],
        "in pieces": [call.name[: call.name.index("_") + 1], call.name.partition("_")[2]],
    }.get(quirks["name"], [call.name])
    texts = argument_pieces(data, call.arguments, quirks["arguments"])
    functions: list[dict[str, Any]] = [{"name": head, "arguments": ""} for head in heads]
    if quirks["arguments"] in ("whole", "object") and len(heads) == 1:
        functions = []
    repeats = {"name": call.name} if quirks["name"] == "every" else {}
    functions += [{**repeats, "arguments": text} for text in texts]
    functions[0].setdefault("name", call.name)
    sent = [{"type": "function", "function": function} for function in functions]
    for place, piece in enumerate(sent):
        _mark(piece, number, place, quirks)
    return sent


def argument_pieces(data: st.DataObject, arguments: str, quirk: str) -> list[Any]:
    """The arguments as a server with this quirk cuts them."""
    match quirk:
        case "whole":
            return [arguments]
        case "object":
            return [json.loads(arguments)]
        case "null first":
            return [None, *cut(data, arguments)]
        case "{} first":
            return ["{}", arguments]
    return cut(data, arguments)


def _mark(piece: dict[str, Any], number: int, place: int, quirks: dict[str, Any]) -> None:
    """Puts index and id on a piece."""
    match quirks["index"]:
        case "right":
            piece["index"] = number
        case "offset":
            piece["index"] = number + 3
        case "null":
            piece["index"] = None
        case "zero":
            piece["index"] = 0
    match quirks["id"]:
        case "first" if place == 0:
            piece["id"] = f"id_{number}"
        case "every":
            piece["id"] = f"id_{number}"
        case "fresh":
            piece["id"] = f"id_{number}_{place}"
        case "empty":
            piece["id"] = ""
        case "same":
            piece["id"] = "id"


NOISE: list[Any] = [
    {"choices": []},
    {"choices": None},
    {"choices": [], "object": "", "prompt_filter_results": []},
    {"choices": [{"index": 0, "delta": None}]},
    {"choices": [{"index": 0, "content_filter_results": {}}]},
    {"choices": [{"index": 1, "delta": {"content": "not this one"}}]},
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": ""}]},
    {"choices": [{"index": 0, "delta": {"content": "", "tool_calls": None}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": []}}], "created": None, "usage": None},
    {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}, "timings": {}},
    {"object": "ping"},
]


def chunk(delta: Any, reason: Any = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def chat_answer(data: st.DataObject, text: str, calls: Sequence[Call], quirks: dict[str, Any]) -> Answer:
    """What a server with these quirks puts on the wire."""
    sent = [piece for number, call in enumerate(calls) for piece in pieces(data, number, call, quirks)]
    words = [chunk({"content": part}) for part in cut(data, text)]
    end = chunk({}, quirks["reason"])
    match quirks["shape"]:
        case "deltas":
            chunks = [*words, *(chunk({"tool_calls": [piece]}) for piece in sent), end]
        case "one chunk":
            chunks = [*words, chunk({"tool_calls": sent}), end]
        case "message":
            message = {"role": "assistant", "content": text, "tool_calls": sent}
            chunks = [{"choices": [{"message": message, "finish_reason": quirks["reason"]}]}]
        case _:
            old = [{"name": call.name, "arguments": call.arguments} for call in calls]
            chunks = [*words, *(chunk({"function_call": function}) for function in old), end]
    for noise in data.draw(st.lists(st.sampled_from(NOISE), max_size=4)):
        chunks.insert(data.draw(st.integers(0, len(chunks))), noise)
    body = b"".join(map(event, chunks)) + (b"data: [DONE]\n\n" if data.draw(st.booleans()) else b"")
    body = b": keepalive\n\n" + body if data.draw(st.booleans()) else body
    return Answer(blocks=cut_bytes(data, body))


def cut_bytes(data: st.DataObject, body: bytes) -> list[bytes]:
    places = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=5)))
    return [body[start:end] for start, end in itertools.pairwise([0, *places, len(body)])]


def called(turn: Turn) -> list[tuple[str, Any]]:
    return [(call.name, json.loads(call.arguments)) for call in turn.calls]


def expected(calls: Sequence[Call]) -> list[tuple[str, Any]]:
    return [(call.name, json.loads(call.arguments)) for call in calls]


THOROUGH = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@THOROUGH
@given(data=st.data(), text=WORDS, calls=CALLS, quirks=COMPOSITIONS)
def test_the_same_calls_come_out_of_any_quirks_that_go_together(
    ask: Ask, data: st.DataObject, text: str, calls: list[Call], quirks: dict[str, Any]
) -> None:
    streamed, turn = ask("chat-completions", chat_answer(data, text, calls, quirks))

    assert called(turn) == expected(calls)
    assert streamed == turn.text == text
    assert not turn.truncated
    ids = [call.id for call in turn.calls]
    assert len(set(ids)) == len(ids)
    assert all(ids)


@THOROUGH
@given(data=st.data(), calls=CALLS, quirks=COMPOSITIONS)
def test_a_call_that_breaks_off_is_seen_under_any_quirks(
    ask: Ask, data: st.DataObject, calls: list[Call], quirks: dict[str, Any]
) -> None:
    last = calls[-1]
    broken = last.arguments[: data.draw(st.integers(1, len(last.arguments) - 1))]
    quirks = {**quirks, "arguments": "cut"}

    _, turn = ask("chat-completions", chat_answer(data, "", [*calls[:-1], Call(last.name, broken)], quirks))

    assert turn.truncated
    assert called_whole(turn) == expected(calls[:-1])
    assert turn.calls[-1].name == last.name


def called_whole(turn: Turn) -> list[tuple[str, Any]]:
    return [(call.name, json.loads(call.arguments)) for call in turn.calls[:-1]]


@THOROUGH
@given(calls=CALLS, reason=st.sampled_from(["length", "content_filter"]), quirks=COMPOSITIONS, data=st.data())
def test_a_model_that_was_stopped_is_seen_to_be_stopped_under_any_quirks(
    ask: Ask, data: st.DataObject, calls: list[Call], reason: str, quirks: dict[str, Any]
) -> None:
    _, turn = ask("chat-completions", chat_answer(data, "", calls, {**quirks, "reason": reason}))

    assert turn.truncated
    assert called(turn) == expected(calls)


def responses_answer(data: st.DataObject, items: list[dict[str, Any]], quirks: dict[str, Any]) -> Answer:
    """What a server of the Responses API with these quirks puts on the wire."""
    streams = [
        responses_events.of_item(number + quirks["offset"], item, cut(data, body_of(item)))
        for number, item in enumerate(items)
    ]
    sent = [
        one for stream in streams for one in stream if one["type"].split(".")[-1] not in quirks["left out"]
    ]
    for one in sent:
        if quirks["bare"] and one["type"] == "response.output_item.done" and "arguments" in one["item"]:
            one["item"] = {**one["item"], "arguments": ""}
    output = [] if quirks["empty end"] else items
    ends = [{"type": "response.completed", "response": responses_events.response(output)}]
    body = b"".join(map(event, [*sent, *([] if quirks["no end"] else ends)]))
    return Answer(blocks=cut_bytes(data, body))


def body_of(item: dict[str, Any]) -> str:
    return str(item["arguments"] if item["type"] == "function_call" else item["content"][0]["text"])


RESPONSES_QUIRKS = st.fixed_dictionaries(
    {
        "offset": st.sampled_from([0, 1, 7]),
        "left out": st.sampled_from(["", "added", "delta", "done"]),
        "bare": st.booleans(),
        "empty end": st.booleans(),
        "no end": st.booleans(),
    }
).filter(
    # What is said nowhere cannot be known.
    lambda quirks: not (quirks["left out"] == "delta" and quirks["bare"])
)


@THOROUGH
@given(data=st.data(), text=WORDS.filter(bool), calls=CALLS, quirks=RESPONSES_QUIRKS)
def test_the_same_turn_comes_out_of_any_stream_of_responses(
    ask: Ask, data: st.DataObject, text: str, calls: list[Call], quirks: dict[str, Any]
) -> None:
    asked = [responses_events.call(f"id_{n}", *call) for n, call in enumerate(calls)]

    streamed, turn = ask("responses", responses_answer(data, [responses_events.said(text), *asked], quirks))

    assert called(turn) == expected(calls)
    assert [call.id for call in turn.calls] == [f"id_{n}" for n in range(len(calls))]
    assert streamed == turn.text == text
    assert not turn.truncated
