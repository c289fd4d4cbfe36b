"""A field's rules → what its schema says of it, and of each of its items, keys or values."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.rules import Rules
from broker.schema import enums, kinds
from broker.schema.constraints import NONE, Constraints, Piece, combined
from broker.schema.number_rules import NUMBERS, bool_pieces, number_pieces
from broker.schema.other_rules import (
    any_pieces,
    duration_pieces,
    enum_pieces,
    mask_pieces,
    timestamp_pieces,
)
from broker.schema.text_rules import bytes_pieces, string_pieces

_PIECES: Mapping[str, Callable[[Rules], Iterator[Piece]]] = {
    **dict.fromkeys(NUMBERS, number_pieces),
    "string": string_pieces,
    "bytes": bytes_pieces,
    "bool": bool_pieces,
    "any": any_pieces,
    "duration": duration_pieces,
    "timestamp": timestamp_pieces,
    "field_mask": mask_pieces,
}
_TYPES: Mapping[int, str] = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in (*NUMBERS, "string", "bytes", "bool", "enum")
}
_MESSAGES: Mapping[str, str] = {
    **{
        f"google.protobuf.{name}Value": name.lower()
        for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
    },
    "google.protobuf.Any": "any",
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.FieldMask": "field_mask",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldConstraints:
    """What the rules say of a field."""

    whole: Constraints = NONE
    """Of the list or map itself, or of the one value."""
    each: Constraints = NONE
    """Of each item of a list, and each value of a map."""
    key: Constraints = NONE
    """Of each key of a map."""

    @property
    def words(self) -> tuple[str, ...]:
        """What no keyword says."""
        return (
            *self.whole.words,
            *(f"Each item: {words}" for words in self.each.words),
            *(f"Each key: {words}" for words in self.key.in_words),
        )

    @property
    def in_words(self) -> tuple[str, ...]:
        """All of it."""
        return (
            *self.whole.in_words,
            *(f"Each item: {words}" for words in self.each.in_words),
            *(f"Each key: {words}" for words in self.key.in_words),
        )


NO_RULES = FieldConstraints()


def constraints(field: FieldDescriptor, options: FieldOptions) -> FieldConstraints:
    """What protovalidate's rules and google.api.field_info say, in keywords where there are some."""
    rules = options.rules
    if rules is None and options.format is None:
        return NO_RULES
    said = (
        NO_RULES
        if rules is None or rules.ignore == "ALWAYS"
        else _of_field(field, rules, options.withheld_values)
    )
    known = _FORMATS.get(str(options.format)) if field.type == FieldDescriptor.TYPE_STRING else None
    return said if known is None else _formatted(said, known, many=field.is_repeated)


_FORMATS = {"UUID4": "uuid", "IPV4": "ipv4", "IPV6": "ipv6"}


def _formatted(said: FieldConstraints, known: str, many: bool) -> FieldConstraints:
    """With the format that google.api.field_info gives. https://google.aip.dev/202"""
    one = said.each if many else said.whole
    one = replace(one, keywords={"format": known, **one.keywords})
    return replace(said, each=one) if many else replace(said, whole=one)


def legacy_words(field: FieldDescriptor, options: FieldOptions) -> tuple[str, ...]:
    """What the rules of protoc-gen-validate say, in words: nothing here checks them."""
    rules = options.legacy_rules
    if rules is None:
        return ()
    if rules.flag("ignore_empty"):
        rules = replace(rules, ignore="IF_ZERO_VALUE")
    required = ("Required.",) if rules.flag("required") else ()
    return (*required, *_of_field(field, rules, options.withheld_values).in_words)


def _of_field(field: FieldDescriptor, rules: Rules, withheld: Collection[str]) -> FieldConstraints:
    if kinds.is_map(field):
        entry = kinds.entry_fields(field)
        return FieldConstraints(
            whole=combined(rules, [*_presence(field, rules), *_counts(rules, "map", "pairs", "Properties")]),
            each=_nested(entry["value"], rules, ("map", "values"), withheld),
            key=_nested(entry["key"], rules, ("map", "keys"), withheld),
        )
    if field.is_repeated:
        pieces = [*_presence(field, rules), *_counts(rules, "repeated", "items", "Items")]
        return FieldConstraints(
            whole=combined(rules, pieces), each=_nested(field, rules, ("repeated", "items"), withheld)
        )
    return FieldConstraints(
        whole=combined(rules, [*_presence(field, rules), *_pieces(field, rules, withheld)])
    )


def _nested(
    field: FieldDescriptor, rules: Rules, place: tuple[str, str], withheld: Collection[str]
) -> Constraints:
    kind, name = place
    rules = rules if rules.kind == kind else Rules()
    nested = rules.nested(name)
    if nested is None or nested.ignore == "ALWAYS":
        return NONE
    return combined(nested, _pieces(field, nested, withheld))


def _counts(rules: Rules, kind: str, unit: str, suffix: str) -> Iterator[Piece]:
    if rules.kind != kind:
        return
    least, most = rules.number(f"min_{unit}"), rules.number(f"max_{unit}")
    if least:
        yield Piece(keywords={f"min{suffix}": least}, refuses_zero=True)
    if most is not None:
        yield Piece(keywords={f"max{suffix}": most})
    if rules.flag("unique"):
        yield Piece(keywords={"uniqueItems": True})


def _presence(field: FieldDescriptor, rules: Rules) -> Iterator[Piece]:
    """Without presence, a field that is required must not be zero: that is what not given means."""
    if not rules.required or field.has_presence:
        return
    if kinds.is_map(field):
        yield Piece(keywords={"minProperties": 1})
    elif field.is_repeated:
        yield Piece(keywords={"minItems": 1})
    elif field.type == FieldDescriptor.TYPE_STRING:
        yield Piece(keywords={"minLength": 1})
    elif field.type == FieldDescriptor.TYPE_BOOL:
        yield Piece(keywords={"enum": [True]})
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield Piece(words="Not empty.")
    elif field.enum_type is None:
        yield Piece(words="Not 0.")


def _pieces(field: FieldDescriptor, rules: Rules, withheld: Collection[str]) -> Iterable[Piece]:
    """What typed rules say of one value; rules for another type than the field's say nothing."""
    message = field.message_type
    kind = _TYPES.get(field.type) if message is None else _MESSAGES.get(message.full_name)
    if kind is None or rules.kind != kind:
        return ()
    if field.enum_type is not None:
        return _enum(field.enum_type, rules, withheld)
    return _PIECES[kind](rules)


def _enum(enum: EnumDescriptor, rules: Rules, withheld: Collection[str]) -> Iterator[Piece]:
    names = {value.number: value.name for value in reversed(enums.seen(enum, withheld))}
    numbers = {value.name: value.number for value in enum.values}
    offered = {name: numbers[name] for name in enums.offered(enum, True, withheld)}
    return enum_pieces(rules, offered, names)
