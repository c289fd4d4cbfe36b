"""A gRPC status with its details → an error worded for the model that made the call.

Source of the details: https://google.aip.dev/193 and google/rpc/error_details.proto.
"""

import enum
import re
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2 as details_pb2
from google.rpc.status_pb2 import Status

from broker.errors import Code, ToolCallError, Withheld

_MAX_TEXT = 1_000
_MAX_DETAILS = 10
_STATUS_DETAILS = "grpc-status-details-bin"


class Class(enum.Enum):
    """What a status means to the one who has made the call; the value is what to do about it."""

    CORRECTABLE = "Correct the arguments and call again."
    GONE = "Do not call again with the same arguments; tell the user."
    TEMPORARY = "This may pass: try once more, or tell the user that it cannot be done at the moment."
    INTERNAL = "The fault is the service's, not the arguments'; tell the user that it could not be done."
    """Its words are written for those who run the service, and may tell of what is inside it."""


CLASSES = {
    Code.CANCELLED: Class.TEMPORARY,
    Code.UNKNOWN: Class.INTERNAL,
    Code.INVALID_ARGUMENT: Class.CORRECTABLE,
    Code.DEADLINE_EXCEEDED: Class.TEMPORARY,
    Code.NOT_FOUND: Class.CORRECTABLE,
    Code.ALREADY_EXISTS: Class.CORRECTABLE,
    Code.PERMISSION_DENIED: Class.GONE,
    Code.RESOURCE_EXHAUSTED: Class.TEMPORARY,
    Code.FAILED_PRECONDITION: Class.CORRECTABLE,
    Code.ABORTED: Class.TEMPORARY,
    Code.OUT_OF_RANGE: Class.CORRECTABLE,
    Code.UNIMPLEMENTED: Class.GONE,
    Code.INTERNAL: Class.INTERNAL,
    Code.UNAVAILABLE: Class.TEMPORARY,
    Code.DATA_LOSS: Class.INTERNAL,
    Code.UNAUTHENTICATED: Class.GONE,
}
_OWN_ADVICE = {
    Code.DEADLINE_EXCEEDED: "It took too long; tell the user, or ask for less.",
    Code.FAILED_PRECONDITION: "Something else has to be done first, or the arguments must change.",
    Code.UNIMPLEMENTED: "The service does not offer this; do not call it again.",
}
ADVICE = {code: _OWN_ADVICE.get(code, kind.value) for code, kind in CLASSES.items()}
"""What the model can do about each code."""

_UNKNOWN = "It may have been done all the same: find out before you call again, or tell the user."
_SMALLER = "Ask for less at once; it may have been done all the same."

OUTCOME_UNKNOWN = frozenset(
    {Code.CANCELLED, Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS}
)
"""Codes that also come when the service has acted: then only an idempotent call may be repeated."""


def to_error(error: grpc.aio.AioRpcError, *, idempotent: bool) -> ToolCallError:
    """The status that ended a call → its code, its message, its details, and what to do about it.

    Of a fault inside the service the model learns the code and an id; the words are withheld under that id.
    """
    code = Code(error.code().value[0])
    message = error.details() or "no message"
    trailers = error.trailing_metadata()
    raw = None if trailers is None else trailers.get(_STATUS_DETAILS)
    said = [_cut(message)]
    said += [line for line in _details(raw) if not _says(said[0], line.removeprefix("- "))]
    advice = _advice(code, message, idempotent=idempotent)
    if CLASSES[code] is not Class.INTERNAL:
        return ToolCallError(code, "\n".join([f"{code.name}: {said[0]}", *said[1:], advice]))
    withheld = Withheld(words="\n".join(said))
    what = f"{code.name}: something went wrong inside the service (error id {withheld.id})."
    return ToolCallError(code, f"{what}\n{advice}", withheld)


def _says(message: str, detail: str) -> bool:
    """Whether a message holds the words of a detail, as those of many services do: once is enough."""
    return re.search(rf"(?<![\w.]){re.escape(detail)}(?!\w)", message) is not None


def _advice(code: Code, message: str, *, idempotent: bool) -> str:
    if code is Code.RESOURCE_EXHAUSTED and "larger than max" in message:
        return _SMALLER
    return ADVICE[code] if idempotent or code not in OUTCOME_UNKNOWN else _UNKNOWN


def _details(raw: str | bytes | None) -> list[str]:
    if not isinstance(raw, bytes):
        return []
    try:
        status = Status.FromString(raw)
    except DecodeError:
        return []
    return [_cut(line) for detail in status.details[:_MAX_DETAILS] for line in _lines(detail)][:_MAX_DETAILS]


def _lines(detail: AnyMessage) -> Iterator[str]:
    for kind, word in _WORDED.items():
        if detail.Is(kind.DESCRIPTOR):
            message = kind()
            try:
                detail.Unpack(message)
            except DecodeError:
                return
            yield from word(message)
            return


def _bad_request(message: details_pb2.BadRequest) -> Iterator[str]:
    for violation in message.field_violations:
        yield f"- {violation.field}: {violation.description}"


def _error_info(message: details_pb2.ErrorInfo) -> Iterator[str]:
    known = "".join(f", {key}: {value}" for key, value in sorted(message.metadata.items()))
    yield f"- reason: {message.reason}{known}"


def _precondition(message: details_pb2.PreconditionFailure) -> Iterator[str]:
    for violation in message.violations:
        yield f"- {violation.subject}: {violation.description}"


def _quota(message: details_pb2.QuotaFailure) -> Iterator[str]:
    for violation in message.violations:
        yield f"- {violation.subject}: {violation.description}"


def _retry_info(message: details_pb2.RetryInfo) -> Iterator[str]:
    yield f"- try again after {message.retry_delay.seconds + message.retry_delay.nanos / 1e9:g} s"


def _resource_info(message: details_pb2.ResourceInfo) -> Iterator[str]:
    yield f'- {message.resource_type} "{message.resource_name}": {message.description}'


def _localized(message: details_pb2.LocalizedMessage) -> Iterator[str]:
    yield f"- {message.message}"


def _help(message: details_pb2.Help) -> Iterator[str]:
    for link in message.links:
        yield f"- {link.description}: {link.url}"


# DebugInfo is left out on purpose: it holds stack traces.
_WORDED: dict[type[Any], Callable[[Any], Iterator[str]]] = {
    details_pb2.BadRequest: _bad_request,
    details_pb2.ErrorInfo: _error_info,
    details_pb2.PreconditionFailure: _precondition,
    details_pb2.QuotaFailure: _quota,
    details_pb2.RetryInfo: _retry_info,
    details_pb2.ResourceInfo: _resource_info,
    details_pb2.LocalizedMessage: _localized,
    details_pb2.Help: _help,
}


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… ({len(text)} characters)"
