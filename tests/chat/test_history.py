import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.chat.history import INTERRUPTED, repair
from broker.models.model import ChatMessage

IDS = st.sampled_from(["a", "b", "c", ""])
CALL = st.builds(
    lambda call_id, name, arguments: {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    },
    IDS,
    st.sampled_from(["f", "functions.f", "", "天气", "x" * 80]),
    st.sampled_from(["{}", '{"a": 1}', "", '{"a": ', "[]", "null", None]),
)
MESSAGE = st.one_of(
    st.just({"role": "user", "content": "u"}),
    st.builds(lambda text: {"role": "assistant", "content": text}, st.sampled_from(["t", "", None])),
    st.builds(
        lambda calls, text: {"role": "assistant", "content": text, "tool_calls": calls},
        st.lists(CALL, max_size=3),
        st.sampled_from(["t", None]),
    ),
    st.builds(
        lambda call_id, text: {"role": "tool", "tool_call_id": call_id, "content": text},
        IDS,
        st.text(max_size=3),
    ),
)
CONVERSATION = st.lists(MESSAGE, max_size=12)


@given(CONVERSATION)
def test_after_repair_each_call_has_exactly_one_result_right_after_it(messages: list[ChatMessage]) -> None:
    repaired = repair(messages)

    waiting: list[str] = []
    ids: list[str] = []
    for message in repaired:
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        waiting = [call["id"] for call in message.get("tool_calls", ())]
        ids += waiting
    assert not waiting
    assert len(set(ids)) == len(ids)
    assert all(ids)


@given(CONVERSATION)
def test_after_repair_servers_accept_each_message(messages: list[ChatMessage]) -> None:
    for message in repair(messages):
        if message["role"] == "assistant":
            assert message["content"] or message["tool_calls"]
        for call in message.get("tool_calls", ()):
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            assert 1 <= len(call["function"]["name"]) <= 64
            assert call["function"]["name"].isascii()


@given(CONVERSATION)
def test_what_was_repaired_is_not_changed_again(messages: list[ChatMessage]) -> None:
    repaired = repair(messages)

    assert repair(repaired) == repaired
    assert repair(messages) == repaired


@given(CONVERSATION)
def test_the_given_messages_are_left_as_they_are(messages: list[ChatMessage]) -> None:
    before = json.dumps(messages)

    repair(messages)

    assert json.dumps(messages) == before


def asked(*ids: str) -> ChatMessage:
    function = {"name": "f", "arguments": '{"a": 1}'}
    calls = [{"id": id, "type": "function", "function": function, "extra_content": {"s": 1}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": "r"}


def answered(call_id: str, text: str = "r") -> ChatMessage:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


USER: ChatMessage = {"role": "user", "content": "u"}


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([], id="empty"),
        pytest.param(
            [{"role": "system", "content": "s"}, USER, {"role": "assistant", "content": "a"}], id="words"
        ),
        pytest.param([USER, asked("a", "b"), answered("a"), answered("b"), USER], id="calls"),
        pytest.param([{"role": "assistant", "content": None, "refusal": "no"}], id="refusal"),
    ],
)
def test_a_conversation_that_is_right_is_not_changed(messages: list[ChatMessage]) -> None:
    assert repair(messages) == messages


@pytest.mark.parametrize(
    ("messages", "results"),
    [
        pytest.param([asked("a", "b"), answered("b")], [("a", INTERRUPTED), ("b", "r")], id="one is missing"),
        pytest.param(
            [asked("a", "b"), answered("b", "2"), answered("a", "1")], [("a", "1"), ("b", "2")], id="order"
        ),
        pytest.param([asked("a"), USER, answered("a")], [("a", "r")], id="late, after the user spoke"),
        pytest.param(
            [asked("a"), answered("a", "1"), answered("a", "2")], [("a", "1")], id="the second of two"
        ),
        pytest.param([answered("a"), asked("a")], [("a", INTERRUPTED)], id="before its call"),
        pytest.param(
            [{"role": "tool", "content": "r"}, asked("a")], [("a", INTERRUPTED)], id="a result without an id"
        ),
    ],
)
def test_results_are_brought_to_their_calls(
    messages: list[ChatMessage], results: list[tuple[str, str]]
) -> None:
    repaired = [message for message in repair(messages) if message["role"] == "tool"]

    assert [(message["tool_call_id"], message["content"]) for message in repaired] == results


def test_the_result_of_a_call_whose_id_is_used_again_goes_to_the_later_one() -> None:
    repaired = repair([asked("a"), USER, asked("a"), answered("a")])

    first, second = (message for message in repaired if message["role"] == "tool")
    assert (first["tool_call_id"], first["content"]) == ("a", INTERRUPTED)
    assert second["tool_call_id"] == repaired[3]["tool_calls"][0]["id"] != "a"
    assert second["content"] == "r"


def test_an_id_twice_in_one_message_takes_two_results() -> None:
    repaired = repair([asked("a", "a"), answered("a", "1"), answered("a", "2")])

    assert [message["content"] for message in repaired[1:]] == ["1", "2"]


@pytest.mark.parametrize("empty", [{}, {"content": None}, {"content": ""}, {"content": "", "tool_calls": []}])
def test_an_empty_message_of_the_assistant_is_dropped(empty: dict[str, Any]) -> None:
    assert repair([USER, {"role": "assistant", **empty}]) == [USER]
