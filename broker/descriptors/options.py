"""An element's options → what they say to the broker, as plain data."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from broker.descriptors.bare import Unknown, joined, parts, texts, unknown_fields
from broker.descriptors.methods import (
    HTTP,
    OPERATION,
    SIGNATURE,
    read_operation,
    read_signature,
    read_verb,
)
from broker.descriptors.resources import (
    REFERENCE,
    RESOURCE,
    Reference,
    Resource,
    read_reference,
    read_resource,
)
from broker.descriptors.restrictions import RESTRICTIONS, read_restriction
from broker.descriptors.rules import LEGACY_RULES, RULES, MessageRules, RuleReader, Rules
from broker.tool import Approval
from broker.v1.annotations_pb2 import (
    APPROVAL_DENY,
    APPROVAL_NEVER,
    APPROVAL_REQUIRED,
    APPROVAL_UNSPECIFIED,
    ToolFieldOptions,
    ToolOptions,
)

M = TypeVar("M", bound=Message)

_FIELD_BEHAVIOR = 1052
_FIELD_INFO = 291403980
_TOOL = 58120
_FIELD = 58121

# By number. https://github.com/googleapis/googleapis/blob/master/google/api/field_behavior.proto
_APPROVALS: Mapping[int, Approval] = {
    APPROVAL_NEVER: Approval.NEVER,
    APPROVAL_REQUIRED: Approval.REQUIRED,
    APPROVAL_DENY: Approval.DENY,
}
_BEHAVIORS = (
    "FIELD_BEHAVIOR_UNSPECIFIED",
    "OPTIONAL",
    "REQUIRED",
    "OUTPUT_ONLY",
    "INPUT_ONLY",
    "IMMUTABLE",
    "UNORDERED_LIST",
    "NON_EMPTY_DEFAULT",
    "IDENTIFIER",
)

_FORMATS = {1: "UUID4", 2: "IPV4", 3: "IPV6", 4: "IPV4_OR_IPV6"}

_EXTENSIONS = (
    ("google.protobuf.FieldOptions", _FIELD_BEHAVIOR, "google.api.field_behavior"),
    ("google.protobuf.FieldOptions", REFERENCE, "google.api.resource_reference"),
    ("google.protobuf.FieldOptions", _FIELD_INFO, "google.api.field_info"),
    ("google.protobuf.MessageOptions", RESOURCE, "google.api.resource"),
    ("google.protobuf.FieldOptions", RULES, "buf.validate.field"),
    ("google.protobuf.MessageOptions", RULES, "buf.validate.message"),
    ("google.protobuf.OneofOptions", RULES, "buf.validate.oneof"),
    ("google.protobuf.FieldOptions", LEGACY_RULES, "validate.rules"),
    ("google.protobuf.MethodOptions", _TOOL, "broker.v1.tool"),
    ("google.protobuf.MethodOptions", OPERATION, "google.longrunning.operation_info"),
    ("google.protobuf.MethodOptions", HTTP, "google.api.http"),
    ("google.protobuf.MethodOptions", SIGNATURE, "google.api.method_signature"),
    ("google.protobuf.FieldOptions", _FIELD, "broker.v1.field"),
    *RESTRICTIONS,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldOptions:
    """What the options of a field say."""

    behavior: frozenset[str] = frozenset()
    """Names of google.api.FieldBehavior: "REQUIRED", "OUTPUT_ONLY" …"""
    hidden: bool = False
    """True: the field is left out of what the model sees."""
    example: str | None = None
    bytes_as_text: bool = False
    """True: a bytes field is UTF-8 text to the model, in place of base64."""
    media_type: str | None = None
    """What file a bytes field holds, as IANA lists them, or "image/*"; None: bytes like any."""
    deprecated: bool = False
    debug_redact: bool = False
    """True: the field's value must not be shown in logs and errors."""
    min_items: int | None = None
    """The least and the most elements of a list, with or without rules; None: any number."""
    max_items: int | None = None
    reference: Reference | None = None
    format: str | None = None
    """A name of google.api.FieldInfo.Format: "UUID4", "IPV4" …"""
    referenced_types: tuple[str, ...] = ()
    """Full names of the messages that an Any may hold."""
    rules: Rules | None = None
    legacy_rules: Rules | None = None
    in_required_oneof: bool = False
    """True: the rules of its oneof ask for one of the oneof's fields."""
    restriction: str = ""
    """The labels of those who may see the field, comma-separated; "": everybody may."""
    withheld: bool = False
    """True: the field is hidden, and is an unknown one when it is given all the same."""
    withheld_values: frozenset[str] = frozenset()
    """The names of its enum that are unknown to models too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageOptions:
    """What the options of a message say."""

    resource: Resource | None = None
    rules: MessageRules | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MethodOptions:
    """What the options of a method say; None: nothing is said."""

    name: str | None = None
    description: str | None = None
    hidden: bool = False
    """True: the method is not a tool."""
    approval: Approval | None = None
    timeout: float | None = None
    """In seconds, above 0."""
    idempotency_level: str = "IDEMPOTENCY_UNKNOWN"
    """Or "NO_SIDE_EFFECTS", or "IDEMPOTENT"."""
    deprecated: bool = False
    verb: str | None = None
    """The HTTP method of its google.api.http: "GET", "DELETE" …"""
    signature: tuple[str, ...] = ()
    """The fields of its request that matter most, as the first google.api.method_signature orders them."""
    operation_result: str | None = None
    """The type of what a long-running operation comes to, as its author names it."""
    operation_metadata: str | None = None
    """The type of what is told of its progress."""
    restriction: str = ""
    """The labels of those who may see the method, comma-separated; "": everybody may."""


def foreign_numbers(pool: DescriptorPool) -> frozenset[int]:
    """Return those of the extension numbers we read under which `pool` declares somebody else's extension.

    A number that the pool declares nothing under is ours: `import option` leaves the declaration behind.
    """
    return frozenset(
        number for extendee, number, name in _EXTENSIONS if _is_foreign(pool, extendee, number, name)
    )


def _is_foreign(pool: DescriptorPool, extendee: str, number: int, name: str) -> bool:
    try:
        found = pool.FindExtensionByNumber(pool.FindMessageTypeByName(extendee), number)
    except KeyError:
        return False
    return found.full_name != name


def read_field_options(
    options: Any,
    foreign: Collection[int],
    rules: RuleReader,
    *,
    in_required_oneof: bool = False,
    in_group: bool = False,
) -> FieldOptions:
    """Read google.protobuf.FieldOptions, given as a message whose class knows no extension.

    What stands under a number of `foreign`, or does not fit its declaration, is not read. `in_group`: the
    rules of the message name the field among those of which only one may be given.
    """
    unknown = _ours(options, foreign)
    own_rules = rules.field(joined(unknown, RULES)) if RULES in unknown else None
    if own_rules is not None and own_rules.ignore is None and in_group:
        own_rules = replace(
            own_rules, ignore="IF_ZERO_VALUE"
        )  # so says validate.proto of its MessageOneofRule
    ours = _merged(unknown, _FIELD, ToolFieldOptions) if _FIELD in unknown else _NOTHING_SAID
    info = parts(joined(unknown, _FIELD_INFO))
    return FieldOptions(
        behavior=frozenset(_behaviors(unknown)),
        hidden=ours.hidden,
        example=ours.example or None,
        bytes_as_text=ours.bytes_as_text,
        media_type=ours.media_type or None,
        deprecated=options.deprecated,
        debug_redact=options.debug_redact,
        reference=read_reference(unknown),
        format=next((_FORMATS[value] for value in info.get(1, ()) if value in _FORMATS), None),
        referenced_types=tuple(name for one in info.get(2, ()) for name in texts(parts(one), 1)),
        rules=own_rules,
        legacy_rules=rules.legacy(joined(unknown, LEGACY_RULES)) if LEGACY_RULES in unknown else None,
        in_required_oneof=in_required_oneof,
        restriction=read_restriction(unknown),
    )


_NOTHING_SAID = ToolFieldOptions()


def read_message_options(options: Any, foreign: Collection[int], rules: RuleReader) -> MessageOptions:
    """Read google.protobuf.MessageOptions, as `read_field_options` does."""
    unknown = _ours(options, foreign)
    return MessageOptions(
        resource=read_resource(unknown),
        rules=rules.message(joined(unknown, RULES)) if RULES in unknown else None,
    )


def read_oneof_options(options: Any, foreign: Collection[int], rules: RuleReader) -> bool:
    """Read google.protobuf.OneofOptions: whether one of the fields must be given."""
    unknown = _ours(options, foreign)
    return RULES in unknown and rules.oneof_required(joined(unknown, RULES))


def read_method_options(options: Any, foreign: Collection[int]) -> MethodOptions:
    """Read google.protobuf.MethodOptions, as `read_field_options` does."""
    unknown = _ours(options, foreign)
    ours = _merged(unknown, _TOOL, ToolOptions)
    levels = type(options).DESCRIPTOR.fields_by_name["idempotency_level"].enum_type.values_by_number
    return MethodOptions(
        name=ours.name or None,
        description=ours.description or None,
        hidden=ours.hidden,
        approval=_approval(ours.approval),
        timeout=_seconds(ours.timeout),
        idempotency_level=levels[options.idempotency_level].name,
        deprecated=options.deprecated,
        restriction=read_restriction(unknown),
        verb=read_verb(unknown),
        signature=read_signature(unknown),
        **read_operation(unknown),
    )


def _approval(value: int) -> Approval | None:
    if value == APPROVAL_UNSPECIFIED:
        return None
    # A word that only newer brokers know fails closed.
    return _APPROVALS.get(value, Approval.DENY)


def _seconds(timeout: Duration) -> float | None:
    seconds = float(timeout.seconds + timeout.nanos / 1e9)
    return seconds if seconds > 0 else None


def _behaviors(unknown: Unknown) -> Iterator[str]:
    for value in unknown.get(_FIELD_BEHAVIOR, ()):
        for number in _one_byte_varints(value) if isinstance(value, bytes) else (value,):
            if number < len(_BEHAVIORS):
                yield _BEHAVIORS[number]


def _one_byte_varints(packed: bytes) -> Iterator[int]:
    """Yield the packed numbers below 128; no behavior that is known has a higher one."""
    continued = False
    for byte in packed:
        if byte < 0x80 and not continued:
            yield byte
        continued = byte >= 0x80


def _merged(unknown: Unknown, number: int, of: type[M]) -> M:
    """Read one message from all that stands under `number`."""
    try:
        return of.FromString(joined(unknown, number))
    except DecodeError:
        return of()


def _ours(options: Message, foreign: Collection[int]) -> Unknown:
    found = unknown_fields(options)
    return {number: found[number] for number in found if number not in foreign} if foreign else found
