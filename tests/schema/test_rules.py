# ruff: noqa: E501 (a row of a table is a line)
"""The rules of protos → keywords where a profile takes them, words where it does not, never narrower."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import protovalidate
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.schema.encode import Encoder
from broker.schema.json_schema import input_schema
from broker.schema.kinds import Use
from broker.schema.profiles import render
from broker.schema.remarks import value_words
from broker.schema.requirements import required_fields
from broker.tool import Tool

PROTOS = Path(__file__).parents[1] / "protos"


@pytest.fixture(scope="module")
def ruled() -> Descriptors:
    files = asyncio.run(compile_protos(["rules.proto"], [PROTOS]))
    return link(Loaded(files=files, services=["rules.v1.Rules"], trusted=True))


@pytest.fixture(scope="module")
def legacy() -> Descriptors:
    files = asyncio.run(compile_protos(["legacy.proto"], [PROTOS / "legacy"]))
    return link(Loaded(files=files, services=[], trusted=True))


def parameters(descriptors: Descriptors, method: str, profile: str) -> dict[str, Any]:
    found = descriptors.pool.FindMethodByName(f"rules.v1.Rules.{method}")
    tool = Tool(name=method, description="Does it.", method=found, backend="rules")
    definition = render(tool, descriptors, profile)
    function = definition.get("function", definition)
    schema: dict[str, Any] = next(
        function[key] for key in ("parameters", "inputSchema", "input_schema") if key in function
    )
    return schema


def said(descriptors: Descriptors, method: str, field: str, profile: str) -> dict[str, Any]:
    """The schema of one field, without what its kind says anyway."""
    schema = dict(parameters(descriptors, method, profile)["properties"][field])
    schema.pop("type", None)
    return schema


PLAIN: list[tuple[str, str, dict[str, Any]]] = [
    ("Texts", "const", {"enum": ["x"]}),
    ("Texts", "in", {"enum": ["", "a", "b"]}),
    ("Texts", "not_in", {"description": "Not a, b."}),
    ("Texts", "len", {"minLength": 3, "maxLength": 3}),
    ("Texts", "range", {"minLength": 1, "maxLength": 80}),
    ("Texts", "bytes", {"description": "2 to 4 bytes in UTF-8."}),
    ("Texts", "pattern", {"pattern": "^[a-z]+-[0-9]{2}$"}),
    ("Texts", "foreign", {"description": "Must match ^(?i)[a-z]*$."}),
    ("Texts", "prefix", {"pattern": r"^a\.b"}),
    ("Texts", "ends", {"pattern": "^ab", "description": "Must end with bc. Must contain b. Must not contain z."}),
    ("Texts", "email", {"format": "email"}),
    ("Texts", "uuid", {"format": "uuid"}),
    ("Texts", "uri", {"format": "uri"}),
    ("Texts", "ip", {"description": "An IP address, v4 or v6."}),
    ("Texts", "hostname", {"format": "hostname"}),
    ("Texts", "header", {"description": "The name of an HTTP header."}),
    ("Texts", "when_given", {"maxLength": 5, "description": "When given: At least 3 characters. When given: Must match ^a."}),
    ("Texts", "never", {}),
    ("Texts", "maybe", {"minLength": 2}),
    ("Texts", "wrapped", {"maxLength": 2}),
    ("Texts", "example", {"examples": ["one", "two"]}),
    ("Texts", "shouted", {"description": "must be in capitals."}),
    ("Texts", "cel", {"description": "an even number of letters."}),
    ("Texts", "bare_cel", {"description": "Must fit the CEL expression this != 'never'."}),
    ("Numbers", "range", {"minimum": -5, "maximum": 9}),
    ("Numbers", "more", {"minimum": 1}),
    ("Numbers", "outside", {"description": "Less than 5 or more than 10."}),
    ("Numbers", "const", {"enum": [7]}),
    ("Numbers", "in", {"minimum": 0, "enum": [0, 1, 2]}),
    ("Numbers", "not_in", {"description": "Not 3."}),
    ("Numbers", "exact", {"minimum": 0, "maximum": 1000}),
    ("Numbers", "exact_unsigned", {"minimum": 0, "maximum": 1000}),
    ("Numbers", "open", {"pattern": "^-?[0-9]+$", "description": "At least -3. Integer, as a string of digits."}),
    ("Numbers", "in_wide", {"enum": ["0", "9007199254740993"]}),
    ("Numbers", "float", {"exclusiveMinimum": -0.1, "maximum": 0.1}),
    ("Numbers", "double", {"minimum": 0.5, "exclusiveMaximum": 2}),
    ("Numbers", "finite", {}),
    ("Numbers", "const_bool", {"enum": [True]}),
    ("Numbers", "wrapped", {"minimum": 1, "maximum": 8}),
    ("Numbers", "when_given", {"description": "When given: At least 5."}),
    ("Numbers", "maybe", {"minimum": 5}),
    ("Others", "len", {"contentEncoding": "base64", "description": "Exactly 4 bytes. Base64."}),
    ("Others", "in", {"enum": ["SIZE_UNSPECIFIED", "SIZE_S", "SIZE_M"]}),
    ("Others", "not_in", {"enum": ["SIZE_S", "SIZE_M"]}),
    ("Others", "const", {"enum": ["SIZE_M"]}),
    ("Many", "list", {"items": {"type": "string", "minLength": 2, "pattern": "^a"}, "minItems": 1, "maxItems": 3, "uniqueItems": True}),
    ("Many", "map", {"additionalProperties": {"type": "integer", "minimum": 1}, "minProperties": 1, "maxProperties": 2, "description": "Each key: At most 3 characters."}),
    ("Many", "some", {"items": {"type": "string"}, "minItems": 1}),
    ("Needed", "text", {"minLength": 1}),
    ("Needed", "number", {"description": "Not 0."}),
    ("Needed", "agreed", {"enum": [True]}),
    ("Needed", "size", {"enum": ["SIZE_S", "SIZE_M", "SIZE_L"]}),
    ("Needed", "maybe_zero", {"enum": ["SIZE_UNSPECIFIED", "SIZE_S", "SIZE_M", "SIZE_L"]}),
    ("CreateBook", "parent", {"description": "Resource name: publishers/{publisher}."}),
    ("UpdateBook", "template", {"description": "Resource name: publishers/{publisher}/books/{book}."}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "field", "schema"), PLAIN)
def test_a_rule_is_a_keyword_or_words(
    ruled: Descriptors, method: str, field: str, schema: dict[str, Any]
) -> None:
    assert said(ruled, method, field, "mcp") == schema


STRICT: list[tuple[str, str, dict[str, Any]]] = [
    ("Texts", "range", {"description": "1 to 80 characters."}),
    ("Texts", "uri", {"description": "Format: uri."}),
    ("Texts", "uuid", {"format": "uuid"}),
    ("Texts", "example", {"description": "E.g. one, two."}),
    ("Numbers", "range", {"minimum": -5, "maximum": 9}),
    ("Numbers", "const", {"enum": [7]}),
    ("Many", "map", {
        "items": {"type": "object", "properties": {"key": {"type": "string"}, "value": {"type": "integer", "minimum": 1}}, "required": ["key", "value"], "additionalProperties": False},
        "minItems": 1, "maxItems": 2, "description": "Each key: At most 3 characters. A list of key/value entries."}),
    ("Many", "list", {"items": {"type": "string", "pattern": "^a"}, "minItems": 1, "maxItems": 3, "description": "Each item: At least 2 characters. No item twice."}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "field", "schema"), STRICT)
def test_what_strict_mode_does_not_take_is_said_in_words(
    ruled: Descriptors, method: str, field: str, schema: dict[str, Any]
) -> None:
    assert said(ruled, method, field, "openai-strict") == schema


def test_gemini_takes_no_enum_of_numbers(ruled: Descriptors) -> None:
    assert said(ruled, "Numbers", "const", "gemini") == {"description": "Always 7."}
    assert said(ruled, "Others", "const", "gemini") == {"enum": ["SIZE_M"]}


@pytest.mark.parametrize("profile", ["mcp", "openai-strict"])
def test_rules_of_a_whole_message_are_said_of_it(ruled: Descriptors, profile: str) -> None:
    description = parameters(ruled, "Whole", profile)["description"]
    assert "Exactly one of: by_name, by_email." in description
    assert "low must not be above high." in description


def test_a_oneof_that_rules_ask_for_must_be_given(ruled: Descriptors) -> None:
    assert "Exactly one of: city, code." in parameters(ruled, "Whole", "mcp")["description"]
    target = parameters(ruled, "Whole", "openai-strict")["properties"]["target"]
    assert {"type": "null"} not in target["anyOf"]


def test_what_rules_refuse_of_an_empty_message_is_required(ruled: Descriptors) -> None:
    assert parameters(ruled, "Needed", "mcp")["required"] == [
        "text", "number", "agreed", "size", "maybe_zero", "book", "by_cel", "list", "zero_is_wrong",
    ]  # fmt: skip


METHODS = ["Texts", "Numbers", "Others", "Many", "Whole", "Needed"]


@pytest.mark.parametrize("method", METHODS)
def test_without_the_extra_the_rules_themselves_say_what_is_required(
    ruled: Descriptors, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ruled.pool.FindMethodByName(f"rules.v1.Rules.{method}").input_type
    probed = required_fields(message, ruled, Use.WHOLE)
    monkeypatch.setitem(vars(ruled), "validator", None)
    assert probed - {"by_cel"} == required_fields(message, ruled, Use.WHOLE)


def test_a_resource_that_is_made_gets_its_name_beside_it(ruled: Descriptors) -> None:
    made = parameters(ruled, "CreateBook", "mcp")["properties"]["book"]["properties"]
    changed = parameters(ruled, "UpdateBook", "mcp")["properties"]["book"]
    assert "name" not in made
    assert "name" in changed["properties"]
    assert "etag" not in made | changed["properties"]
    assert "description" not in made["isbn"]
    assert changed["properties"]["isbn"]["description"] == "Immutable after creation."
    assert "required" not in changed


def test_formats_of_google_api_are_keywords_or_words(ruled: Descriptors) -> None:
    book = parameters(ruled, "CreateBook", "mcp")["properties"]["book"]["properties"]
    assert book["uid"] == {"type": "string", "format": "uuid"}
    assert book["address"]["description"] == "An IP address, v4 or v6."
    assert book["extra"]["description"].startswith("The type is one of rules.v1.Book.")
    assert book["pages"]["description"] == "When left out, the service chooses a value."


def test_rules_of_protoc_gen_validate_are_words_only(legacy: Descriptors) -> None:
    form = input_schema(legacy.pool.FindMessageTypeByName("rules.legacy.Legacy"), legacy)
    notes = {one.name: one.notes for one in form.properties}
    assert notes == {
        "name": ("1 to 9 characters.", "Must match ^a."),
        "count": ("At least 1.",),
        "next": ("Required.",),
        "tags": ("At least 1 item.", "Each item: Format: email."),
    }
    assert not any(one.required or one.keywords for one in form.properties)


def test_comments_of_enum_values_are_told_while_there_is_room(ruled: Descriptors) -> None:
    size = ruled.pool.FindEnumTypeByName("rules.v1.Size")
    short = {"rules.v1.Size.SIZE_S": " Small. Very.", "rules.v1.Size.SIZE_M": " Middling"}
    told = replace(ruled, comments=short)
    assert value_words(size, told) == "Values: SIZE_S = Small; SIZE_M = Middling."
    assert said(told, "Others", "defined", "mcp")["description"] == value_words(size, told)
    assert value_words(size, replace(ruled, comments={"rules.v1.Size.SIZE_S": "x" * 400})) == ""
    assert value_words(size, replace(ruled, comments={})) == ""


VALUES = {
    "string": st.text("abz-1.B\n", max_size=6)
    | st.sampled_from(["x", "a", "b", "abc", "a.b", "ab-12", "abbc", "B"]),
    "int": st.integers(-9, 12) | st.sampled_from([7, 9007199254740993, 1000]),
    "float": st.floats(-3, 3, width=32),
}


def messages(descriptors: Descriptors, method: str) -> st.SearchStrategy[Any]:
    """Messages whose fields are often those that the rules ask for."""
    message = descriptors.pool.FindMethodByName(f"rules.v1.Rules.{method}").input_type
    made = descriptors.message_class(message)
    fields = {one.name: values for one in message.fields if (values := field_values(one)) is not None}
    return st.fixed_dictionaries({}, optional=fields).map(lambda given: fitted(made, given))


def fitted(made: Any, given: dict[str, Any]) -> Any:
    message = made()
    for name, value in given.items():
        try:
            message.MergeFrom(made(**{name: value}))
        except (ValueError, TypeError):
            continue  # a number that is out of range
    return message


def field_values(field: Any) -> st.SearchStrategy[Any] | None:
    kinds = {
        9: VALUES["string"],
        1: VALUES["float"],
        2: VALUES["float"],
        8: st.booleans(),
        14: st.integers(0, 3),
    }
    if field.message_type is not None:
        if field.message_type.name == "MapEntry":
            return st.dictionaries(VALUES["string"], VALUES["int"], max_size=3)
        wrapped = {"StringValue": VALUES["string"], "Int64Value": VALUES["int"]}
        values = wrapped.get(field.message_type.name)
        return None if values is None else values.map(lambda value: {"value": value})
    single = kinds.get(field.type, st.binary(max_size=9) if field.type == 12 else VALUES["int"])
    return st.lists(single, max_size=4) if field.is_repeated else single


@pytest.mark.parametrize("method", ["Texts", "Numbers", "Others", "Many", "Whole"])
@pytest.mark.parametrize("profile", ["mcp", "openai"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_each_field_that_protovalidate_takes_fits_the_schema(
    ruled: Descriptors, method: str, profile: str, data: st.DataObject
) -> None:
    schema = parameters(ruled, method, profile)
    message = data.draw(messages(ruled, method))
    wrong = {
        violation.proto.field.elements[0].field_name
        for violation in protovalidate.collect_violations(message)
        if violation.proto.field is not None
    }
    encoded = Encoder(ruled).compile(message.DESCRIPTOR)(message)
    given_fields = {name: value for name, value in encoded.items() if name not in wrong}
    assume(given_fields)
    for name, value in given_fields.items():
        own = schema["properties"][name]
        # A number of 64 bits may be offered as a number, or as text.
        numbers = [own, own.get("items", {})]
        if any(one.get("type") == "integer" for one in numbers):
            value = [int(one) for one in value] if isinstance(value, list) else value
            value = int(value) if isinstance(value, str) else value
        jsonschema.validate(value, own)
    missing = set(schema.get("required", ())) - encoded.keys()
    assert missing <= wrong
