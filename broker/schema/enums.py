"""An enum's descriptor → its kind: names are written, numbers and unique spellings are read too."""

import re
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

from broker.schema import leniency
from broker.schema.arguments import Ignored, Reading
from broker.schema.problems import Refused, expected, got, listed, plain, quoted, suggestion
from broker.schema.scalars import Kind

_NULL_VALUE = "google.protobuf.NullValue"
_INTEGER = re.compile(r"-?[0-9]{1,10}")
MAX_LISTED = 100
"""Values of an enum that a schema lists; a longer list costs more than it tells."""
_MAX_NAMED = 30
_MAX_WORD = 200


def enumeration(enum: EnumDescriptor) -> Kind:
    """The kind of the enum's values; google.protobuf.NullValue is JSON's null."""
    return _null_kind() if enum.full_name == _NULL_VALUE else _enum_kind(enum)


def offered(enum: EnumDescriptor, unspecified: bool) -> list[str]:
    """The names to offer a model: one for each number, without deprecated ones, and without the zero that
    says "nothing given" unless `unspecified`."""
    names = {value.number: value.name for value in reversed(enum.values) if not _deprecated(value)}
    said = [value for value in enum.values if names.get(value.number) == value.name]
    kept = [value.name for value in said if unspecified or not value.name.endswith("_UNSPECIFIED")]
    return kept if kept else [value.name for value in said]


def _deprecated(value: EnumValueDescriptor) -> bool:
    return value.has_options and value.GetOptions().deprecated


def schema(names: Sequence[str]) -> tuple[dict[str, Any], str | None]:
    """The JSON Schema of an enum's names, and what must be said in words where they are too many to list."""
    if len(names) <= MAX_LISTED:
        return {"type": "string", "enum": list(names)}, None
    more = len(names) - _MAX_NAMED
    return {"type": "string"}, f"One of {', '.join(names[:_MAX_NAMED])} and {more:,} more names."


def _enum_kind(enum: EnumDescriptor) -> Kind:
    numbers = {value.name: value.number for value in enum.values}
    names = {value.number: value.name for value in reversed(enum.values)}
    prefixes: list[str] = []
    # A model has no reason to send a number that has no name, though ProtoJSON allows it.
    keeps_unknown = not enum.is_closed

    def decode(value: Any, reading: Reading) -> int:
        try:
            return numbers[value]
        except (KeyError, TypeError):
            pass  # a number, another spelling, or none of them
        if not prefixes:
            prefixes.extend((plain(enum.name), plain(_common_prefix(list(numbers)))))
        number = _number(value)
        if number is None and reading.lenient and type(value) is str and len(value) <= _MAX_WORD:
            number = leniency.enum_number(value, numbers, prefixes)
        if number in names or (number is not None and keeps_unknown and not reading.lenient):
            return number
        if reading.ignores_unknown and type(value) is str and number is None:
            raise Ignored
        raise _refused(enum, value, names, prefixes)

    return Kind(
        phrase=f"a {enum.name} value",
        input=schema(offered(enum, unspecified=True))[0],
        output={"type": ["string", "integer"]},  # a number that this .proto does not know is printed as it is
        decode=decode,
        encode=lambda number: names.get(number, number),
    )


def _number(value: Any) -> int | None:
    """The number (32 bits) that stands for a value of the enum; None for all else."""
    if type(value) is str and _INTEGER.fullmatch(value):
        value = int(value)
    whole = type(value) is int or (type(value) is float and value.is_integer())
    return int(value) if whole and -(2**31) <= value < 2**31 else None


def _common_prefix(names: Sequence[str]) -> str:
    """What all names begin with, up to and with an underscore."""
    first, last = min(names), max(names)  # what these two share, all between them share
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[:same].rpartition("_")[0]


def _refused(enum: EnumDescriptor, value: Any, names: dict[int, str], prefixes: Sequence[str]) -> Refused:
    known = [names[number] for number in dict.fromkeys(value.number for value in enum.values)]
    if type(value) is not str:
        return Refused(f"{got(value)} is not a {enum.name} value. Allowed: {listed(known)}.")
    # Models leave out the prefix, and a long prefix would hide that the rest is near.
    near = suggestion(value, known) or (suggestion(f"{prefixes[0]}_{value}", known) if plain(value) else "")
    return Refused(f"{quoted(value)} is not a {enum.name} value. Allowed: {listed(known, value)}.{near}")


def _null_kind() -> Kind:
    def decode(value: Any, _: Reading) -> int:
        if value is None or value == "NULL_VALUE" or (type(value) is int and value == 0):
            return 0
        raise expected("null", value)

    null = {"type": "null"}
    return Kind(phrase="null", input=null, output=null, decode=decode, encode=lambda _: None, takes_null=True)
