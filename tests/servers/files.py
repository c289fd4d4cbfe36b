"""A real gRPC server for tests/protos/files: it answers with the bytes that it is told."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from broker.descriptors.pool import Descriptors

SERVICE = "files.v1.FileService"


def handlers(descriptors: Descriptors) -> grpc.GenericRpcHandler:
    """All methods of the service; what they answer need not fit the .proto."""
    service = descriptors.pool.FindServiceByName(SERVICE)
    return grpc.method_handlers_generic_handler(
        SERVICE, {method.name: _handler(method, descriptors) for method in service.methods}
    )


def _handler(method: Any, descriptors: Descriptors) -> Any:
    read = descriptors.message_class(method.input_type).FromString

    async def one(asked: Any, context: Any) -> bytes:
        return bytes(asked.SerializeToString() if method.name == "Send" else asked.wire)

    async def parts(asked: Any, context: Any) -> AsyncIterator[bytes]:
        whole: Any = descriptors.message_class(method.output_type).FromString(asked.wire)
        if not asked.size:
            yield asked.wire
        for start in range(0, len(whole.data) if asked.size else 0, asked.size or 1):
            part: Any = type(whole)()
            # The type of the file comes with its first part alone, as is usual.
            part.CopyFrom(whole if start == 0 else type(whole)())
            part.data = whole.data[start : start + asked.size]
            yield part.SerializeToString()

    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(parts, read)
    return grpc.unary_unary_rpc_method_handler(one, read)
