from typing import Any

import pytest

from broker.descriptors.pool import Descriptors
from broker.schema.definitions import definition
from broker.schema.profiles import PROFILES, render
from tests.schema.test_profiles import tool

QUERY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "minLength": 1, "description": "What is looked for."},
        "kinds": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
    },
    "required": ["query"],
    "additionalProperties": False,
}
OPEN = {"type": "object", "properties": {"arguments": {"type": "object"}}, "additionalProperties": False}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_tool_of_our_own_has_the_same_outer_form_as_any_other(
    profile: str, descriptors: Descriptors
) -> None:
    other = render(tool(descriptors, "Get"), descriptors, profile)
    made = definition("search_tools", "Finds tools.", QUERY, profile)

    only_of_methods = {"title", "outputSchema", "annotations"}
    assert made.keys() == other.keys() - only_of_methods
    if "function" in other:
        assert made["function"].keys() == other["function"].keys()


def test_keywords_that_a_provider_does_not_take_are_said_in_words() -> None:
    schema = definition("n", "d", QUERY, "openai-strict")["function"]["parameters"]

    assert schema["properties"]["query"] == {
        "type": "string",
        "description": "What is looked for. At least 1 character.",
    }
    assert schema["properties"]["kinds"]["type"] == ["array", "null"]


def test_an_open_object_is_not_strict() -> None:
    assert definition("call_tool", "d", OPEN, "openai-strict") == definition("call_tool", "d", OPEN, "openai")


def test_a_long_description_is_shortened_for_openai() -> None:
    long = "It does this and that. " * 100

    assert len(definition("n", long, QUERY, "openai")["function"]["description"]) <= 1024
    assert definition("n", long, QUERY, "mcp")["description"] == long


def test_another_profile_is_a_bug() -> None:
    with pytest.raises(KeyError):
        definition("n", "d", QUERY, "cohere")
