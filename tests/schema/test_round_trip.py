"""Schema, decode and encode are one bijection: what holds for every message, proved on random ones."""

import base64
import json
import math
import os
from typing import Any

import jsonschema
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.errors import InvalidArguments
from broker.schema.profiles import PROFILES, render
from broker.schema.rendering import render_output
from broker.tool import Tool

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_DEPTH = 3
_EXAMPLES = int(os.environ.get("SCHEMA_EXAMPLES", "30"))
"""More are for a search by hand: then they are new ones each time."""
_RANDOM = settings(
    max_examples=_EXAMPLES,
    derandomize=_EXAMPLES == 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
NAMES = [
    "schema.proto3.Scalars",
    "schema.proto3.Repeated",
    "schema.proto3.Maps",
    "schema.proto3.Optionals",
    "schema.proto3.Choice",
    "schema.proto3.WellKnown",
    "schema.proto3.Node",
    "schema.proto3.Shadows",
    "schema.proto3.Spellings",
    "schema.proto3.Book",
    "schema.proto3.Request",
    "schema.proto2.All",
    "schema.editions.All",
    "google.protobuf.Value",
    "google.protobuf.Struct",
    "google.protobuf.ListValue",
    "google.protobuf.Any",
    "google.protobuf.FieldMask",
    "google.protobuf.FloatValue",
    "google.protobuf.Empty",
]


@pytest.mark.parametrize("name", NAMES)
def test_decoding_what_was_encoded_gives_the_same_message(codec: Any, name: str) -> None:
    @_RANDOM
    @given(messages(codec, codec.message(name)))
    def check(message: Any) -> None:
        assert _wire(codec.decode(name, _dumps(codec.encode(message)))) == _wire(message)

    check()


# json_format breaks on fields named like message methods, wraps no roots, and takes no null in a list.
WITHIN_JSON_FORMAT = [name for name in NAMES if name.startswith("schema") and not name.endswith("Shadows")]


def _within_json_format(message: Any) -> Any:
    if "nulls" in message.DESCRIPTOR.fields_by_name:
        message.ClearField("nulls")
    return message


@pytest.mark.parametrize("name", WITHIN_JSON_FORMAT)
def test_json_format_reads_what_was_encoded(codec: Any, name: str) -> None:
    @_RANDOM
    @given(messages(codec, codec.message(name)).map(_within_json_format))
    def check(message: Any) -> None:
        restored = json_format.Parse(
            _dumps(codec.encode(message)), codec.new(name), descriptor_pool=codec.descriptors.pool
        )
        # Not by their bytes: json_format writes what an Any holds in any order.
        assert codec.encode(restored) == codec.encode(message)

    check()


@pytest.mark.parametrize("name", WITHIN_JSON_FORMAT)
def test_decoding_what_json_format_prints_gives_the_same_message(codec: Any, name: str) -> None:
    @_RANDOM
    @given(messages(codec, codec.message(name)).map(_within_json_format), st.booleans())
    def check(message: Any, proto_names: bool) -> None:
        printed = json_format.MessageToJson(
            message, preserving_proto_field_name=proto_names, descriptor_pool=codec.descriptors.pool
        )
        assert _wire(codec.decode(name, printed)) == _wire(message)

    check()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_encoded_fits_the_output_schema(codec: Any, name: str) -> None:
    schema = render_output(codec.message(name), codec.descriptors)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)

    @_RANDOM
    @given(messages(codec, codec.message(name)))
    def check(message: Any) -> None:
        validator.validate(json.loads(_dumps(codec.encode(message))))

    check()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", [*NAMES, "schema.strict.Query", "schema.strict.Filter"])
def test_what_fits_the_input_schema_is_decoded(codec: Any, name: str, profile: str) -> None:
    schema, strict = _parameters(codec, name, profile)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)

    @_RANDOM
    @given(instances(schema, schema.get("$defs", {})))
    def check(instance: Any) -> None:
        validator.validate(instance)
        try:
            codec.decode(name, json.dumps(instance))
        except InvalidArguments as refused:
            # What no schema in these dialects says: times and types that exist, numbers that fit, how deep a
            # thing may be; and only a strict one says how many members of a oneof there may be.
            said_in_words = () if profile == "mcp" else ("a key of this map is", "is given twice")
            oneofs = () if strict else ("cannot be given together", "Missing required: ")
            for line in refused.problems:
                assert any(word in line for word in (*_UNSAYABLE, *said_in_words, *oneofs)), line

    check()


def _parameters(codec: Any, name: str, profile: str) -> tuple[Any, bool]:
    """The schema of a request of this type, as the profile's tool has it, and whether it is strict."""
    tool = Tool(name="Call", description="Calls.", method=_taking(codec, codec.message(name)), backend="any")
    definition = render(tool, codec.descriptors, profile)
    found = definition.get("function", definition)
    # Gemini refuses an object without properties, and takes none instead.
    keys = ("parameters", "inputSchema", "input_schema")
    schema = next((found[key] for key in keys if key in found), {"type": "object", "properties": {}})
    return schema, found.get("strict", False)


def _taking(codec: Any, message: Descriptor) -> MethodDescriptor:
    """A method that takes and gives such a message; to add the same file again is nothing to the pool."""
    service = f"calls.{message.full_name}Service"
    package, _, own = service.rpartition(".")
    file = FileDescriptorProto(name=f"{service}.proto", package=package, dependency=[message.file.name])
    full_name = f".{message.full_name}"
    file.service.add(name=own).method.add(name="Call", input_type=full_name, output_type=full_name)
    codec.descriptors.pool.AddSerializedFile(file.SerializeToString())
    found: MethodDescriptor = codec.descriptors.pool.FindMethodByName(f"{service}.Call")
    return found


_UNSAYABLE = (
    "is no type that", "out of range", "is no point in time", "within the years",
    "length of time is at most", "is written as {", "point in time (RFC 3339", "not base64", "field paths",
    "offset from UTC", "nested too deep", "the URL of the type",
    "Missing required: sequel.sequel.title", "Missing required: all.all.name",
)  # fmt: skip


@_RANDOM
@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "name", "children", "named", "next", "any", "@type", "value", "Name", "key", "[x]", "",
    ]) | _TEXT, inner, max_size=3),
    max_leaves=12,
))  # fmt: skip
@pytest.mark.parametrize(
    "name", ["schema.proto3.Node", "schema.proto3.WellKnown", "schema.proto3.Maps", "schema.proto2.All"]
)
def test_any_json_gives_a_message_or_problems(codec: Any, name: str, value: Any) -> None:
    _message_or_problems(codec, name, json.dumps(value))


@_RANDOM
@given(text=st.text(max_size=40) | st.text('{}[]":,0e-\\u n', max_size=40))
def test_any_text_gives_a_message_or_problems(codec: Any, text: str) -> None:
    _message_or_problems(codec, "schema.proto3.Node", text)


def _message_or_problems(codec: Any, name: str, text: str) -> None:
    problems = [""]
    try:
        codec.decode(name, text).SerializeToString()
    except InvalidArguments as refused:
        problems = [*refused.problems, refused.message]
    assert problems
    "".join(problems).encode()


@_RANDOM
@given(data=st.data())
@pytest.mark.parametrize(
    "name", ["schema.proto3.Scalars", "schema.proto3.WellKnown", "schema.proto3.Repeated"]
)
def test_one_bad_field_is_named_by_its_path(codec: Any, name: str, data: st.DataObject) -> None:
    message = data.draw(messages(codec, codec.message(name)))
    field = data.draw(st.sampled_from(list(codec.message(name).fields)))
    wrong: Any = {"not": "this"} if field.type != FieldDescriptor.TYPE_MESSAGE else 10**400
    encoded = codec.encode(message) | {field.name: wrong}
    if isinstance(wrong, int) or _takes_objects(field):
        return
    assert [
        line.partition(":")[0].partition(".")[0].partition("[")[0]
        for line in codec.problems(name, _dumps(encoded))
    ] == [field.name]


def _takes_objects(field: FieldDescriptor) -> bool:
    return field.message_type is not None


def _wire(message: Any) -> bytes:
    return bytes(type(message).SerializeToString(message, deterministic=True))


def _dumps(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


@st.composite
def messages(draw: st.DrawFn, codec: Any, message: Descriptor, depth: int = 0) -> Any:
    """A message of any content that JSON can carry."""
    special = _SPECIAL.get(message.full_name)
    if special is not None:
        return draw(special(codec, message, depth))
    fields: dict[str, Any] = {}
    chosen = draw(st.lists(st.sampled_from(list(message.fields)), max_size=6)) if message.fields else []
    taken = {field.containing_oneof.name: field for field in chosen if field.containing_oneof is not None}
    for field in message.fields:
        one = field.containing_oneof is None or taken.get(field.containing_oneof.name) is field
        if field.is_required or (field in chosen and one) or _must_be_given(codec, field):
            if depth >= _DEPTH and field.message_type is not None and not _must_be_given(codec, field):
                continue
            fields[field.name] = draw(_values(codec, field, depth))
    return codec.descriptors.message_class(message)(**fields)


def _must_be_given(codec: Any, field: FieldDescriptor) -> bool:
    return "REQUIRED" in codec.descriptors.field_options(field).behavior


def _values(codec: Any, field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        return st.dictionaries(_single(codec, key, depth), _single(codec, value, depth), max_size=3)
    single = _single(codec, field, depth)
    if _must_be_given(codec, field) and field.type == FieldDescriptor.TYPE_STRING:
        single = _TEXT.filter(bool)
    return st.lists(single, max_size=3) if field.is_repeated else single


def _single(codec: Any, field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(codec, field.message_type, depth + 1)
    if field.enum_type is not None:
        return st.sampled_from(_numbers(field.enum_type))
    return _SCALARS[field.type]


def _numbers(enum: EnumDescriptor) -> list[int]:
    return [value.number for value in enum.values]


_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_DOUBLE: st.floats().filter(lambda number: not math.isnan(number)),
    # Less than the largest float: json_format does not read back what it prints for that one.
    FieldDescriptor.TYPE_FLOAT: st.floats(-(2.0**127), 2.0**127, width=32)
    | st.sampled_from([math.inf, -math.inf]),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=8),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32),
        st.integers(-(2**31), 2**31 - 1),
    ),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32), st.integers(0, 2**32 - 1)),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64),
        st.integers(-(2**63), 2**63 - 1),
    ),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64), st.integers(0, 2**64 - 1)),
}

_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


def _parsed(json_values: st.SearchStrategy[Any]) -> Any:
    """The messages that json_format makes of JSON values."""

    def strategy(codec: Any, message: Descriptor, depth: int) -> st.SearchStrategy[Any]:
        return json_values.map(
            lambda value: json_format.ParseDict(
                value, codec.descriptors.message_class(message)(), descriptor_pool=codec.descriptors.pool
            )
        )

    return strategy


def _timestamps(codec: Any, message: Descriptor, depth: int) -> st.SearchStrategy[Any]:
    seconds, nanos = st.integers(-62135596800, 253402300799), st.integers(0, 999_999_999)
    return st.builds(codec.descriptors.message_class(message), seconds=seconds, nanos=nanos | st.just(0))


def _durations(codec: Any, message: Descriptor, depth: int) -> st.SearchStrategy[Any]:
    lengths = st.integers(-315576000000 * 10**9, 315576000000 * 10**9)
    made = codec.descriptors.message_class(message)
    return lengths.map(
        lambda nanos: made(
            seconds=int(math.copysign(abs(nanos) // 10**9, nanos)),
            nanos=int(math.copysign(abs(nanos) % 10**9, nanos)),
        )
    )


def _masks(codec: Any, message: Descriptor, depth: int) -> st.SearchStrategy[Any]:
    paths = st.from_regex(r"[a-z]{1,5}(_[a-z]{1,5}){0,2}(\.[a-z]{1,3})?", fullmatch=True)
    return st.builds(codec.descriptors.message_class(message), paths=st.lists(paths, max_size=3))


def _anys(codec: Any, message: Descriptor, depth: int) -> st.SearchStrategy[Any]:
    names = [
        "schema.proto3.Scalars",
        "google.protobuf.Duration",
        "google.protobuf.Value",
        "google.protobuf.Empty",
    ]
    made = codec.descriptors.message_class(message)

    def packed(held: Any) -> Any:
        return made(type_url=f"type.googleapis.com/{type(held).DESCRIPTOR.full_name}", value=_wire(held))

    held = [messages(codec, codec.descriptors.pool.FindMessageTypeByName(name), _DEPTH) for name in names]
    return st.one_of(st.just(made()), *(one.map(packed) for one in held))


_SPECIAL: dict[str, Any] = {
    "google.protobuf.Value": _parsed(_JSON),
    "google.protobuf.Struct": _parsed(st.dictionaries(_TEXT, _JSON, max_size=3)),
    "google.protobuf.ListValue": _parsed(st.lists(_JSON, max_size=3)),
    "google.protobuf.Timestamp": _timestamps,
    "google.protobuf.Duration": _durations,
    "google.protobuf.FieldMask": _masks,
    "google.protobuf.Any": _anys,
}


def instances(schema: Any, definitions: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """JSON values that fit a schema, for the keywords that ours are made of."""
    if "$ref" in schema:
        return instances(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions, depth + 1)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    branches = schema.get("anyOf", [])
    if isinstance(schema.get("type"), list):
        branches = [{**schema, "type": one} for one in schema["type"]]
    if branches:
        null = any(one.get("type") == "null" for one in branches)
        if depth >= _DEPTH:
            branches = [{"type": "null"}] if null else branches[:1]
        return st.one_of(*(instances(one, definitions, depth) for one in branches))
    if "type" not in schema:
        return _JSON
    match schema["type"]:
        case "object":
            return _objects(schema, definitions, depth)
        case "array":
            items = schema["items"]
            return st.lists(
                st.deferred(lambda: instances(items, definitions, depth + 1)) if items else _JSON, max_size=2
            )
        case "string":
            return _strings(schema)
        case "integer":
            return st.integers(max(schema.get("minimum", -(2**31)), -(2**31)), 2**31 - 1)
        case "number":
            return st.floats(width=32, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case _:
            return st.none()


def _strings(schema: Any) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda time: f"{time.isoformat()}Z")
    if "pattern" in schema:
        return st.from_regex(
            schema["pattern"].replace("+", "{1,9}").replace("$", ""), fullmatch=True, alphabet="-.0123456789s"
        )
    return (
        _TEXT
        if "contentEncoding" not in schema
        else st.binary(max_size=4).map(lambda data: base64.b64encode(data).decode())
    )


def _objects(schema: Any, definitions: Any, depth: int) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        if "additionalProperties" not in schema and "Any JSON" not in schema.get("description", ""):
            return st.just({})  # a type that is left open, or has no fields
        values = schema.get("additionalProperties")
        keys = _keys(schema.get("propertyNames"))
        return st.dictionaries(
            keys, _JSON if values is None else instances(values, definitions, depth), max_size=2
        )
    known = {name: instances(one, definitions, depth) for name, one in schema["properties"].items()}
    required = {name: known[name] for name in schema.get("required", [])}
    optional = {name: one for name, one in known.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _keys(schema: Any) -> st.SearchStrategy[str]:
    if schema is None:
        return _TEXT
    return st.sampled_from(schema["enum"]) if "enum" in schema else st.integers(0, 2**31 - 1).map(str)
