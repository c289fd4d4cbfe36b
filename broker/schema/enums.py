"""An enum's descriptor → its kind: names are written, numbers and unique spellings are read too."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor
from google.protobuf.descriptor_pb2 import EnumDescriptorProto

from broker.schema import leniency
from broker.schema.arguments import Ignored, Reading, may_search
from broker.schema.notes import Leniency, understood
from broker.schema.problems import Refused, expected, got, listed, plain, quoted, suggestion
from broker.schema.scalars import Kind

_NULL_VALUE = "google.protobuf.NullValue"
_INTEGER = re.compile(r"-?[0-9]{1,10}")
MAX_LISTED = 100
"""Values of an enum that a schema lists; a longer list costs more than it tells."""
_MAX_NAMED = 30
_REST_CUTOFF = 0.5


def enumeration(enum: EnumDescriptor, withheld: Collection[str] = ()) -> Kind:
    """The kind of the enum's values without those of the names that are `withheld`.

    google.protobuf.NullValue is JSON's null.
    """
    return _null_kind() if enum.full_name == _NULL_VALUE else _enum_kind(enum, withheld)


def seen(enum: EnumDescriptor, withheld: Collection[str]) -> list[EnumValueDescriptor]:
    """The values but those of the names that are `withheld`."""
    return [value for value in enum.values if value.name not in withheld]


def offered(enum: EnumDescriptor, unspecified: bool, withheld: Collection[str] = ()) -> list[str]:
    """The names to offer a model: one for each number, without deprecated and `withheld` ones, and without
    the zero that says "nothing given" unless `unspecified`."""
    values = seen(enum, withheld)
    names = {value.number: value.name for value in reversed(values) if not _deprecated(value)}
    said = [value for value in values if names.get(value.number) == value.name]
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


def _enum_kind(enum: EnumDescriptor, withheld: Collection[str]) -> Kind:
    values = seen(enum, withheld)
    numbers = {value.name: value.number for value in values}
    names = {value.number: value.name for value in reversed(values)}
    # Their numbers are known, and must not be taken for those of a newer .proto.
    hidden = {value.number for value in enum.values} - names.keys()
    spellings: list[Mapping[str, set[str]]] = []
    # A model has no reason to send a number that has no name, though ProtoJSON allows it.
    keeps_unknown = not enum.is_closed

    def decode(value: Any, reading: Reading) -> int:
        try:
            return numbers[value]
        except (KeyError, TypeError):
            pass  # a number, another spelling, or none of them
        number = _number(value)
        keeps = keeps_unknown and not reading.lenient and number not in hidden
        if number in names or (number is not None and keeps):
            return number
        if reading.ignores_unknown and type(value) is str and number is None:
            raise Ignored
        if number is None and reading.lenient and type(value) is str:
            if not spellings:
                spellings.extend(leniency.enum_spellings(list(numbers), enum.name))
            name = leniency.enum_name(value, spellings, numbers)
            if name is not None:
                text = f'{got(value)} taken as "{name}"'
                raise understood(numbers[name], Leniency.ENUM_SPELLING, text)
        raise _refused(enum, value, names if may_search(reading) else {})

    return Kind(
        phrase=f"a {enum.name} value",
        input=schema(offered(enum, True, withheld))[0],
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


def _refused(enum: EnumDescriptor, value: Any, names: dict[int, str]) -> Refused:
    if not names:
        return Refused(f"{got(value)} is not a {enum.name} value.")
    numbers = dict.fromkeys(value.number for value in enum.values)
    known = [names[number] for number in numbers if number in names]
    if type(value) is not str:
        return Refused(f"{got(value)} is not a {enum.name} value. Allowed: {listed(known)}.")
    near = suggestion(value, known) or _suggestion_of_rest(value, known)
    removed = " It was removed from the API." if value in _reserved(enum) else ""
    fact = f"{quoted(value)} is not a {enum.name} value.{removed}"
    return Refused(f"{fact} Allowed: {listed(known, value)}.{near}")


def _suggestion_of_rest(value: str, known: Sequence[str]) -> str:
    """Models leave out the prefix. It would hide that the rest is near, and make near what is not."""
    prefix = leniency.common_prefix(known)
    return suggestion(value, known, skip=prefix, cutoff=_REST_CUTOFF) if prefix and plain(value) else ""


def _reserved(enum: EnumDescriptor) -> Collection[str]:
    proto = EnumDescriptorProto()
    enum.CopyToProto(proto)
    return proto.reserved_name


def _null_kind() -> Kind:
    def decode(value: Any, _: Reading) -> int:
        if value is None or value == "NULL_VALUE" or (type(value) is int and value == 0):
            return 0
        raise expected("null", value)

    null = {"type": "null"}
    return Kind(phrase="null", input=null, output=null, decode=decode, encode=lambda _: None, takes_null=True)
