"""Whatever is sent, a plan comes back: never an exception, never more than the bounds."""

import json
from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.standin.conversation import MAX_PROMPT
from broker.standin.parameters import read_parameters
from broker.standin.planner import Plan, plan

TODAY = date(2026, 3, 2)
patient = settings(deadline=None, max_examples=50)
WORDS = (
    *(
        "weather",
        "in",
        "Paris",
        "and",
        "Oslo",
        "tomorrow",
        "for",
        "three",
        "days",
        "5",
        "kg",
        "yes",
        "no",
        "not",
    ),
    *(
        "天气",
        "北京",
        "和",
        "、",
        "怎么样",
        "的",
        "会",
        "去",
        "三",
        "十二",
        "个",
        "未来",
        "今天",
        "后",
        "点半",
    ),
    *("2026-02-31", "99999999999999999999", "-1.5", "15:61", "3月", "32日", "99999", "years", "下周五"),
    *("“", "”", "'", '"', "`", "a@b.co", "http://x"),
)
TOOL = {
    "type": "function",
    "function": {
        "name": "a_b_GetWeather",
        "description": "Tells the weather 天气.",
        "parameters": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": 'e.g. "Paris" or "北京"'},
                "days": {"type": "integer"},
                "share": {"type": "number"},
                "until": {"type": "string", "format": "date-time"},
                "wait": {"type": "string", "pattern": "^[0-9]+s$"},
                "big": {"type": "string", "pattern": "^[0-9]+$"},
                "code": {"type": "string", "pattern": "^[a-z]+[0-9]*$"},
                "kind": {
                    "type": "string",
                    "enum": ["K_UNSPECIFIED", "K_DAYS", "K_OSLO"],
                    "description": "K_DAYS = 天 days",
                },
                "deep": {
                    "type": "object",
                    "properties": {"tags": {"type": "array", "items": {"type": "string"}}},
                },
            },
            "required": ["name"],
        },
    },
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYWORDS = (
    *("type", "properties", "required", "items", "enum", "anyOf", "$ref", "$defs", "A", "name"),
    *("pattern", "description", "format", "examples", "year", "month", "day"),
)
schema_values = st.recursive(
    st.sampled_from(["string", "object", "array", "integer", "null", "#/$defs/A", "", None, 5, True, "^a+$"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner, max_size=5),
    max_leaves=20,
)


def check(answer: Plan) -> None:
    """Either text or calls; and what is sent is JSON."""
    assert (answer.text is None) == bool(answer.calls)
    assert len(answer.calls) <= 16
    for call in answer.calls:
        assert len(orjson.dumps(call.arguments)) < 100_000
    assert len(answer.text or "") < 100_000


@patient
@given(st.text(max_size=300))
def test_any_text_gives_a_plan(prompt: str) -> None:
    check(plan([{"role": "user", "content": prompt}], [TOOL], today=TODAY))


@patient
@given(st.lists(st.sampled_from(WORDS), max_size=30), st.sampled_from(["", " "]), st.booleans())
def test_any_sentence_of_telling_words_gives_a_plan(words: list[str], space: str, parallel: bool) -> None:
    check(plan([{"role": "user", "content": space.join(words)}], [TOOL], today=TODAY, parallel=parallel))


@patient
@given(st.dates(), st.lists(st.sampled_from(WORDS), max_size=8))
def test_any_day_may_be_today(today: date, words: list[str]) -> None:
    check(plan([{"role": "user", "content": " ".join(words)}], [TOOL], today=today))


@patient
@given(schema_values)
def test_any_schema_gives_a_plan(schema: Any) -> None:
    tool = {"type": "function", "function": {"name": "a_GetOak", "description": "Oak.", "parameters": schema}}
    check(plan([{"role": "user", "content": "Get the oak Paris 5 tomorrow and x"}], [tool], today=TODAY))


roles = st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])
messages = st.fixed_dictionaries(
    {"role": roles},
    optional={
        "content": json_values,
        "tool_call_id": json_values,
        "tool_calls": st.lists(json_values, max_size=3),
    },
)


@patient
@given(st.lists(messages, max_size=6), st.lists(json_values, max_size=3))
def test_any_conversation_gives_a_plan(said: list[dict[str, Any]], tools: list[Any]) -> None:
    check(plan(said, [*tools, TOOL], today=TODAY))


@patient
@given(st.text(max_size=200))
def test_any_result_gives_words(content: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "a_b_GetWeather", "arguments": content}}
    said: list[dict[str, Any]] = [
        {"role": "user", "content": "weather in Paris"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": content},
    ]
    check(plan(said, [TOOL], today=TODAY))


@pytest.mark.parametrize(
    "prompt",
    [
        "Paris, " * 2_000,
        " " * 100_000,
        "one " * 2_000,
        "one" + " " * 3_900 + "two",
        "a" * 100_000,
        "A" * 100_000,
        "天" * 100_000,
        "北京、" * 2_000,
        "和" * 4_000,
        "十" * 4_000,
        "9" * 4_000,
        "9," * 2_000,
        "'" * 4_000,
        '"' * 4_000,
        "“" * 4_000,
        "a@" * 2_000,
        "a." * 2_000,
        "x://" * 1_000,
        "1-" * 2_000,
        "12:" * 1_333,
        "in " * 1_333,
        "March " * 666,
    ],
)
def test_a_prompt_made_to_take_long_is_bounded(prompt: str) -> None:
    answer = plan([{"role": "user", "content": prompt}], [TOOL], today=TODAY)
    check(answer)
    assert all(len(str(value)) <= MAX_PROMPT for call in answer.calls for value in call.arguments.values())


def test_a_schema_that_grows_by_references_is_bounded() -> None:
    wide = {"type": "object", "properties": {f"p{at}": {"$ref": "#/$defs/Wide"} for at in range(50)}}
    leaves = {"type": "object", "properties": {f"p{at}": {"type": "string"} for at in range(1_000)}}
    assert read_parameters({**wide, "$defs": {"Wide": wide}}) == ()
    assert len(read_parameters(leaves)) == 200
    assert read_parameters(
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}}
    )


def test_a_result_nested_deep_is_shortened() -> None:
    content = "[" * 900 + "]" * 900
    said: list[dict[str, Any]] = [{"role": "user", "content": "x"}, {"role": "tool", "content": content}]
    assert "[[[[…]]]]" in (plan(said, [TOOL], today=TODAY).text or "").replace(" ", "")


@patient
@given(st.integers(0, 40))
def test_calls_are_counted_over_all_values(count: int) -> None:
    prompt = "weather in " + " and ".join(f"Town{at}" for at in range(count))
    answer = plan([{"role": "user", "content": prompt}], [TOOL], today=TODAY)
    assert len(answer.calls) == min(count, 16)
    assert len({json.dumps(dict(call.arguments)) for call in answer.calls}) == len(answer.calls)
