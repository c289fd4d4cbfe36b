"""Rules that hold for all answers, however they are cut."""

import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from broker.models.call_pieces import split_arguments
from broker.models.chunks import Chunks
from broker.models.event_stream import EventStream

NAMES = st.from_regex(r"[a-z]{3,8}_[a-z]{3,8}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(max_size=5), VALUES, min_size=1, max_size=3).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)
CALLS = st.lists(st.tuples(NAMES, ARGUMENTS), min_size=1, max_size=4)
STYLES = ("openai", "ids everywhere", "no index", "one index", "offset", "interleaved")


def cut(data: st.DataObject, text: str) -> list[str]:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


def pieces(number: int, name: str, arguments: list[str], style: str) -> list[dict[str, Any]]:
    """A call as a server of this style sends it."""
    index = {"no index": None, "one index": 0, "offset": number + 3}.get(style, number)
    first, *others = arguments
    head = {
        "index": index,
        "id": f"id_{number}",
        "type": "function",
        "function": {"name": name, "arguments": first},
    }
    if style == "ids everywhere":
        return [{**head, "function": {"name": name, "arguments": text}} for text in arguments]
    return [head, *({"index": index, "function": {"arguments": text}} for text in others)]


@given(data=st.data(), calls=CALLS, style=st.sampled_from(STYLES), text=st.text(max_size=20))
def test_any_cut_of_the_same_calls_gives_the_same_calls(
    data: st.DataObject, calls: list[tuple[str, str]], style: str, text: str
) -> None:
    sent = [
        pieces(number, name, cut(data, arguments), style) for number, (name, arguments) in enumerate(calls)
    ]
    if style == "interleaved":
        turns = [piece for one in sent for piece in one[:1]]
        rest = [one[1:] for one in sent]
        while any(rest):
            turns.append(data.draw(st.sampled_from([one for one in rest if one])).pop(0))
    else:
        turns = [piece for one in sent for piece in one]
    chunks = Chunks()

    said = "".join(chunks.add({"choices": [{"delta": {"content": part}}]}) for part in cut(data, text))
    while turns:
        taken = data.draw(st.integers(1, len(turns)))
        chunks.add({"choices": [{"index": 0, "delta": {"tool_calls": turns[:taken]}}]})
        turns = turns[taken:]
    turn = chunks.turn()

    assert [(call.name, call.arguments) for call in turn.calls] == calls
    assert [call.id for call in turn.calls] == [f"id_{number}" for number in range(len(calls))]
    assert turn.text == said == text
    assert not turn.truncated


@given(st.lists(ARGUMENTS, min_size=2, max_size=5, unique=True), st.sampled_from(["", " ", "\n"]))
def test_objects_one_after_the_other_are_split(objects: list[str], between: str) -> None:
    assert split_arguments(between.join(objects)) == (objects, False)


@given(ARGUMENTS, st.data())
def test_what_is_cut_off_is_seen_to_be_cut_off(arguments: str, data: st.DataObject) -> None:
    start = arguments[: data.draw(st.integers(1, len(arguments) - 1))]

    assert split_arguments(start) == ([start.strip()], True)


@given(st.text(alphabet='{}[]",:\\a1 \n', max_size=40))
def test_only_whole_objects_are_split_off(text: str) -> None:
    texts, breaks_off = split_arguments(text)

    *firsts, last = texts
    assert all(isinstance(orjson.loads(one), dict) for one in firsts)
    assert split_arguments(last) == ([last], breaks_off)


EVENTS = st.lists(st.text(max_size=20).map(lambda text: json.dumps(text).encode()), max_size=5)


@given(EVENTS, st.data(), st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_any_cut_of_a_body_gives_the_same_events(
    events: list[bytes], data: st.DataObject, newline: bytes, ends_well: bool
) -> None:
    parts = [
        b": a comment" + newline + b"event: x" + newline + b"data: " + event + newline for event in events
    ]
    body = newline.join([*parts, b""] if ends_well else parts)
    places = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    reader = EventStream()

    read = [
        event
        for start, end in zip([0, *places], [*places, len(body)], strict=True)
        for event in reader.feed(body[start:end])
    ]

    assert [*read, *reader.end()] == events


def test_an_event_may_have_several_lines_of_data() -> None:
    reader = EventStream()

    assert list(reader.feed(b"data: [1,\ndata:2]\n\n")) == [b"[1,\n2]"]
