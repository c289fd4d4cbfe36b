"""What went wrong → the google.rpc.Status that tells the client, with details that a program can read."""

import json
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from tool_servers.weather.provider import SourceFailed, UnknownCity

DOMAIN = "weather.v1.WeatherService"


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """What is wrong with one field of the request."""

    field: str
    description: str


class InvalidRequest(Exception):
    """The request cannot be answered as it is."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(violations)
        self.violations = violations


def status_of(error: InvalidRequest | UnknownCity | SourceFailed) -> status_pb2.Status:
    """The status of a failure that the client may be told of."""
    match error:
        case InvalidRequest():
            return _invalid_request(error)
        case UnknownCity():
            return _unknown_city(error)
        case SourceFailed():
            return _status(error.code, error.message, _reason("SOURCE_FAILED"))


def unexpected(incident: str) -> status_pb2.Status:
    """The status of a bug: no word of what it was, but the id under which the log has it."""
    message = f"the weather service failed; its log has the cause under incident {incident}"
    return _status(grpc.StatusCode.INTERNAL, message, _reason("UNEXPECTED", incident=incident))


def _invalid_request(error: InvalidRequest) -> status_pb2.Status:
    violations = [
        error_details_pb2.BadRequest.FieldViolation(field=each.field, description=each.description)
        for each in error.violations
    ]
    return _status(
        grpc.StatusCode.INVALID_ARGUMENT,
        "; ".join(f"{each.field}: {each.description}" for each in error.violations),
        error_details_pb2.BadRequest(field_violations=violations),
    )


def _unknown_city(error: UnknownCity) -> status_pb2.Status:
    fact = f"no city named {json.dumps(error.name, ensure_ascii=False)} is known here"
    cure = (
        f"the nearest names are {', '.join(error.nearest)}"
        if error.nearest
        else "no known name looks like it: give a large city near it"
    )
    return _status(
        grpc.StatusCode.NOT_FOUND,
        f"{fact}; {cure}",
        _reason("CITY_NOT_FOUND", name=error.name, nearest=", ".join(error.nearest)),
        error_details_pb2.ResourceInfo(resource_type="city", resource_name=error.name, description=cure),
    )


def _reason(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=metadata)


def _status(code: grpc.StatusCode, message: str, *details: Message) -> status_pb2.Status:
    packed = [any_pb2.Any() for _ in details]
    for any_message, detail in zip(packed, details, strict=True):
        any_message.Pack(detail)
    return status_pb2.Status(code=code_pb2.Code.Value(code.name), message=message, details=packed)


def to_grpc(status: status_pb2.Status) -> grpc.Status:
    """What `context.abort_with_status` takes."""
    grpc_status: grpc.Status = rpc_status.to_status(status)
    return grpc_status
