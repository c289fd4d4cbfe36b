"""An element's options → what they say to the broker, as plain data."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from broker.tool import Approval
from broker.v1.annotations_pb2 import APPROVAL_NEVER, APPROVAL_UNSPECIFIED, ToolFieldOptions, ToolOptions

M = TypeVar("M", bound=Message)

_FIELD_BEHAVIOR = 1052
_TOOL = 58120
_FIELD = 58121
_OPERATION = 1049

# VARINT and LEN. https://protobuf.dev/programming-guides/encoding/#structure
_WIRE_TYPES = (0, 2)

# By number. https://github.com/googleapis/googleapis/blob/master/google/api/field_behavior.proto
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

_EXTENSIONS = (
    ("google.protobuf.FieldOptions", _FIELD_BEHAVIOR, "google.api.field_behavior"),
    ("google.protobuf.MethodOptions", _TOOL, "broker.v1.tool"),
    ("google.protobuf.MethodOptions", _OPERATION, "google.longrunning.operation_info"),
    ("google.protobuf.FieldOptions", _FIELD, "broker.v1.field"),
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
    """The least and the most elements of a list; None: any number."""
    max_items: int | None = None


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
    operation_result: str | None = None
    """The type of what a long-running operation comes to, as its author names it."""
    operation_metadata: str | None = None
    """The type of what is told of its progress."""


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


def read_field_options(options: Any, foreign: Collection[int]) -> FieldOptions:
    """Read google.protobuf.FieldOptions, given as a message whose class knows no extension.

    What stands under a number of `foreign`, or does not fit its declaration, is not read.
    """
    ours = _merged(options, _FIELD, ToolFieldOptions, foreign)
    return FieldOptions(
        behavior=frozenset(_behaviors(options, foreign)),
        hidden=ours.hidden,
        example=ours.example or None,
        bytes_as_text=ours.bytes_as_text,
        media_type=ours.media_type or None,
        deprecated=options.deprecated,
        debug_redact=options.debug_redact,
    )


def read_method_options(options: Any, foreign: Collection[int]) -> MethodOptions:
    """Read google.protobuf.MethodOptions, as `read_field_options` does."""
    ours = _merged(options, _TOOL, ToolOptions, foreign)
    levels = type(options).DESCRIPTOR.fields_by_name["idempotency_level"].enum_type.values_by_number
    return MethodOptions(
        name=ours.name or None,
        description=ours.description or None,
        hidden=ours.hidden,
        approval=_approval(ours.approval),
        timeout=_seconds(ours.timeout),
        idempotency_level=levels[options.idempotency_level].name,
        deprecated=options.deprecated,
        **_operation(options, foreign),
    )


def _operation(options: Message, foreign: Collection[int]) -> dict[str, str | None]:
    if not _values(options, _OPERATION, foreign):
        return {}
    # Its module brings others, which take longer to load than most protos to read.
    from google.longrunning.operations_proto_pb2 import OperationInfo

    info: Any = _merged(options, _OPERATION, OperationInfo, foreign)
    return {
        "operation_result": _type_name(info.response_type),
        "operation_metadata": _type_name(info.metadata_type),
    }


def _type_name(said: str) -> str | None:
    # A reflected server can say anything here.
    return said if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]{0,199}", said) else None


def _approval(value: int) -> Approval | None:
    if value == APPROVAL_UNSPECIFIED:
        return None
    # A word that only newer brokers know fails closed.
    return Approval.NEVER if value == APPROVAL_NEVER else Approval.REQUIRED


def _seconds(timeout: Duration) -> float | None:
    seconds = float(timeout.seconds + timeout.nanos / 1e9)
    return seconds if seconds > 0 else None


def _behaviors(options: Message, foreign: Collection[int]) -> Iterator[str]:
    for value in _values(options, _FIELD_BEHAVIOR, foreign):
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


def _merged(options: Message, number: int, of: type[M], foreign: Collection[int]) -> M:
    """Read one message from all that stands under `number`: bytes that follow each other are merged."""
    values = _values(options, number, foreign)
    try:
        return of.FromString(b"".join(value for value in values if isinstance(value, bytes)))
    except DecodeError:
        return of()


def _values(options: Message, number: int, foreign: Collection[int]) -> list[int | bytes]:
    """Return what stands under `number` as varints or bytes; a group or a fixed number is none of ours."""
    if number in foreign:
        return []
    unknown = UnknownFieldSet(options)
    fields = (unknown[index] for index in range(len(unknown)))
    return [field.data for field in fields if field.field_number == number and field.wire_type in _WIRE_TYPES]
