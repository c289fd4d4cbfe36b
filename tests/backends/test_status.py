from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2 as details_pb2
from google.rpc.status_pb2 import Status

from broker.backends.status import ADVICE, CLASSES, to_error
from broker.errors import Code


def told(details: list[AnyMessage], trailer: bytes | None = None, message: str = "no") -> list[str]:
    """The lines between the message and the advice."""
    raw = Status(code=9, message="no", details=details).SerializeToString() if trailer is None else trailer
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.FAILED_PRECONDITION,
        initial_metadata=grpc.aio.Metadata(),
        trailing_metadata=grpc.aio.Metadata(("grpc-status-details-bin", raw)),
        details=message,
    )
    first, *lines, advice = to_error(error, idempotent=True).message.splitlines()
    assert first.startswith(f"FAILED_PRECONDITION: {message[:1_000]}")
    assert advice == ADVICE[Code.FAILED_PRECONDITION]
    return lines


def packed(message: Message) -> AnyMessage:
    holder = AnyMessage()
    holder.Pack(message)
    return holder


@pytest.mark.parametrize(
    ("detail", "lines"),
    [
        (
            details_pb2.BadRequest(field_violations=[{"field": "a.b", "description": "too long"}] * 2),
            ["- a.b: too long"] * 2,
        ),
        (
            details_pb2.ErrorInfo(reason="STOCK", metadata={"b": "2", "a": "1"}),
            ["- reason: STOCK, a: 1, b: 2"],
        ),
        (
            details_pb2.PreconditionFailure(violations=[{"subject": "terms", "description": "not accepted"}]),
            ["- terms: not accepted"],
        ),
        (
            details_pb2.QuotaFailure(violations=[{"subject": "project:x", "description": "100 a day"}]),
            ["- project:x: 100 a day"],
        ),
        (
            details_pb2.RetryInfo(retry_delay={"seconds": 1, "nanos": 500_000_000}),
            ["- try again after 1.5 s"],
        ),
        (
            details_pb2.ResourceInfo(resource_type="City", resource_name="Pariss", description="unknown"),
            ['- City "Pariss": unknown'],
        ),
        (details_pb2.LocalizedMessage(locale="en", message="Sorry."), ["- Sorry."]),
        (
            details_pb2.Help(links=[{"description": "docs", "url": "https://a.example"}]),
            ["- docs: https://a.example"],
        ),
        (details_pb2.DebugInfo(stack_entries=["at line 1"], detail="secret"), []),
        (Status(message="a kind that nobody words"), []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Message) else "",
)
def test_each_kind_of_detail_is_worded_for_a_model(detail: Any, lines: list[str]) -> None:
    assert told([packed(detail)]) == lines


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("name: required; date: no day", []),
        ("last_name: required", ["- name: required", "- date: no day"]),
        ("a.name: required, date: no days", ["- name: required", "- date: no day"]),
        ("2 problems", ["- name: required", "- date: no day"]),
        ("name: required; see the rest", ["- date: no day"]),
        (f"{'x' * 990}; name: required", ["- name: required", "- date: no day"]),
    ],
)
def test_a_detail_that_the_message_holds_is_said_once(message: str, lines: list[str]) -> None:
    violations = [{"field": "name", "description": "required"}, {"field": "date", "description": "no day"}]
    detail = packed(details_pb2.BadRequest(field_violations=violations))

    assert told([detail], message=message) == lines


@pytest.mark.parametrize(
    "details",
    [
        pytest.param(
            [AnyMessage(type_url="t/google.rpc.BadRequest", value=b"\xff\xff")], id="a broken detail"
        ),
        pytest.param([], id="none"),
    ],
)
def test_details_that_cannot_be_read_are_left_out(details: list[AnyMessage]) -> None:
    assert told(details) == []


def test_a_trailer_that_is_no_status_is_left_out() -> None:
    assert told([], trailer=b"\xff\xff") == []


def test_endless_details_are_bounded() -> None:
    violations = [{"field": "f", "description": "x" * 5_000}] * 1_000

    lines = told([packed(details_pb2.BadRequest(field_violations=violations))])

    assert len(lines) == 10
    assert all(len(line) < 1_100 for line in lines)


def test_every_code_has_its_class_and_its_advice() -> None:
    assert set(CLASSES) == set(ADVICE) == set(Code)
