# ruff: noqa: E501 (a row of a table is a line)
"""What a model reads of arguments that it got wrong never repeats a value that the .proto marks."""

import json
from typing import Any

import pytest

CUT_OFF = "the arguments were cut off after"
NO_JSON = "the arguments are not valid JSON: "

WRONG = {
    "cut off": ('{"pin": "hunter2"', f"{CUT_OFF} 17 characters. Send all of them."),
    "cut off deep within": (
        '{"spares": [{"twin": {"teeth": "hunter2"',
        f"{CUT_OFF} 40 characters. Send all of them.",
    ),
    "no JSON": ('{"pin": "hunter2",}', f"{NO_JSON}trailing comma is not allowed, at character 18."),
    "no number": (
        '{"pin": "hunter2", "seal": NaN}',
        'NaN and Infinity are not JSON (at character 28); write them as strings: "NaN", "Infinity", "-Infinity".',
    ),
    "text of a text": (
        json.dumps('{"pin": "hunter2"'),
        'expected a JSON object, like {"name": "value"}, got a string.',
    ),
    "a key of a map, twice": (
        '{"codes": {"hunter2": "a", "hunter2": "b"}}',
        "a key is given twice in one object. Give it once.",
    ),
    "the same in text": (
        json.dumps({"spares": '[{"teeth": {"hunter2": 1, "hunter2": 1}}]'}),
        "spares: a key is given twice in one object. Give it once.",
    ),
    "no JSON in text": (
        json.dumps({"spares": '[{"teeth": "hunter2"]'}),
        "spares: expected an array, each element an object (Key), got a string.",
    ),
    "no JSON in text of a message": (
        json.dumps({"keys": {"a": '{"teeth": "hunter2"'}}),
        'keys["a"]: expected an object (Key), got a string.',
    ),
    "no JSON in text of a map": (
        json.dumps({"keys": '{"a": {"teeth": "hunter2"'}),
        "keys: expected an object, each value an object (Key), got a string.",
    ),
    "an element of a list": (
        '{"numbers": ["hunter2"]}',
        "numbers: expected an array, each element an integer (int64); the value does not fit, and is not repeated here.",
    ),
    "the value for its oneof": (
        '{"way": "hunter2"}',
        "way: expected an object with one of door, window, got a string.",
    ),
}


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_a_refusal_does_not_repeat_what_the_proto_marks(codec: Any, text: str, line: str) -> None:
    assert codec.problems("schema.secrets.Vault", text) == [line]


def test_the_place_is_shown_where_nothing_is_secret(codec: Any) -> None:
    assert codec.problems("Node", '{"name": "x') == [
        f'{CUT_OFF} 11 characters, near "{{\\"name\\": \\"x". Send all of them.'
    ]
