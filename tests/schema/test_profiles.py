# ruff: noqa: E501 (a row of a table is a line)
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import orjson
import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from broker.catalog.naming import MAX_LENGTH
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import Loaded
from broker.errors import CatalogError, InvalidArguments
from broker.schema.decode import Decoder
from broker.schema.limits import LIMITS
from broker.schema.profiles import PROFILES, render
from broker.schema.rendering import Dialect, render_input
from broker.tool import Tool

METHODS = [
    "Get",
    "Update",
    "ListAllBooks",
    "Walk",
    "Echo",
    "Know",
    "Map",
    "Choose",
    "Repeat",
    "Annotate",
    "Scale",
]


def tool(descriptors: Descriptors, method: str, description: str = "Does it.") -> Tool:
    found = descriptors.pool.FindMethodByName(f"schema.proto3.Library.{method}")
    return Tool(name=f"Library_{method}", description=description, method=found, backend="library")


def parameters(descriptors: Descriptors, method: str, profile: str = "mcp") -> dict[str, Any]:
    return input_schema(render(tool(descriptors, method), descriptors, profile))


def input_schema(definition: dict[str, Any]) -> dict[str, Any]:
    """The schema of the arguments in any profile's definition; where there is none, that of an empty object."""
    found = definition.get("function", definition)
    keys = ("parameters", "inputSchema", "input_schema")
    return next((found[key] for key in keys if key in found), {"type": "object"})


BOOK = {
    "title": {"type": "string"},
    "secret": {"type": "string"},
    "genre": {"type": "string", "enum": ["GENRE_UNSPECIFIED", "GENRE_SCI_FI", "GENRE_CRIME"]},
    "tags": {"type": "array", "items": {"type": "string"}},
}


def test_openai_gets_a_function_that_says_it_is_not_strict(descriptors: Descriptors) -> None:
    definition = render(tool(descriptors, "Get"), descriptors, "openai")
    book_in_book = {"type": "object", "properties": {}, "description": 'Book; same fields as "book" above.'}
    sequel = {
        "type": "object",
        "properties": {**BOOK, "sequel": book_in_book, "key": {"type": "string"}},
        "required": ["title"],
        "additionalProperties": False,
    }
    assert definition == {
        "type": "function",
        "function": {
            "name": "Library_Get",
            "description": "Does it.",
            "parameters": {
                "type": "object",
                "properties": {
                    "name": {
                        "type": "string",
                        "description": 'The name of the book, e.g. "books/1". More is not said.',
                    },
                    "book": {
                        "type": "object",
                        "properties": {**BOOK, "sequel": sequel, "key": {"type": "string"}},
                        "required": ["title"],
                        "additionalProperties": False,
                    },
                    "days": {"type": "integer", "description": "Unrequired."},
                },
                "required": ["name", "book"],
                "additionalProperties": False,
            },
            "strict": False,
        },
    }


def test_mcp_gets_title_output_and_hints(descriptors: Descriptors) -> None:
    definition = render(tool(descriptors, "Get"), descriptors, "mcp")
    assert {key: definition[key] for key in ("name", "title", "description", "annotations")} == {
        "name": "Library_Get",
        "title": "Get",
        "description": "Does it.",
        "annotations": {"readOnlyHint": True, "idempotentHint": True},
    }
    assert definition["outputSchema"] == {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "etag": {"type": "string"},
            "secret": {"type": "string"},
            "old": {"type": "string"},
            "genre": {"type": ["string", "integer"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "sequel": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "etag": {"type": "string"},
                    "secret": {"type": "string"},
                    "old": {"type": "string"},
                    "genre": {"type": ["string", "integer"]},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "sequel": {"type": "object"},
                },
            },
        },
    }


def test_a_stream_is_collected_in_one_result(descriptors: Descriptors) -> None:
    definition = render(tool(descriptors, "ListAllBooks"), descriptors, "mcp")
    collected = definition["outputSchema"]["properties"]
    assert definition["title"] == "List All Books"
    assert list(collected) == ["messages", "count", "complete", "reason"]
    assert "title" in collected["messages"]["items"]["properties"]
    assert definition["inputSchema"] == {"type": "object", "properties": {}, "additionalProperties": False}


def test_a_server_known_by_reflection_only_cannot_say_that_it_is_harmless(untrusted: Descriptors) -> None:
    assert render(tool(untrusted, "Get"), untrusted, "mcp")["annotations"] == {}


def test_an_idempotent_method_is_not_called_read_only(descriptors: Descriptors) -> None:
    hints = {"readOnlyHint": False, "idempotentHint": True}
    assert render(tool(descriptors, "Update"), descriptors, "mcp")["annotations"] == hints


def test_an_update_requires_nothing_of_the_resource(descriptors: Descriptors) -> None:
    schema = parameters(descriptors, "Update")
    assert schema["required"] == ["book"]
    assert "required" not in schema["properties"]["book"]


SCALARS = {
    "a_double": {"type": "number"}, "a_float": {"type": "number"}, "an_int32": {"type": "integer"},
    "a_uint32": {"type": "integer", "minimum": 0}, "a_bool": {"type": "boolean"}, "a_string": {"type": "string"},
    "an_int64": {"type": "string", "pattern": "^-?[0-9]+$", "description": "Integer, as a string of digits."},
    "a_uint64": {"type": "string", "pattern": "^[0-9]+$", "description": "Integer, as a string of digits."},
    "some_bytes": {"type": "string", "contentEncoding": "base64", "description": "Base64."},
    "color": {"type": "string", "enum": ["COLOR_UNSPECIFIED", "COLOR_RED", "COLOR_DARK_BLUE", "COLOR_NEGATIVE"]},
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_each_scalar_has_its_schema(descriptors: Descriptors, name: str) -> None:
    assert parameters(descriptors, "Scale")["properties"][name] == SCALARS[name]


OUTPUTS = {
    "a_double": {"type": ["number", "string"]}, "an_int64": {"type": "string"}, "an_int32": {"type": "integer"},
    "a_uint32": {"type": "integer", "minimum": 0}, "some_bytes": {"type": "string"}, "a_bool": {"type": "boolean"},
    "color": {"type": ["string", "integer"]},
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_scalar_has_its_output_schema(descriptors: Descriptors, name: str) -> None:
    definition = render(tool(descriptors, "Scale"), descriptors, "mcp")
    assert definition["outputSchema"]["properties"][name] == OUTPUTS[name]


WELL_KNOWN = {
    "timestamp": {
        "type": "string",
        "format": "date-time",
        "description": "RFC 3339, e.g. 2024-05-01T12:00:00Z.",
    },
    "duration": {
        "type": "string",
        "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$",
        "description": "Seconds, e.g. 3.5s.",
    },
    "field_mask": {"type": "string", "description": "Comma-separated field paths, e.g. display_name,labels."},
    "struct": {"type": "object", "description": "Any JSON object."},
    "value": {"description": "Any JSON value."},
    "list_value": {"type": "array", "items": {}, "description": "Any JSON array."},
    "null_value": {"type": "null"},
    "empty": {"type": "object", "properties": {}, "additionalProperties": False},
    "double_value": {"type": "number"},
    "uint64_value": {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "Integer, as a string of digits.",
    },
    "bool_value": {"type": "boolean"},
    "bytes_value": {"type": "string", "contentEncoding": "base64", "description": "Base64."},
    "any": {
        "type": "object",
        "properties": {"type_url": {"type": "string"}},
        "required": ["type_url"],
        "description": 'A message of any type: its "type_url", like type.googleapis.com/package.Message, and its fields.',
    },
}


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_each_well_known_type_has_its_schema(descriptors: Descriptors, name: str) -> None:
    assert parameters(descriptors, "Know")["properties"][name] == WELL_KNOWN[name]


def test_no_node_is_without_a_type_for_openai(descriptors: Descriptors) -> None:
    value = {"type": ["string", "number", "boolean", "object", "array", "null"], "items": {}}
    properties = parameters(descriptors, "Know", "openai")["properties"]
    assert properties["value"] == {**value, "description": "Any JSON value."}
    assert properties["list_value"]["items"] == value


def test_the_keys_of_a_map_are_described(descriptors: Descriptors) -> None:
    properties = parameters(descriptors, "Map")["properties"]
    assert properties["by_string"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert properties["by_int32"] == {
        "type": "object",
        "propertyNames": {"pattern": "^(0|-?[1-9][0-9]*)$"},
        "additionalProperties": {"type": "string"},
        "description": "Each key is an integer (int32).",
    }
    assert properties["by_uint64"]["propertyNames"] == {"pattern": "^(0|[1-9][0-9]*)$"}
    assert properties["by_bool"]["propertyNames"] == {"enum": ["true", "false"]}
    assert "propertyNames" not in orjson.dumps(parameters(descriptors, "Map", "openai")).decode()


def test_members_of_a_oneof_are_properties_and_the_object_says_so(descriptors: Descriptors) -> None:
    schema = parameters(descriptors, "Choose")
    assert schema["description"] == (
        "At most one of: text, number, scalars, nothing, anything, time, empty. What is chosen. "
        "At most one of: yes, color."
    )
    assert list(schema["properties"]) == [
        "text", "number", "scalars", "nothing", "anything", "time", "empty", "note", "yes", "color",
    ]  # fmt: skip


def test_the_option_of_a_field_is_in_its_schema(descriptors: Descriptors) -> None:
    properties = parameters(descriptors, "Annotate")["properties"]
    answered = render(tool(descriptors, "Annotate"), descriptors, "mcp")["outputSchema"]["properties"]
    assert list(properties) == list(answered) == ["city", "text", "texts", "inner"]
    assert properties["city"] == {"type": "string", "description": "The city. E.g. Paris."}
    assert properties["text"] == {"type": "string"}


def test_a_well_known_root_is_an_object_with_a_value(descriptors: Descriptors) -> None:
    definition = render(tool(descriptors, "Echo"), descriptors, "mcp")
    assert definition["inputSchema"] == {
        "type": "object",
        "properties": {"value": {"description": "Any JSON value."}},
        "required": ["value"],
        "additionalProperties": False,
    }
    assert definition["outputSchema"] == {"type": "object", "properties": {"value": {"type": "object"}}}


def test_a_type_in_itself_is_unrolled_once_and_then_left_open(descriptors: Descriptors) -> None:
    children = parameters(descriptors, "Walk")["properties"]["children"]["items"]["properties"]["children"]
    open_node = {"type": "object", "properties": {}, "description": "Node; same fields as the whole."}
    assert children == {"type": "array", "items": open_node}


def test_proto2_defaults_are_in_the_schema(descriptors: Descriptors) -> None:
    message = descriptors.pool.FindMessageTypeByName("schema.proto2.All")
    properties = render_input(message, descriptors, Dialect(limits=LIMITS["mcp"], any_value={}))["properties"]
    defaults = {name: one["default"] for name, one in properties.items() if "default" in one}
    assert defaults == {"count": 7, "level": "HIGH", "data": "YWI=", "ratio": "Infinity"}


PLAIN = [profile for profile in PROFILES if profile != "openai-strict"]


@pytest.mark.parametrize("profile", PLAIN)
@pytest.mark.parametrize("method", METHODS)
def test_every_plain_schema_is_one_that_all_providers_take(
    descriptors: Descriptors, method: str, profile: str
) -> None:
    schema = parameters(descriptors, method, profile)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert not schema.keys() & {"anyOf", "oneOf", "allOf"}
    for node in _nodes(schema):
        assert not node.keys() & {"$ref", "$defs", "oneOf", "allOf", "not"}
        assert "anyOf" not in node or profile == "gemini"
        assert all(re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", key) for key in node.get("properties", {}))
        if profile != "gemini":
            assert node.get("type") != "object" or "properties" in node or _is_open(node)


@pytest.mark.parametrize("method", METHODS)
def test_gemini_gets_only_keywords_that_it_knows(descriptors: Descriptors, method: str) -> None:
    known = {
        "type",
        "description",
        "properties",
        "required",
        "items",
        "enum",
        "anyOf",
        "pattern",
        "format",
        "minimum",
    }
    for node in _nodes(parameters(descriptors, method, "gemini")):
        assert node.keys() <= known
        assert node.get("format") in (None, "date-time")
        assert node.get("properties") != {}
        assert not isinstance(node.get("type"), list)
        assert set(node.get("required", ())) <= set(node.get("properties", ()))


def test_gemini_gets_maps_as_lists_of_their_entries(descriptors: Descriptors) -> None:
    properties = parameters(descriptors, "Map", "gemini")["properties"]
    assert properties["by_int32"] == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"key": {"type": "integer"}, "value": {"type": "string"}},
            "required": ["key", "value"],
        },
        "description": "Each key is an integer (int32). A list of key/value entries.",
    }


def test_gemini_gets_no_parameters_where_there_are_none(descriptors: Descriptors) -> None:
    definition = render(tool(descriptors, "ListAllBooks"), descriptors, "gemini")
    assert definition == {"name": "Library_ListAllBooks", "description": "Does it."}


def test_anthropic_gets_name_description_and_input_schema(descriptors: Descriptors) -> None:
    definition = render(tool(descriptors, "Get"), descriptors, "anthropic")
    assert list(definition) == ["name", "description", "input_schema"]
    assert definition["input_schema"] == parameters(descriptors, "Get", "openai")


def test_a_name_that_would_fail_a_whole_request_to_anthropic_is_refused_with_the_cure() -> None:
    descriptors = generated(message("M0", 1, prefix="x" * 64))
    with pytest.raises(CatalogError, match=r'"generated.M0" has the field "x+1", .* hide the field with'):
        render(called(descriptors), descriptors, "anthropic")
    assert "parameters" in render(called(descriptors), descriptors, "openai")["function"]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_limit_has_its_source_and_its_date(profile: str) -> None:
    limits = LIMITS[profile]
    assert limits.source.startswith("https://")
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", limits.checked)


def test_there_are_limits_for_each_profile() -> None:
    assert set(LIMITS) == set(PROFILES)


@pytest.mark.parametrize("profile", PROFILES)
def test_each_provider_takes_the_longest_name_that_a_tool_gets(profile: str) -> None:
    assert re.fullmatch(LIMITS[profile].name, "a" * MAX_LENGTH)


def test_a_oneof_of_which_one_is_required_says_so_and_requires_no_member(descriptors: Descriptors) -> None:
    found = descriptors.pool.FindMessageTypeByName("schema.strict.Filter")
    schema = render_input(found, descriptors, Dialect(limits=LIMITS["mcp"], any_value={}))
    assert schema["description"] == "Exactly one of: comparison, all, not."
    assert "required" not in schema


def _is_open(node: dict[str, Any]) -> bool:
    return (
        "additionalProperties" in node
        or node.get("description") == "Any JSON object."
        or node.keys() == {"type"}
    )


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    yield schema
    for below in (
        *schema.get("properties", {}).values(),
        schema.get("items"),
        schema.get("additionalProperties"),
        *schema.get("anyOf", ()),
    ):
        if isinstance(below, dict):
            yield from _nodes(below)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("method", METHODS)
def test_rendering_twice_gives_the_same_bytes(descriptors: Descriptors, method: str, profile: str) -> None:
    once, again = (orjson.dumps(render(tool(descriptors, method), descriptors, profile)) for _ in range(2))
    assert once == again


def test_a_long_description_is_cut_for_openai_only(descriptors: Descriptors) -> None:
    long = tool(descriptors, "Get", "This is said. " * 200)
    assert len(render(long, descriptors, "openai")["function"]["description"]) <= 1024
    assert render(long, descriptors, "mcp")["description"] == long.description


def test_an_unknown_profile_is_a_programming_error(descriptors: Descriptors) -> None:
    with pytest.raises(KeyError):
        render(tool(descriptors, "Get"), descriptors, "no-such")


def generated(*messages: DescriptorProto, comment: str = "", syntax: str = "proto3") -> Descriptors:
    """Messages in a pool of their own; the first is asked for and answered; each field has the comment."""
    file = FileDescriptorProto(
        name="generated.proto", package="generated", syntax=syntax, message_type=messages
    )
    service = file.service.add(name="Library")
    service.method.add(
        name="Call", input_type=f".generated.{messages[0].name}", output_type=".generated.Last"
    )
    file.message_type.add(name="Last")
    for number, message in enumerate(messages if comment else ()):
        for index, _ in enumerate(message.field):
            file.source_code_info.location.add(
                path=[4, number, 2, index], span=[0, 0, 0], leading_comments=comment
            )
    return link(Loaded(files=FileDescriptorSet(file=[file]), services=["generated.Library"], trusted=True))


def message(name: str, fields: int, held: str | None = None, prefix: str = "field_") -> DescriptorProto:
    kind = FieldDescriptorProto.TYPE_STRING if held is None else FieldDescriptorProto.TYPE_MESSAGE
    made = DescriptorProto(name=name)
    for number in range(1, fields + 1):
        type_name = None if held is None else f".generated.{held}"
        label = FieldDescriptorProto.LABEL_OPTIONAL
        made.field.add(name=f"{prefix}{number}", number=number, type=kind, type_name=type_name, label=label)
    return made


def called(descriptors: Descriptors) -> Tool:
    found = descriptors.pool.FindMethodByName("generated.Library.Call")
    return Tool(name="Call", description="Calls.", method=found, backend="generated")


def call(descriptors: Descriptors) -> dict[str, Any]:
    return input_schema(render(called(descriptors), descriptors, "openai"))


def test_a_schema_that_would_double_with_each_level_is_cut_in_depth() -> None:
    levels = [message(f"M{level}", 2, f"M{level + 1}") for level in range(40)]
    schema = call(generated(*levels, message("M40", 1)))
    assert 1_000 < len(orjson.dumps(schema)) <= 64 * 1024
    assert list(schema["properties"]) == ["field_1", "field_2"]


def test_an_object_that_is_too_deep_still_shows_what_a_call_is_refused_without() -> None:
    levels = [message(f"M{level}", 2, f"M{level + 1}") for level in range(40)]
    for level in levels:
        kind, label = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.LABEL_OPTIONAL
        needed = level.field.add(name="needed", number=9, type=kind, label=label)
        behavior = needed.options.Extensions[field_behavior_pb2.field_behavior]
        behavior.append(field_behavior_pb2.REQUIRED)

    schema = call(generated(*levels, message("M40", 1)))
    while "field_1" in schema["properties"]:
        schema = schema["properties"]["field_1"]

    assert list(schema["properties"]) == schema["required"] == ["needed"]


def test_a_large_schema_loses_its_explanations_before_its_depth() -> None:
    sentence = "This field is explained at some length, in the first sentence. "
    schema = call(generated(message("M0", 1, "M1"), message("M1", 400), comment=sentence * 4))
    fields = schema["properties"]["field_1"]["properties"]
    assert len(orjson.dumps(schema)) <= 64 * 1024
    assert len(fields) == 400
    assert fields["field_1"]["description"] == sentence.strip()


def test_types_that_hold_each_other_many_times_over_are_cut() -> None:
    schema = call(generated(message("M0", 20, "M1"), message("M1", 20, "M0")))
    assert len(orjson.dumps(schema)) <= 64 * 1024
    assert len(schema["properties"]) == 20


def test_a_request_that_no_provider_would_take_is_refused_with_the_cure() -> None:
    with pytest.raises(CatalogError, match=r'"generated.M0" has so many fields .* hide the method'):
        call(generated(message("M0", 2_000, prefix="very_" * 30)))


def test_a_long_enum_is_told_in_words_and_checked_all_the_same() -> None:
    choice = DescriptorProto(name="M0")
    choice.field.add(
        name="choice",
        number=1,
        type=FieldDescriptorProto.TYPE_ENUM,
        type_name=".generated.M0.Choice",
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    values = choice.enum_type.add(name="Choice").value
    for number in range(150):
        values.add(name=f"CHOICE_{number}", number=number)
    descriptors = generated(choice)
    described = call(descriptors)["properties"]["choice"]
    assert "enum" not in described
    assert described["description"].startswith("One of CHOICE_0, CHOICE_1, ")
    assert described["description"].endswith(", CHOICE_29 and 120 more names.")
    decode = Decoder(descriptors).compile(descriptors.pool.FindMessageTypeByName("generated.M0"))
    with pytest.raises(InvalidArguments, match=r"Allowed: CHOICE_14\d?, .* and 130 more"):
        decode('{"choice": "CHOICE_1400"}')
