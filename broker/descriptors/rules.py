"""Validation rules among an element's options → plain data: those of protovalidate, and of its forerunner.

A backend's rules are read by the classes of its own pool, which hold its own version of the rules. Where the
pool has none, as when a server hands out its files without them, there are no rules to read.
https://protovalidate.com, https://github.com/bufbuild/protoc-gen-validate
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from broker.descriptors.bare import bare_options, unknown_fields

RULES = 1159
"""The number of the extensions buf.validate.field, .message and .oneof."""
LEGACY_RULES = 1071
"""The number of the extension validate.rules."""
_PREDEFINED = 1160

_IGNORE = {1: "IF_ZERO_VALUE", 3: "ALWAYS"}
_NESTED = frozenset({"items", "keys", "values"})
# What stands beside the one group of rules that the type of the field has.
_GENERAL = frozenset({"cel", "cel_expression", "required", "ignore"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Custom:
    """A rule of the author's own, in CEL."""

    message: str
    """What it says in words; empty: nothing."""
    expression: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What a value must be."""

    kind: str | None = None
    """The type that the rules are for: "string", "int32", "repeated" …"""
    values: Mapping[str, Any] = field(default_factory=dict)
    """By name: numbers, text, bytes, messages like Duration, and tuples of them; nested rules are Rules."""
    required: bool = False
    ignore: str | None = None
    """"IF_ZERO_VALUE", "ALWAYS", or None: the rules always hold."""
    custom: tuple[Custom, ...] = ()

    def number(self, name: str) -> int | float | None:
        """The number of this rule; None: there is no such rule."""
        value = self.values.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(self, name: str) -> str | None:
        """The text of this rule."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool:
        """Whether the rule is switched on."""
        return self.values.get(name) is True

    def several(self, name: str) -> Sequence[Any]:
        """The values of a rule that has a list."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def nested(self, name: str) -> "Rules | None":
        """The rules of each item, key or value."""
        value = self.values.get(name)
        return value if isinstance(value, Rules) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Fields of which at most one may be given, be they in a oneof or not."""

    fields: tuple[str, ...]
    required: bool
    """Whether one of them must be given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRules:
    """What a message must be as a whole."""

    custom: tuple[Custom, ...] = ()
    groups: tuple[Group, ...] = ()


class RuleReader:
    """Reads the rules that are written with the classes of one pool."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._field = _class(pool, "buf.validate.FieldRules")
        self._message = _class(pool, "buf.validate.MessageRules")
        self._oneof = _class(pool, "buf.validate.OneofRules")
        self._predefined = _class(pool, "buf.validate.PredefinedRules")
        self._legacy = _class(pool, "validate.FieldRules")

    @property
    def knows_rules(self) -> bool:
        """Whether the pool has the rules of protovalidate."""
        return self._field is not None

    def field(self, data: bytes) -> Rules | None:
        """The rules of a field, from the bytes of its option; None: they cannot be read."""
        parsed = _parsed(self._field, data)
        return None if parsed is None else self._rules(parsed)

    def legacy(self, data: bytes) -> Rules | None:
        """The same for validate.rules."""
        parsed = _parsed(self._legacy, data)
        return None if parsed is None else self._rules(parsed)

    def message(self, data: bytes) -> MessageRules | None:
        """The rules of a message."""
        parsed = _parsed(self._message, data)
        if parsed is None:
            return None
        groups = [
            Group(fields=tuple(one.get("fields", ())), required=one.get("required") is True)
            for one in map(_fields, _fields(parsed).get("oneof", ()))
        ]
        return MessageRules(custom=tuple(_custom(parsed)), groups=tuple(groups))

    def oneof_required(self, data: bytes) -> bool:
        """Whether one of the fields of the oneof must be given."""
        parsed = _parsed(self._oneof, data)
        return parsed is not None and _fields(parsed).get("required") is True

    def _rules(self, parsed: Message) -> Rules:
        said = _fields(parsed)
        kind = next((name for name in said if name not in _GENERAL), None)
        typed = said[kind] if kind is not None and isinstance(said[kind], Message) else None
        return Rules(
            kind=None if typed is None else kind,
            values={} if typed is None else self._values(typed),
            required=said.get("required") is True,
            ignore=_IGNORE.get(said.get("ignore", 0)),
            custom=(*_custom(parsed), *(() if typed is None else self._predefined_of(typed))),
        )

    def _values(self, typed: Message) -> dict[str, Any]:
        return {
            name: self._rules(value) if name in _NESTED and isinstance(value, Message) else value
            for name, value in _fields(typed).items()
        }

    def _predefined_of(self, typed: Message) -> Iterator[Custom]:
        """The author's own rules that are switched on by an extension of protovalidate's."""
        for extension, _ in typed.ListFields():
            if extension.is_extension:
                for data in unknown_fields(bare_options(extension)).get(_PREDEFINED, ()):
                    parsed = _parsed(self._predefined, data)
                    yield from () if parsed is None else _custom(parsed)


def _class(pool: DescriptorPool, name: str) -> type[Message] | None:
    try:
        return GetMessageClass(pool.FindMessageTypeByName(name))
    except KeyError:
        return None


def _parsed(of: type[Message] | None, data: Any) -> Message | None:
    if of is None or not isinstance(data, bytes):
        return None
    try:
        return of.FromString(data)
    except DecodeError:
        return None


def _fields(message: Message) -> dict[str, Any]:
    """What is set, by name: lists as tuples."""
    return {
        known.name: tuple(value) if known.is_repeated else value
        for known, value in message.ListFields()
        if not known.is_extension and not _is_map(known)
    }


def _is_map(known: FieldDescriptor) -> bool:
    return known.message_type is not None and known.message_type.GetOptions().map_entry


def _custom(message: Message) -> Iterator[Custom]:
    said = _fields(message)
    for one in said.get("cel", ()):
        if isinstance(one, Message):
            rule = _fields(one)
            yield Custom(message=str(rule.get("message", "")), expression=str(rule.get("expression", "")))
    for expression in said.get("cel_expression", ()):
        yield Custom(message="", expression=str(expression))
