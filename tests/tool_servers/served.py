"""A tool server of Python in this process, with a channel to it, and what its failures say."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tool_servers.serving.server import Service, ToolServer

_DETAILS = (
    error_details_pb2.BadRequest,
    error_details_pb2.ErrorInfo,
    error_details_pb2.PreconditionFailure,
    error_details_pb2.QuotaFailure,
    error_details_pb2.ResourceInfo,
)


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[tuple[ToolServer, grpc.aio.Channel]]:
    """Serves on a free port of loopback."""
    server = ToolServer(service, "127.0.0.1:0")
    port = await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield server, channel
    finally:
        await server.stop(0)


async def failure(call: Awaitable[object]) -> tuple[grpc.StatusCode, str, list[Message]]:
    """The code, message and unpacked details with which a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error: Any = caught.value
    status = rpc_status.from_call(error)
    details: list[Message] = []
    for packed in status.details if status is not None else ():
        kind = next(kind for kind in _DETAILS if packed.Is(kind.DESCRIPTOR))
        details.append(kind.FromString(packed.value))
    return error.code(), error.details() or "", details
