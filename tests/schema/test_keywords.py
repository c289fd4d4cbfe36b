from typing import Any

import pytest

from broker.schema.keywords import fit
from broker.schema.limits import LIMITS

STRICT: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"type": "string", "pattern": "^a$"}, {"type": "string", "pattern": "^a$"}, []),
    ({"type": "string", "pattern": "^(?!a)"}, {"type": "string"}, ["Must match ^(?!a)."]),
    ({"type": "string", "pattern": "(?<=a)b"}, {"type": "string"}, ["Must match (?<=a)b."]),
    ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}, []),
    ({"type": "string", "format": "uri"}, {"type": "string"}, ["Format: uri."]),
    ({"type": "string", "minLength": 1}, {"type": "string"}, ["At least 1 character."]),
    ({"type": "string", "maxLength": 9}, {"type": "string"}, ["At most 9 characters."]),
    ({"type": "string", "minLength": 2, "maxLength": 2}, {"type": "string"}, ["Exactly 2 characters."]),
    ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}, []),
    ({"type": "array", "uniqueItems": True}, {"type": "array"}, ["No item twice."]),
    ({"type": "array", "uniqueItems": False}, {"type": "array"}, []),
    ({"type": "integer", "default": 7}, {"type": "integer"}, ["Default: 7."]),
    ({"type": "string", "default": "x"}, {"type": "string"}, ["Default: x."]),
    ({"type": "string", "examples": ["a", "b"]}, {"type": "string"}, ["E.g. a, b."]),
    ({"type": "string", "contentEncoding": "base64"}, {"type": "string"}, []),
    ({"type": "object", "minProperties": 1}, {"type": "object"}, ["At least 1 entry."]),
    ({"type": "array", "contains": {"const": 1}}, {"type": "array"}, ['contains: {"const": 1}.']),
]


@pytest.mark.parametrize(("schema", "kept", "words"), STRICT)
def test_what_a_provider_does_not_take_is_said_in_words(
    schema: dict[str, Any], kept: dict[str, Any], words: list[str]
) -> None:
    assert fit(schema, LIMITS["openai-strict"]) == (kept, words)
    assert fit(schema, LIMITS["mcp"]) == (schema, [])


def test_bounds_that_gemini_does_not_know_are_said_in_words() -> None:
    schema = {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2}
    assert fit(schema, LIMITS["gemini"]) == (
        {"type": "integer", "minimum": 1},
        ["Less than 9.", "A multiple of 2."],
    )
