"""Strict schemas, against a checker of the provider's rules that shares nothing with what renders them."""

import json
from typing import Any

import jsonschema
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from broker.descriptors.pool import Descriptors
from broker.schema.limits import LIMITS, Limits
from broker.schema.profiles import render, strict_problem
from broker.schema.strict import NotStrict, render_strict
from broker.schema.strict_limits import excess
from tests.schema.test_profiles import called, generated, message, tool

# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
_ANYWHERE = {"description", "type", "anyOf", "enum"}
_BY_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": set[str](),
    "null": set[str](),
}


def broken_rules(root: Any) -> list[str]:
    """Every rule of the strict subset that a schema breaks, each with the place."""
    broken = [] if root.get("type") == "object" else ["the root is no plain object"]
    broken += [f"{key} at the root" for key in ("anyOf", "$ref") if key in root]
    definitions = root.get("$defs", {})
    found: list[str] = []
    for name, node in definitions.items():
        found += _broken(node, definitions, f"$defs.{name}")
    return broken + found + _broken({key: root[key] for key in root if key != "$defs"}, definitions, "")


def _broken(node: Any, definitions: Any, path: str) -> list[str]:
    if "$ref" in node:
        known = node["$ref"].removeprefix("#/$defs/") in definitions
        return (
            []
            if known and node.keys() == {"$ref"}
            else [f"{path}: a reference that is not plain or not there"]
        )
    types = node.get("type", [])
    types = [types] if isinstance(types, str) else types
    allowed = _ANYWHERE.union(*(_BY_TYPE[one] for one in types))
    broken = [f"{path}: {key}" for key in node if key not in allowed]
    if not types and "anyOf" not in node:
        broken.append(f"{path}: no type")
    if "enum" in node and ("null" in types) != (None in node["enum"]):
        broken.append(f"{path}: null is in the type or in the enum only")
    if "object" in types:
        broken += _broken_object(node, path)
    if "array" in types and not node.get("items"):
        broken.append(f"{path}: items of any type")
    first = [next(iter(one["properties"])) for one in node.get("anyOf", []) if one.get("properties")]
    if len(first) != len(set(first)):
        broken.append(f"{path}: branches with the same first key")
    below = [*node.get("properties", {}).items(), *enumerate(node.get("anyOf", []))]
    below += [("[]", node["items"])] if isinstance(node.get("items"), dict) else []
    return broken + [text for key, one in below for text in _broken(one, definitions, f"{path}.{key}")]


def _broken_object(node: Any, path: str) -> list[str]:
    broken = [] if node.get("additionalProperties") is False else [f"{path}: open"]
    same = node.get("required") == list(node.get("properties", [None]))
    return broken if same else [*broken, f"{path}: not every property is required"]


def _single(name: str, schema: Any) -> Any:
    """A closed object with one property."""
    return {"type": "object", "properties": {name: schema}, "required": [name], "additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}, "required": []},
        {**_single("a", {"type": "string"}), "required": []},
        _single("a", {}),
        _single("a", {"type": "string", "minLength": 1}),
        _single("a", {"$ref": "#/$defs/A"}),
        _single("a", {"type": "array"}),
        _single("a", {"type": ["string", "null"], "enum": ["A"]}),
        _single("a", {"anyOf": [_single("b", {"type": "string"}), _single("b", {"type": "null"})]}),
        {"anyOf": [{"type": "object"}]},
    ],
)  # fmt: skip
def test_the_checker_finds_what_is_wrong(schema: Any) -> None:
    assert broken_rules(schema)


STRICT = [
    "proto3.Request", "proto3.UpdateRequest", "proto3.Book", "proto3.Scalars", "proto3.Optionals",
    "proto3.Shadows", "proto3.Spellings", "proto3.Annotated", "proto3.Empty", "strict.Query", "strict.Filter",
    "strict.Comparison", "strict.Which",
]  # fmt: skip


def strict(descriptors: Descriptors, name: str) -> Any:
    return render_strict(descriptors.pool.FindMessageTypeByName(f"schema.{name}"), descriptors)


@pytest.mark.parametrize("name", STRICT)
def test_a_strict_schema_keeps_every_rule(descriptors: Descriptors, name: str) -> None:
    schema = strict(descriptors, name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert broken_rules(schema) == []


@pytest.mark.parametrize("name", STRICT)
def test_a_strict_schema_is_the_same_each_time(descriptors: Descriptors, name: str) -> None:
    assert json.dumps(strict(descriptors, name)) == json.dumps(strict(descriptors, name))


def test_what_may_be_absent_is_null(descriptors: Descriptors) -> None:
    book = strict(descriptors, "proto3.Book")["properties"]
    assert book["title"] == {"type": "string"}
    assert book["secret"] == {"type": ["string", "null"]}
    assert book["genre"] == {
        "type": ["string", "null"],
        "enum": ["GENRE_UNSPECIFIED", "GENRE_SCI_FI", "GENRE_CRIME", None],
    }
    assert book["sequel"] == {"anyOf": [{"$ref": "#/$defs/Book"}, {"type": "null"}]}


def test_a_required_enum_has_no_null_and_no_unspecified_value(descriptors: Descriptors) -> None:
    direction = strict(descriptors, "strict.Query")["properties"]["order"]["properties"]["direction"]
    assert direction == {"type": "string", "enum": ["DIRECTION_UP", "DIRECTION_DOWN"]}


def test_a_map_is_a_list_of_entries_with_the_schema_of_their_values(descriptors: Descriptors) -> None:
    assert strict(descriptors, "strict.Query")["properties"]["ranges"] == {
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "properties": {"key": {"type": "string"}, "value": {"$ref": "#/$defs/Range"}},
            "required": ["key", "value"],
            "additionalProperties": False,
        },
        "description": "A list of key/value entries.",
    }


def test_a_oneof_is_one_property_that_holds_one_member(descriptors: Descriptors) -> None:
    properties = strict(descriptors, "strict.Query")["properties"]
    assert not properties.keys() & {"city", "point", "anywhere"}
    assert properties["place"] == {
        "anyOf": [
            _single("city", {"type": "string"}),
            _single("point", {"anyOf": [{"$ref": "#/$defs/Point"}], "description": "Both."}),
            _single("anywhere", {"type": "null"}),
            {"type": "null"},
        ],
        "description": "Where to search.",
    }


def test_a_oneof_of_which_one_is_required_may_not_be_null(descriptors: Descriptors) -> None:
    condition = strict(descriptors, "strict.Filter")["properties"]["condition"]
    assert [list(one["properties"]) for one in condition["anyOf"]] == [["comparison"], ["all"], ["not"]]


def test_a_field_that_can_only_be_null_is_left_out(descriptors: Descriptors) -> None:
    assert "nothing" not in strict(descriptors, "strict.Query")["properties"]


def test_types_that_are_used_once_are_in_their_place(descriptors: Descriptors) -> None:
    schema = strict(descriptors, "strict.Query")
    # Two types are named Range.
    assert list(schema["$defs"]) == ["Filter", "Range", "Point", "Other_Range"]
    assert "properties" in schema["properties"]["other"]


def test_a_resource_that_is_updated_requires_nothing_where_it_is_given_whole_too(
    descriptors: Descriptors,
) -> None:
    assert strict(descriptors, "proto3.UpdateRequest")["$defs"]["Book_changes"]["properties"]["title"] == {
        "type": ["string", "null"]
    }


def test_defaults_are_said_in_words() -> None:
    text = DescriptorProto(name="M0")
    text.field.add(
        name="size",
        number=1,
        type=FieldDescriptorProto.TYPE_INT32,
        label=1,
        default_value="7",
        json_name="size",
    )
    descriptors = generated(text, syntax="proto2")
    schema = render_strict(called(descriptors).method.input_type, descriptors)
    assert schema["properties"]["size"] == {"type": ["integer", "null"], "description": "Default: 7."}


def test_the_profile_is_strict_where_it_can_be(descriptors: Descriptors) -> None:
    function = render(tool(descriptors, "Get"), descriptors, "openai-strict")["function"]
    assert function["strict"] is True
    assert function["parameters"] == strict(descriptors, "proto3.Request")
    assert strict_problem(tool(descriptors, "Get"), descriptors) is None


DYNAMIC = {
    "Walk": "any",
    "Choose": "anything",
    "Map": "structs",
    "Know": "struct",
    "Repeat": "structs",
    "Echo": "value",
}


@pytest.mark.parametrize("method", DYNAMIC)
def test_a_value_of_any_kind_makes_the_tool_fall_back_and_says_which(
    descriptors: Descriptors, method: str
) -> None:
    fallback = render(tool(descriptors, method), descriptors, "openai-strict")
    assert fallback == render(tool(descriptors, method), descriptors, "openai")
    assert fallback["function"]["strict"] is False
    problem = strict_problem(tool(descriptors, method), descriptors)
    assert problem == f'"{DYNAMIC[method]}" may hold any value, which a closed schema cannot say'


def with_oneof(members: int) -> DescriptorProto:
    made = message("M0", members)
    made.oneof_decl.add(name="choice")
    for field in made.field:
        field.oneof_index = 0
    return made


def with_enum(values: int, length: int = 1) -> DescriptorProto:
    """A request with one enum for each 100 values, since longer ones are told in words."""
    made = DescriptorProto(name="M0")
    for number in range(values // 100):
        enum = made.enum_type.add(name=f"E{number}")
        for value in range(100):
            enum.value.add(name=f"E{number}_{value:0{length}d}", number=value)
        made.field.add(
            name=f"f{number}", number=number + 1, type=FieldDescriptorProto.TYPE_ENUM, label=1,
            type_name=f".generated.M0.E{number}",
        )  # fmt: skip
    return made


def chain(levels: int) -> list[DescriptorProto]:
    return [
        *(message(f"M{level}", 1, f"M{level + 1}") for level in range(levels - 1)),
        message(f"M{levels - 1}", 1),
    ]


FITS = {
    "a oneof of 30": [with_oneof(30)],
    "1,000 enum values": [with_enum(1_000)],
    "10 levels": chain(10),
    "a type in itself": [message("M0", 1, "M0")],
    "10 levels, the last in itself": [*chain(9)[:8], message("M8", 1, "M9"), message("M9", 1, "M9")],
    "types that double at each level": [
        *(message(f"M{n}", 2, f"M{n + 1}") for n in range(9)),
        message("M9", 1),
    ],
}
EXCEEDS = {
    'the oneof "choice" has 31 members; at most 30 are a choice': [with_oneof(31)],
    "it has 1,100 enum values; at most 1,000 are taken": [with_enum(1_100)],
    "it has 11 levels of objects; at most 10 are taken": chain(11),
    "it has 41 levels of objects; at most 10 are taken": [
        *(message(f"M{n}", 2, f"M{n + 1}") for n in range(40)), message("M40", 1),
    ],
    "it has 5,001 properties; at most 5,000 are taken": [
        message("M0", 2_500, "M1", prefix="f"), message("M1", 2_501, prefix="f"),
    ],
    "it has 120,093 characters of names and enum values; at most 120,000 are taken": [
        message("M0", 1_200, prefix="x" * 97),
    ],
    "its schema has more than 64 KB": [message("M0", 2_000)],
}  # fmt: skip


@pytest.mark.parametrize("messages", FITS.values(), ids=FITS)
def test_what_keeps_the_limits_is_strict(messages: list[DescriptorProto]) -> None:
    descriptors = generated(*messages)
    assert strict_problem(called(descriptors), descriptors) is None
    assert broken_rules(render_strict(called(descriptors).method.input_type, descriptors)) == []


@pytest.mark.parametrize("problem", EXCEEDS)
def test_what_exceeds_a_limit_says_which(problem: str) -> None:
    descriptors = generated(*EXCEEDS[problem])
    assert strict_problem(called(descriptors), descriptors) == problem


def test_a_large_strict_schema_loses_its_explanations() -> None:
    sentence = "This field is explained at some length, in the first sentence. "
    descriptors = generated(message("M0", 500), comment=sentence * 4)
    schema = render_strict(called(descriptors).method.input_type, descriptors)
    assert schema["properties"]["field_1"]["description"] == sentence.strip()


def test_a_long_enum_is_measured_by_its_characters() -> None:
    schema = {"type": "string", "enum": [f"{number:060d}" for number in range(251)]}
    problem = "it has 15,060 characters in one enum; at most 15,000 are taken"
    assert excess(schema, LIMITS["openai-strict"]) == problem
    assert excess({**schema, "enum": schema["enum"][:250]}, LIMITS["openai-strict"]) is None


def test_a_provider_without_limits_is_never_exceeded() -> None:
    nothing = Limits(source="https://example.com", checked="2026-01", name=".*")
    descriptors = generated(with_oneof(31))
    assert render_strict(called(descriptors).method.input_type, descriptors, nothing)
    with pytest.raises(NotStrict):
        render_strict(called(descriptors).method.input_type, descriptors)
