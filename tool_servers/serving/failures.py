"""What went wrong → the google.rpc.Status that tells the client, with details that a program can read."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

# A status travels in headers, of which clients take 8 KiB by default, and more by luck; what is too large is
# no status at all to them. The message is in there twice, by itself and beside the details.
_MAX_MESSAGE = 2_400
_MAX_VIOLATIONS = 2_000
_MAX_VIOLATION = 900


class Failure(Exception):
    """A call cannot be answered, and the client may be told why: the code, the words, the details.

    The words are for a model that will try again: they name the thing in quotes, state the fact, then the
    cure. The details are messages of google/rpc/error_details.proto (AIP-193).
    """

    def __init__(self, code: grpc.StatusCode, message: str, *details: Message) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What is wrong with one field of the request, and what it should be."""

    field: str
    """Its path, e.g. "recipients[2].address"."""
    description: str


def invalid_request(violations: Sequence[Violation]) -> Failure:
    """INVALID_ARGUMENT, with what is wrong with the request: all of it, as far as that can be sent."""
    told = _told(violations)
    bad = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=each.field, description=each.description)
            for each in told
        ]
    )
    message = "; ".join(f"{each.field}: {each.description}" for each in told)
    if len(told) < len(violations):
        message += f"; and {len(violations) - len(told)} more"
    return Failure(grpc.StatusCode.INVALID_ARGUMENT, message, bad)


def unexpected(service: str, incident: str) -> Failure:
    """INTERNAL, for a bug: no word of what it was, but the id under which the log has it."""
    message = f"{service} failed; its log has the cause under incident {incident}"
    return Failure(grpc.StatusCode.INTERNAL, message, reason(service, "UNEXPECTED", {"incident": incident}))


def reason(service: str, name: str, metadata: dict[str, str] | None = None) -> error_details_pb2.ErrorInfo:
    """The detail that says in one word why: `name` is UPPER_SNAKE_CASE, `service` its full name."""
    return error_details_pb2.ErrorInfo(reason=name, domain=service, metadata=metadata or {})


def to_grpc(failure: Failure) -> grpc.Status:
    """What `context.abort_with_status` takes."""
    packed = [any_pb2.Any() for _ in failure.details]
    for any_message, detail in zip(packed, failure.details, strict=True):
        any_message.Pack(detail)
    code = code_pb2.Code.Value(failure.code.name)
    status = status_pb2.Status(code=code, message=fitting(failure.message), details=packed)
    grpc_status: grpc.Status = rpc_status.to_status(status)
    return grpc_status


def fitting(text: str, size: int = _MAX_MESSAGE) -> str:
    """The text, or as much of its beginning as is no more than `size` bytes when it is sent.

    >>> fitting("fine"), fitting("0123456789", 5), fitting("长江黄河", 20)
    ('fine', '01234…', '长江…')
    """
    # Half of a pair of UTF-16 can be in JSON, but in no message.
    kept = text.encode(errors="replace").decode()
    whole = kept
    while _sent(kept) > size:
        kept = kept[: max(1, len(kept) * size // _sent(kept))]
    return kept if kept == whole else f"{kept}…"


def _told(violations: Sequence[Violation]) -> Sequence[Violation]:
    """The first, and those after it that there is room for."""
    told: list[Violation] = []
    left = _MAX_VIOLATIONS
    for each in violations:
        short = Violation(
            field=fitting(each.field, _MAX_VIOLATION), description=fitting(each.description, _MAX_VIOLATION)
        )
        left -= _sent(short.field) + _sent(short.description)
        if told and left < 0:
            break
        told.append(short)
    return told


def _sent(text: str) -> int:
    """How many bytes it has as the header grpc-message, where all but ASCII is three for each of its own."""
    return sum(1 if " " <= each <= "~" and each != "%" else 3 * len(each.encode()) for each in text)
