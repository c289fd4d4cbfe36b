"""What a call failed with, as a client in Python reads it."""

from collections.abc import Awaitable
from typing import Any

import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2


async def failure(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def detail(error: grpc.aio.AioRpcError, message: Any) -> Any:
    """The message filled with the status detail of its type."""
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.message == error.details()
    assert any(each.Unpack(message) for each in status.details), status
    return message


def violations(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """Field → all that is wrong with it."""
    told: dict[str, str] = {}
    for each in detail(error, error_details_pb2.BadRequest()).field_violations:
        assert f"{each.field}: {each.description}" in (error.details() or "")
        told[each.field] = (
            f"{told[each.field]}; {each.description}" if each.field in told else each.description
        )
    return told
