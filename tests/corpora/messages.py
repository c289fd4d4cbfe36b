"""Random messages of any type, from a seed: what JSON can carry, with all that is required."""

import json
import math
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.schema.update_mask import resource_of

_DEPTH = 3
_MAX_DEPTH = 40
_WORDS = (
    "",
    "a",
    "Zürich",
    "北京",
    "two words",
    'q"uo\\te',
    "line\nbreak",
    "0",
    "null",
    "\u2028",
    "😀",
    "a:b",
    "{}",
    "x",
    "ab-12",
    "abbc",
    "a.b",
    "ada@example.com",
    "123e4567-e89b-42d3-a456-426614174000",
    "192.0.2.1",
)
_JSON: Sequence[Any] = (None, True, 1.5, -3.0, "text", [], {}, ["a", 1.0, None], {"k": {"l": [False]}})
_ANYS = ("Duration", "Timestamp", "Struct", "Empty", "StringValue")


class Unsatisfiable(Exception):
    """A type of which no finite message exists, or only one too deep for JSON."""


class Messages:
    """Makes messages of one pool's types."""

    def __init__(self, descriptors: Descriptors, seed: str) -> None:
        self._descriptors = descriptors
        self._random = random.Random(seed)

    def make(self, message: Descriptor, depth: int = 0) -> Any:
        """A message of the type; raises Unsatisfiable."""
        if depth > _MAX_DEPTH:
            raise Unsatisfiable(message.full_name)
        special = _SPECIAL.get(message.full_name)
        if special is not None:
            return special(self, message)
        made = self._class(message)()
        for field in self._chosen(message, depth):
            self._fill(made, field, depth)
        return made

    def _class(self, message: Descriptor) -> type[Message]:
        return self._descriptors.message_class(message)

    def _chosen(self, message: Descriptor, depth: int) -> list[FieldDescriptor]:
        """The fields to fill, at most one of each oneof."""
        shown = [field for field in message.fields if not self._descriptors.field_options(field).hidden]
        count = self._random.randint(0, 6 if depth < _DEPTH else 2)
        drawn = self._random.sample(shown, min(count, len(shown)))
        wanted = [field for field in drawn if depth < _DEPTH or field.message_type is None]
        chosen = {field.name: field for field in shown if self._must(field) or field in wanted}
        for oneof in message.oneofs:
            members = [field for field in oneof.fields if field.name in chosen]
            for field in members[1:]:
                del chosen[field.name]
        return list(chosen.values())

    def _must(self, field: FieldDescriptor) -> bool:
        return field.is_required or "REQUIRED" in self._descriptors.field_options(field).behavior

    def _fill(self, made: Message, field: FieldDescriptor, depth: int) -> None:
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            value: Any = {}
            for _ in range(self._random.randint(1, 2)):
                key = self._one(entry.fields_by_name["key"], depth)
                value[key] = self._one(entry.fields_by_name["value"], depth)
        elif field.is_repeated:
            value = [self._one(field, depth) for _ in range(self._random.randint(1, 2))]
        else:
            value = self._one(field, depth)
        # A field may be named MergeFrom, and an attribute then means the field.
        one = type(made)(**{field.name: value})
        type(made).MergeFrom(made, one)

    def _one(self, field: FieldDescriptor, depth: int) -> Any:
        resource = resource_of(field)
        if resource is not None and resource.message_type is not None and field.message_type is not None:
            # The paths of an update mask are fields of the resource.
            names = [one.name for one in resource.message_type.fields][:3]
            return self._class(field.message_type)(paths=names)
        if field.message_type is not None:
            return self.make(field.message_type, depth + 1)
        # What is required and has no presence must differ from zero to be seen in a nested message.
        zero = not self._must(field) or field.has_presence or field.is_repeated
        if field.enum_type is not None:
            numbers = [value.number for value in field.enum_type.values]
            return self._random.choice(numbers if zero else ([n for n in numbers if n] or numbers))
        made = _SCALARS[field.cpp_type if field.type != FieldDescriptor.TYPE_BYTES else -1](self._random)
        return made if zero or made else _NONZERO[type(made)]

    def _timestamp(self, message: Descriptor) -> Message:
        seconds = self._random.randint(-62135596800, 253402300799)
        return self._class(message)(
            seconds=seconds, nanos=self._random.choice((0, 1, 120_000_000, 999_999_999))
        )

    def _duration(self, message: Descriptor) -> Message:
        sign, seconds = self._random.choice((1, -1)), self._random.choice((0, 1, 59, 315_576_000_000))
        nanos = self._random.choice((0, 1, 500_000_000))
        return self._class(message)(seconds=sign * seconds, nanos=sign * nanos)

    def _mask(self, message: Descriptor) -> Message:
        return self._class(message)(paths=self._random.sample(("name", "display_name", "a.b_c"), 2))

    def _struct(self, message: Descriptor) -> Message:
        value = dict(zip(("k", "北"), self._random.sample(_JSON, 2), strict=True))
        return self._parsed(message, value)

    def _list(self, message: Descriptor) -> Message:
        return self._parsed(message, self._random.sample(_JSON, 2))

    def _value(self, message: Descriptor) -> Message:
        return self._parsed(message, self._random.choice(_JSON))

    def _parsed(self, message: Descriptor, value: Any) -> Message:
        return json_format.Parse(json.dumps(value), self._class(message)())

    def _any(self, message: Descriptor) -> Message:
        try:
            name = f"google.protobuf.{self._random.choice(_ANYS)}"
            held = self.make(self._descriptors.pool.FindMessageTypeByName(name))
        except KeyError:  # the pool holds only what its files import
            return self._class(message)()
        return self._class(message)(type_url=f"type.googleapis.com/{name}", value=wire(held))


def wire(message: Any) -> bytes:
    """Its bytes, equal for equal messages."""
    return bytes(type(message).SerializeToString(message, deterministic=True))


def _float(source: random.Random) -> float:
    return float(struct.unpack("f", struct.pack("f", source.choice((0.0, 0.1, -2.5, 1e30, math.inf))))[0])


def _edges(low: int, high: int) -> Callable[[random.Random], int]:
    return lambda source: source.choice((0, 1, low, high, source.randint(low, high)))


_SCALARS: Mapping[int, Callable[[random.Random], Any]] = {
    FieldDescriptor.CPPTYPE_INT32: _edges(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: _edges(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: _edges(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: _edges(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: lambda source: source.choice((0.0, 0.1, -1e300, 5e-324, -math.inf)),
    FieldDescriptor.CPPTYPE_FLOAT: _float,
    FieldDescriptor.CPPTYPE_BOOL: lambda source: source.random() < 0.5,
    FieldDescriptor.CPPTYPE_STRING: lambda source: source.choice(_WORDS),
    -1: lambda source: source.randbytes(source.randint(0, 4)),
}
"""By type in C++; bytes, which are strings there, under -1."""
_NONZERO: Mapping[type, Any] = {int: 1, float: 0.5, bool: True, str: "must", bytes: b"must"}

_SPECIAL: Mapping[str, Callable[[Messages, Descriptor], Message]] = {
    "google.protobuf.Timestamp": Messages._timestamp,
    "google.protobuf.Duration": Messages._duration,
    "google.protobuf.FieldMask": Messages._mask,
    "google.protobuf.Struct": Messages._struct,
    "google.protobuf.ListValue": Messages._list,
    "google.protobuf.Value": Messages._value,
    "google.protobuf.Any": Messages._any,
}
