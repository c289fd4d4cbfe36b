"""What went wrong → the google.rpc.Status that tells the client, with details that a program can read."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status


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
    """INVALID_ARGUMENT, with all that is wrong with the request."""
    bad = error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field=each.field, description=each.description)
            for each in violations
        ]
    )
    message = "; ".join(f"{each.field}: {each.description}" for each in violations)
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
    status = status_pb2.Status(code=code, message=failure.message, details=packed)
    grpc_status: grpc.Status = rpc_status.to_status(status)
    return grpc_status
