"""The well-known types that have a JSON form of their own → their kinds; Any has a file of its own."""

import math
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from broker.schema import times
from broker.schema.arguments import MAX_DEPTH, Reading, too_deep
from broker.schema.field_masks import decode_mask, encode_mask
from broker.schema.findings import read_as
from broker.schema.json_text import try_json_text
from broker.schema.notes import Leniency, Understood
from broker.schema.problems import Refused, expected
from broker.schema.scalars import SCALARS, Kind, encode_double

ANY = "google.protobuf.Any"
STRUCT = "google.protobuf.Struct"
LIST_VALUE = "google.protobuf.ListValue"
VALUE = "google.protobuf.Value"

_WRAPPED = {
    "DoubleValue": FieldDescriptor.TYPE_DOUBLE,
    "FloatValue": FieldDescriptor.TYPE_FLOAT,
    "Int64Value": FieldDescriptor.TYPE_INT64,
    "UInt64Value": FieldDescriptor.TYPE_UINT64,
    "Int32Value": FieldDescriptor.TYPE_INT32,
    "UInt32Value": FieldDescriptor.TYPE_UINT32,
    "BoolValue": FieldDescriptor.TYPE_BOOL,
    "StringValue": FieldDescriptor.TYPE_STRING,
    "BytesValue": FieldDescriptor.TYPE_BYTES,
}
# A Struct's map, its entry and its Value are a level each for protobuf's parsers, which accept 100.
_LEVELS_PER_VALUE = 3


def _wrapper(kind: Kind) -> Kind:
    """A wrapper is its scalar; it says by its absence that nothing is given."""

    def decode(value: Any, reading: Reading) -> dict[str, Any]:
        if type(value) is dict and reading.lenient and _is_wrapper(value):
            text = 'an object with "value" taken as its value'
            read_as(Leniency.WRAPPER_OBJECT, text, decode, value["value"], reading)
        try:
            return {"value": kind.decode(value, reading)}
        except Understood as inner:
            raise Understood({"value": inner.value}, inner.notes) from None

    value_of = attrgetter("value")
    scalar = kind.encode
    encode = value_of if scalar is None else lambda message: scalar(message.value)

    return Kind(
        phrase=kind.phrase,
        input=kind.input,
        output=kind.output,
        decode=decode,
        encode=encode,
        hint=kind.hint,
    )


def _is_wrapper(value: dict[str, Any]) -> bool:
    return value.keys() == {"value"} and type(value["value"]) is not dict


def _measured(value: Any, reading: Reading) -> Any:
    """The same value, when it is not nested too deep, and no integer in it would arrive as another."""
    if type(value) is dict or type(value) is list:
        _measure(value, (MAX_DEPTH - reading.depth) // _LEVELS_PER_VALUE, reading.lenient)
    elif reading.lenient and type(value) is int:
        _check_exact(value)
    return value


def _measure(value: Any, levels: int, is_exact: bool) -> None:
    """Raises Refused below so many levels, and for an integer that is rounded where that `is_exact`."""
    if levels < 0:
        raise too_deep()
    for item in value.values() if type(value) is dict else value:
        kind = type(item)
        if kind is dict or kind is list:
            _measure(item, levels - 1, is_exact)
        elif kind is int and is_exact:
            _check_exact(item)


def _check_exact(value: int) -> None:
    """Numbers in a Value are doubles: an ID of 19 digits would arrive as that of something else."""
    if int(float(value)) != value:
        raise Refused(f'{value} has more digits than a number here can hold; send it as text: "{value}".')


def _decode_struct(value: Any, reading: Reading) -> Any:
    if type(value) is not dict:
        try_json_text(_decode_struct, value, reading, dict)
        raise expected("an object", value)
    return _measured(value, reading)


def _decode_list(value: Any, reading: Reading) -> Any:
    if type(value) is not list:
        try_json_text(_decode_list, value, reading, list)
        raise expected("an array", value)
    return _measured(value, reading)


_MEMBER_OF_VALUE: Mapping[type, str] = {
    str: "string_value",
    int: "number_value",
    float: "number_value",
    bool: "bool_value",
    dict: "struct_value",
    list: "list_value",
}


def _decode_value(value: Any, reading: Reading) -> Any:
    if value is None:
        return {"null_value": 0}
    return {_MEMBER_OF_VALUE[type(value)]: _measured(value, reading)}


def _encode_struct(message: Any) -> dict[str, Any]:
    fields = message.fields
    return {key: _encode_value(fields[key]) for key in sorted(fields)}


def _encode_list(message: Any) -> list[Any]:
    return [_encode_value(value) for value in message.values]


def _encode_value(message: Any) -> Any:
    return _VALUE_MEMBERS[message.WhichOneof("kind")](message)


def _encode_number(message: Any) -> Any:
    number = message.number_value
    if number.is_integer() and -(2**53) <= number <= 2**53 and (number or math.copysign(1, number) > 0):
        return int(number)  # -0 is a number of its own, which an integer cannot say
    return encode_double(number)


_VALUE_MEMBERS: Mapping[str | None, Callable[[Any], Any]] = {
    "string_value": attrgetter("string_value"),
    "number_value": _encode_number,
    "bool_value": attrgetter("bool_value"),
    "struct_value": lambda message: _encode_struct(message.struct_value),
    "list_value": lambda message: _encode_list(message.list_value),
    "null_value": lambda _: None,
    None: lambda _: None,
}

_DYNAMIC_OBJECT = {"type": "object"}

WELL_KNOWN: Mapping[str, Kind] = {
    **{f"google.protobuf.{name}": _wrapper(SCALARS[number]) for name, number in _WRAPPED.items()},
    "google.protobuf.Timestamp": Kind(
        phrase="a point in time (RFC 3339)",
        input={"type": "string", "format": "date-time"},
        output={"type": "string"},
        decode=times.decode_timestamp,
        encode=lambda message: times.encode_timestamp(message.seconds, message.nanos),
        hint="RFC 3339, e.g. 2024-05-01T12:00:00Z.",
    ),
    "google.protobuf.Duration": Kind(
        phrase='a length of time ("3.5s")',
        input={"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
        output={"type": "string"},
        decode=times.decode_duration,
        encode=lambda message: times.encode_duration(message.seconds, message.nanos),
        hint="Seconds, e.g. 3.5s.",
    ),
    "google.protobuf.FieldMask": Kind(
        phrase="field paths, comma-separated",
        input={"type": "string"},
        output={"type": "string"},
        decode=decode_mask,
        encode=encode_mask,
        hint="Comma-separated field paths, e.g. display_name,labels.",
    ),
    STRUCT: Kind(
        phrase="an object",
        input=_DYNAMIC_OBJECT,
        output=_DYNAMIC_OBJECT,
        decode=_decode_struct,
        encode=_encode_struct,
        hint="Any JSON object.",
        dynamic=True,
    ),
    LIST_VALUE: Kind(
        phrase="an array",
        input={"type": "array", "items": {}},
        output={"type": "array"},
        decode=_decode_list,
        encode=_encode_list,
        hint="Any JSON array.",
        dynamic=True,
    ),
    VALUE: Kind(
        phrase="any JSON value",
        input={},
        output={},
        decode=_decode_value,
        encode=_encode_value,
        hint="Any JSON value.",
        takes_null=True,
        dynamic=True,
    ),
}
"""By full name. Their JSON is a value, not an object of their fields."""


def is_well_known(full_name: str) -> bool:
    """Whether a message of this type is not written as an object of its fields.

    >>> is_well_known("google.protobuf.Duration"), is_well_known("google.protobuf.Empty")
    (True, False)
    """
    return full_name == ANY or full_name in WELL_KNOWN


def build(message_class: Callable[..., Message], full_name: str, value: Any) -> Message:
    """A message of its own from what `decode` gives for a field of this type."""
    if isinstance(value, Message):
        return value
    if full_name not in (STRUCT, LIST_VALUE):
        return message_class(**value)
    built: Any = message_class()
    fill = built.update if full_name == STRUCT else built.extend
    fill(value)
    return cast("Message", built)
