from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.chat.ageing import PREVIEW, age
from broker.chat.kept_results import Kept, KeptResults
from broker.models.model import ChatMessage

LONG = '{"items": [' + ", ".join(map(str, range(1_000))) + "]}"


def turn(number: int, *results: Any) -> list[ChatMessage]:
    """A question, calls with their results, and an answer."""
    ids = [f"call_{number}_{place}" for place, _ in enumerate(results)]
    calls = [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id in ids]
    return [
        {"role": "user", "content": f"question {number}"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *(
            {"role": "tool", "tool_call_id": id, "content": content}
            for id, content in zip(ids, results, strict=True)
        ),
        {"role": "assistant", "content": "answer"},
    ]


def aged(messages: list[ChatMessage], results: KeptResults | None = None, **limits: int) -> list[ChatMessage]:
    kept = KeptResults(1_000_000) if results is None else results
    return age(messages, kept, **{"keep_turns": 2, "max_bytes": 10_000_000, **limits})


def shortened(before: list[ChatMessage], after: list[ChatMessage]) -> list[str]:
    pairs = zip(before, after, strict=True)
    return [old["tool_call_id"] for old, new in pairs if old != new]


@pytest.mark.parametrize(
    ("questions", "old"), [(1, 0), (2, 0), (3, 0), (4, 2), (5, 2), (6, 4), (7, 4), (8, 6)]
)
def test_results_of_old_questions_are_shortened_every_other_question(questions: int, old: int) -> None:
    messages = [message for number in range(questions) for message in turn(number, LONG)]

    assert shortened(messages, aged(messages)) == [f"call_{number}_0" for number in range(old)]


def test_an_old_result_has_a_preview_and_is_read_by_its_handle() -> None:
    results = KeptResults(1_000_000)
    messages = [message for number in range(4) for message in turn(number, LONG)]

    text = aged(messages, results)[2]["content"]

    assert text.startswith(LONG[:PREVIEW])
    assert len(text) < PREVIEW + 150
    assert "read_result with handle=r1" in text
    assert results.get("r1") == Kept(text=LONG, is_json=True)


def test_a_result_that_was_cut_keeps_the_handle_of_the_whole() -> None:
    results = KeptResults(1_000_000)
    results.keep("other", Kept(text="x", is_json=False))
    results.keep("call_0_0", Kept(text="the whole", is_json=False))
    messages = [message for number in range(4) for message in turn(number, LONG)]

    assert "handle=r2" in aged(messages, results)[2]["content"]


def test_what_is_not_kept_any_more_has_the_same_text_as_before() -> None:
    results = KeptResults(len(LONG))
    messages = [message for number in range(8) for message in turn(number, LONG)]

    first = aged(messages, results)

    assert len(results.handles) == 1
    assert aged(messages, results) == first


def test_short_results_stay_as_they_are() -> None:
    messages = [message for number in range(6) for message in turn(number, "short")]

    assert aged(messages) == messages


def test_images_of_old_results_become_words() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": LONG}, image]
    messages = [message for number in range(4) for message in turn(number, content)]

    old = aged(messages)[2]["content"]

    assert [part["type"] for part in old] == ["text", "text"]
    assert len(old[0]["text"]) < PREVIEW + 150
    assert old[1]["text"] == "[an image that is no longer shown]"
    assert messages[2]["content"] == content


def test_too_many_bytes_shorten_the_oldest_until_half_is_left() -> None:
    messages = turn(0, *[LONG] * 4)[:-1] + turn(1, LONG)[1:-1]

    found = aged(messages, max_bytes=len(LONG) * 9 // 2)

    assert shortened(messages, found) == ["call_0_0", "call_0_1", "call_0_2"]


def test_results_that_the_model_has_not_answered_are_never_touched() -> None:
    messages = turn(0, *[LONG] * 5)[:-1]

    assert aged(messages, max_bytes=1) == messages


RESULT = st.sampled_from(["short", LONG, "汉" * 2_000, [{"type": "text", "text": LONG}]])
TURNS = st.lists(st.lists(RESULT, max_size=4), max_size=12)


@settings(deadline=None)
@given(TURNS, st.integers(1, 3), st.integers(1, 30_000))
def test_more_messages_never_make_an_old_result_whole_again(
    turns: list[list[Any]], keep_turns: int, max_bytes: int
) -> None:
    messages: list[ChatMessage] = []
    results, before = KeptResults(10_000_000), list[str]()
    for number, contents in enumerate(turns):
        messages += turn(number, *contents)
        found = aged(messages, results, keep_turns=keep_turns, max_bytes=max_bytes)
        old = shortened(messages, found)
        assert old[: len(before)] == before
        before = old
