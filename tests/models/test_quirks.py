"""Each way in which servers deviate, put on the wire and read through the real SDK."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.models.model import Model, ModelRequest, TextDelta, Turn
from tests.models.scripted_server import ScriptedServer, asked_for, chunk, said, stream

HELLO = [{"role": "user", "content": "hello"}]


def piece(arguments: Any = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    """A member of `tool_calls`."""
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not None}
    return {"function": function, **more}


def deltas(*pieces: dict[str, Any], finish_reason: str | None = "tool_calls") -> list[dict[str, Any]]:
    return [*(chunk({"tool_calls": [one]}) for one in pieces), chunk({}, finish_reason)]


async def ask(model: Model, messages: list[dict[str, Any]] | None = None) -> tuple[str, Turn]:
    """The text as it was streamed, and the turn, which is the last item."""
    request = ModelRequest(messages=HELLO if messages is None else messages)
    items = [item async for item in model.stream(request)]
    *pieces, turn = items
    assert isinstance(turn, Turn)
    assert all(isinstance(one, TextDelta) for one in pieces)
    return "".join(one.text for one in pieces if isinstance(one, TextDelta)), turn


TWO = [("f", '{"a": 1}'), ("g", '{"b": 2}')]
SAME = [("f", '{"a": 1}'), ("f", '{"a": 2}')]
CALLS = [
    pytest.param(asked_for(("x", "f", '{"a": 1}'), ("y", "g", '{"b": 2}')), TWO, id="as OpenAI sends it"),
    pytest.param(
        deltas(
            piece("", "f", id="x"), piece('{"a"'), piece(": 1}"), piece("", "g", id="y"), piece('{"b": 2}')
        ),
        TWO,
        id="no index",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f"), piece('{"b": 2}', "g")),
        TWO,
        id="no index and no id, each in one piece",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f"), piece('{"a": 2}', "f")),
        SAME,
        id="no index and no id, the same tool twice",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", id="x", index=0), piece('{"b": 2}', "g", id="y", index=0)),
        TWO,
        id="one index for all, each in one piece",
    ),
    pytest.param(
        deltas(
            piece("", "f", id="x", index=0),
            piece('{"a": 1}', index=0),
            piece("", "g", id="y", index=0),
            piece('{"b": 2}', index=0),
        ),
        TWO,
        id="one index for all, in pieces",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", index=0), piece('{"b": 2}', "g", index=0)),
        TWO,
        id="one index for all and no id",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", id="x", index=1), piece('{"b": 2}', "g", id="y", index=2)),
        TWO,
        id="an index that begins at 1",
    ),
    pytest.param(
        deltas(
            piece('{"a"', "f", id="x", index=0),
            piece('{"b"', "g", id="y", index=1),
            piece(": 1}", index=0),
            piece(": 2}", index=1),
        ),
        TWO,
        id="interleaved",
    ),
    pytest.param(
        deltas(*(piece(text, "f", id="x", index=0) for text in ("", '{"a"', ": 1}", ""))),
        TWO[:1],
        id="id and name in each piece",
    ),
    pytest.param(
        deltas(*(piece(text, "f", id="x") for text in ("", '{"a"', ": 1}", ""))),
        TWO[:1],
        id="id and name in each piece, no index",
    ),
    pytest.param(
        deltas(
            piece("", "f", id="1", index=0), piece('{"a"', id="2", index=0), piece(": 1}", id="3", index=0)
        ),
        TWO[:1],
        id="a new id for each piece",
    ),
    pytest.param(
        deltas(piece("", "f", id="1"), piece('{"a"', id="2"), piece(": 1}", id="3")),
        TWO[:1],
        id="a new id for each piece, no index",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", id="1", index=0), piece('{"a": 2}', id="2", index=0)),
        SAME,
        id="two objects with two ids and one name",
    ),
    pytest.param(
        deltas(piece("", "get_", id="x", index=0), piece("", "weather", index=0), piece("{}", index=0)),
        [("get_weather", "{}")],
        id="a name in pieces",
    ),
    pytest.param(
        deltas(piece("", "get_", id="x", index=0), piece("", "get_weather", index=0), piece("{}", index=0)),
        [("get_weather", "{}")],
        id="a name as far as it is known",
    ),
    pytest.param(
        deltas(piece({"a": 1}, "f", id="x", index=0)), [("f", '{"a":1}')], id="arguments that are an object"
    ),
    pytest.param(
        [
            chunk({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": None}}]}),
            *deltas(piece('{"a": 1}', index=0)),
        ],
        TWO[:1],
        id="null arguments and then text",
    ),
    pytest.param(deltas(piece(None, "f", id="x", index=0)), [("f", "{}")], id="no arguments"),
    pytest.param(deltas(piece("  ", "f", id="x", index=0)), [("f", "{}")], id="blank arguments"),
    pytest.param(deltas(piece('{"a": 1}{"a": 2}', "f", id="x", index=0)), SAME, id="two objects in one call"),
    pytest.param(
        deltas(piece("{}", "f", id="x", index=0), piece('{"a": 1}', index=0)),
        TWO[:1],
        id="{} before the arguments",
    ),
    pytest.param(deltas(piece("{}{}", "f", id="x", index=0)), [("f", "{}")], id="{} twice"),
    pytest.param(
        deltas(piece('{"a": 1}\n{"a": 1}', "f", id="x", index=0)), TWO[:1], id="one object twice in one call"
    ),
    pytest.param(
        [
            chunk({"tool_calls": [piece("", "f", id="x", index=0), piece('{"a"', index=0)]}),
            *deltas(piece(": 1}", index=0)),
        ],
        TWO[:1],
        id="two pieces for one index in one chunk",
    ),
    pytest.param(
        [
            chunk({"function_call": {"name": "f", "arguments": ""}}),
            chunk({"function_call": {"arguments": '{"a": 1}'}}),
            chunk({}, "function_call"),
        ],
        TWO[:1],
        id="the old function_call",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", id="x", index=0), finish_reason="stop"),
        TWO[:1],
        id="finish_reason stop",
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", id="x", index=0), finish_reason=None), TWO[:1], id="no finish_reason"
    ),
    pytest.param(
        deltas(piece('{"a": 1}', "f", id="x", index=0), finish_reason=""),
        TWO[:1],
        id="an empty finish_reason",
    ),
    pytest.param(
        [
            {"choices": [], "object": "", "prompt_filter_results": []},
            {"choices": None},
            chunk(None),
            {"choices": [{"index": 0, "content_filter_results": {}}]},
            {"choices": [{"index": 1, "delta": {"content": "not this one"}}]},
            *asked_for(("x", "f", '{"a": 1}')),
        ],
        TWO[:1],
        id="no choices, a null delta, no delta, another choice",
    ),
    pytest.param(
        [
            chunk(
                {"tool_calls": [None, "x", {"index": 0}, {"function": None}, piece('{"a": 1}', "f", id="x")]}
            ),
            "not a chunk",
            chunk({"tool_calls": "none"}, "stop"),
        ],
        TWO[:1],
        id="things that are no pieces",
    ),
]


@pytest.mark.parametrize(("chunks", "calls"), CALLS)
async def test_calls_are_put_together(
    server: ScriptedServer,
    model_for: Callable[..., Model],
    chunks: list[Any],
    calls: list[tuple[str, str]],
) -> None:
    server.script.append(stream(chunks))

    text, turn = await ask(model_for())

    assert [(call.name, call.arguments) for call in turn.calls] == calls
    assert len({call.id for call in turn.calls}) == len(calls)
    assert all(call.id for call in turn.calls)
    assert not turn.truncated
    assert text == turn.text == ""
    assert turn.message["content"] is None
    assert turn.message["tool_calls"] == [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in turn.calls
    ]


@pytest.mark.parametrize(
    ("chunks", "kept"),
    [
        pytest.param(deltas(piece("{}", "f", id="x", index=0)), ["x"], id="the server's own"),
        pytest.param(deltas(piece("{}", "f", id="", index=0)), [None], id="empty"),
        pytest.param(
            deltas(piece("{}", "f", id="x", index=0), piece("{}", "g", id="x", index=1)),
            ["x", None],
            id="twice",
        ),
        pytest.param(deltas(piece('{"a":1}{"a":2}', "f", id="x", index=0)), ["x", None], id="split"),
        pytest.param(deltas(piece("{}", "f", id="old", index=0)), [None], id="that of an earlier turn"),
    ],
)
async def test_an_id_that_cannot_be_used_is_replaced(
    server: ScriptedServer,
    model_for: Callable[..., Model],
    chunks: list[Any],
    kept: list[str | None],
) -> None:
    server.script.append(stream(chunks))
    earlier = {
        "role": "assistant",
        "tool_calls": [{"id": "old", "function": {"name": "f", "arguments": "{}"}}],
    }

    _, turn = await ask(model_for(), [*HELLO, earlier])

    for call, id in zip(turn.calls, kept, strict=True):
        if id is None:
            assert call.id.startswith("call_")
            assert len(call.id) == len("call_") + 24
        else:
            assert call.id == id


TRUNCATED = [
    pytest.param(asked_for(("x", "f", "{}"), ("y", "g", '{"b": '), finish_reason="length"), id="length"),
    pytest.param(
        asked_for(("x", "f", "{}"), ("y", "g", '{"b": 1}'), finish_reason="length"), id="length, whole"
    ),
    pytest.param(
        asked_for(("x", "f", "{}"), ("y", "g", '{"b": "c'), finish_reason="tool_calls"), id="hidden"
    ),
    pytest.param(asked_for(("x", "f", "{}"), ("y", "g", '{"b": [')), id="no reason"),
    pytest.param(asked_for(("x", "f", '{"a": 1}{"a": "{'), finish_reason="stop"), id="in the second object"),
    pytest.param(asked_for(("x", "f", "{}"), finish_reason="content_filter"), id="content_filter"),
]


@pytest.mark.parametrize("chunks", TRUNCATED)
async def test_a_turn_whose_last_call_is_not_whole_is_truncated(
    server: ScriptedServer, model_for: Callable[..., Model], chunks: list[Any]
) -> None:
    server.script.append(stream(chunks))

    _, turn = await ask(model_for())

    assert turn.truncated
    assert turn.calls


@pytest.mark.parametrize(
    "arguments", ["{'a': 1}", '{"a": NaN}', '{"a": 1}}', '{"a": 1} and so on', "[1]{2}", '"text"', "{]", "]{"]
)
async def test_arguments_that_are_wrong_but_not_cut_off_are_left_to_the_broker(
    server: ScriptedServer, model_for: Callable[..., Model], arguments: str
) -> None:
    server.script.append(stream(asked_for(("x", "f", arguments))))

    _, turn = await ask(model_for())

    assert [call.arguments for call in turn.calls] == [arguments]
    assert not turn.truncated


TEXTS = [
    pytest.param(said("Good ", "morning"), "Good morning", id="as OpenAI sends it"),
    pytest.param(
        [chunk({"content": "a"}), chunk({"content": None}), chunk({}, "stop")], "a", id="null content"
    ),
    pytest.param([chunk({"content": "a"})], "a", id="no finish_reason"),
    pytest.param(
        [chunk({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, "b"]})],
        "a",
        id="parts",
    ),
    pytest.param(
        [chunk({"refusal": "I will"}), chunk({"refusal": " not."}, "stop")], "I will not.", id="refusal"
    ),
    pytest.param(
        [chunk({"content": "a", "logprobs": float("nan")}, "stop")], "a", id="NaN, which is no JSON"
    ),
    pytest.param(
        [*said("a"), {"choices": [{"message": {"content": "a"}}]}], "a", id="the whole message again"
    ),
    pytest.param([chunk({}, "stop")], "", id="nothing"),
]


@pytest.mark.parametrize(("chunks", "text"), TEXTS)
async def test_text_is_streamed_and_put_together(
    server: ScriptedServer, model_for: Callable[..., Model], chunks: list[Any], text: str
) -> None:
    server.script.append(stream(chunks))

    streamed, turn = await ask(model_for())

    assert streamed == turn.text == text
    assert not turn.calls
    assert "tool_calls" not in turn.message


async def test_an_emoji_that_is_cut_in_two_is_whole_in_the_turn(
    server: ScriptedServer, model_for: Callable[..., Model]
) -> None:
    words = [chunk({"content": half}) for half in ("\ud83c", "\udf27")]
    calls = deltas(piece('{"a": "\ud83c', "f", id="x", index=0), piece('\udf27"}', index=0))
    server.script.append(stream([*words, *calls]))

    streamed, turn = await ask(model_for())

    assert turn.text == turn.message["content"] == "🌧"
    assert turn.calls[0].arguments == '{"a": "🌧"}'
    assert streamed == "\ufffd\ufffd"


async def test_what_the_server_wants_to_see_again_is_kept_in_the_message(
    server: ScriptedServer, model_for: Callable[..., Model]
) -> None:
    signature = {"google": {"thought_signature": "s"}}
    server.script.append(
        stream(
            [
                chunk({"role": "assistant", "reasoning_content": "It ", "annotations": []}),
                chunk({"reasoning_content": "rains.", "details": [{"n": 1}], "more": {"a": 1}, "odd": 1}),
                chunk({"details": [{"n": 2}], "more": {"b": 2}, "odd": "x", "nothing": None}),
                *deltas({**piece("{}", "f", id="x", index=0), "extra_content": signature}),
            ]
        )
    )

    _, turn = await ask(model_for())

    function = {"name": "f", "arguments": "{}"}
    assert turn.message == {
        "role": "assistant",
        "content": None,
        "reasoning_content": "It rains.",
        "details": [{"n": 1}, {"n": 2}],
        "more": {"a": 1, "b": 2},
        "odd": "x",
        "tool_calls": [{"id": "x", "type": "function", "function": function, "extra_content": signature}],
    }


@pytest.mark.parametrize(
    ("usages", "counted"),
    [
        pytest.param([{"prompt_tokens": 7, "completion_tokens": 3}], (7, 3), id="in the last chunk"),
        pytest.param(
            [
                {"prompt_tokens": 7, "completion_tokens": 1},
                {"prompt_tokens": 7, "completion_tokens": 2},
                None,
            ],
            (7, 2),
            id="so far, in each chunk",
        ),
        pytest.param([None], (0, 0), id="none"),
        pytest.param([{"prompt_tokens": "7", "completion_tokens": -3}], (0, 0), id="no numbers"),
    ],
)
async def test_usage_is_what_the_server_counted_last(
    server: ScriptedServer,
    model_for: Callable[..., Model],
    usages: list[Any],
    counted: tuple[int, int],
) -> None:
    server.script.append(stream([*said("a"), *({"choices": [], "usage": usage} for usage in usages)]))

    _, turn = await ask(model_for())

    assert (turn.usage.input_tokens, turn.usage.output_tokens) == counted
