"""One gRPC service that calls are routed to: a prepared request → its response, or what its stream held."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from broker.backends.status import to_error
from broker.backends.streaming import collect
from broker.descriptors.pool import Descriptors
from broker.errors import Code, ToolCallError
from broker.tool import CallContext, Invoke, Policy, Prepared, Stream, Tool

_Parse = Callable[[bytes], Message]


class Backend:
    """A service behind one channel. `close` it when no call is made any more."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        descriptors: Descriptors,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """`metadata` is sent with each call, before the caller's own."""
        self._channel = channel
        self._descriptors = descriptors
        self._metadata = metadata
        self._methods: dict[str, tuple[Any, _Parse, bool]] = {}

    async def invoke(self, prepared: Prepared, context: CallContext) -> Message | Stream:
        """Sends the request. Raises ToolCallError for any status but OK; cancelling it cancels the call."""
        tool = prepared.tool
        timeout = _timeout(tool, context)
        method, parse, is_stream = self._method(tool)
        call = method(prepared.request_bytes, timeout=timeout, metadata=self._metadata + context.metadata)
        try:
            if is_stream:
                return await _collected(call, parse, tool.policy)
            return parse(await call)
        except grpc.aio.AioRpcError as error:
            raise to_error(error, idempotent=tool.idempotent) from error
        except DecodeError as error:
            raise ToolCallError(
                Code.DATA_LOSS, "DATA_LOSS: the service's answer does not fit its .proto. Tell the user."
            ) from error

    async def close(self) -> None:
        """Closes the channel; calls in flight are cancelled."""
        await self._channel.close()

    def _method(self, tool: Tool) -> tuple[Any, _Parse, bool]:
        """What starts a call with a request's bytes, what reads a response's, and whether many come."""
        full_name = tool.full_name
        found = self._methods.get(full_name)
        if found is None:
            is_stream = tool.method.server_streaming
            kind = self._channel.unary_stream if is_stream else self._channel.unary_unary
            parse = self._descriptors.message_class(tool.method.output_type).FromString
            found = self._methods[full_name] = kind(tool.method_path), parse, is_stream
        return found


async def _collected(call: Any, parse: _Parse, policy: Policy) -> Stream:
    try:
        return await collect(call, parse, policy)
    finally:
        call.cancel()


def router(backends: Mapping[str, Backend]) -> Invoke:
    """Sends each call to the backend of its tool."""

    def invoke(prepared: Prepared, context: CallContext) -> Awaitable[Message | Stream]:
        return backends[prepared.tool.backend].invoke(prepared, context)

    return invoke


def _timeout(tool: Tool, context: CallContext) -> float:
    remaining = context.time_remaining()
    if remaining is None:
        return tool.policy.timeout
    if remaining <= 0:
        raise ToolCallError(
            Code.DEADLINE_EXCEEDED,
            "DEADLINE_EXCEEDED: no time was left for this call. Nothing was sent. Answer with what there is.",
        )
    return min(tool.policy.timeout, remaining)
