"""One gRPC service that calls are routed to: a prepared request → its response, or what its stream held."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from broker.backends.status import to_error
from broker.backends.streaming import Failure, collect, each_request
from broker.descriptors.pool import Descriptors
from broker.errors import Code, ToolCallError
from broker.tool import CallContext, Invoke, Prepared, Stream, Tool

_Parse = Callable[[bytes], Message]
_Method = tuple[Callable[..., Any], _Parse, bool]
"""What starts a call with the prepared bytes, what reads a response's, and whether there are several."""


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
        self._methods: dict[str, _Method] = {}

    async def invoke(self, prepared: Prepared, context: CallContext) -> Message | Stream:
        """Sends the request. Raises ToolCallError for any status but OK; cancelling it cancels the call."""
        tool = prepared.tool
        timeout = _timeout(tool, context)
        start, parse, streams = self._method(tool)
        call = start(prepared.request_bytes, timeout=timeout, metadata=self._metadata + context.metadata)
        try:
            if streams:
                return await _collected(call, parse, tool)
            return parse(await call)
        except (grpc.aio.AioRpcError, DecodeError) as failure:
            raise _worded(failure, tool) from failure

    async def close(self) -> None:
        """Closes the channel; calls in flight are cancelled."""
        await self._channel.close()

    def _method(self, tool: Tool) -> _Method:
        full_name = tool.full_name
        found = self._methods.get(full_name)
        if found is None:
            parse = self._descriptors.message_class(tool.method.output_type).FromString
            found = self._methods[full_name] = self._start(tool), parse, tool.method.server_streaming
        return found

    def _start(self, tool: Tool) -> Callable[..., Any]:
        method, channel = tool.method, self._channel
        if not method.client_streaming:
            kind = channel.unary_stream if method.server_streaming else channel.unary_unary
            return kind(tool.method_path)
        streamed = channel.stream_stream if method.server_streaming else channel.stream_unary
        start: Callable[..., Any] = streamed(tool.method_path)
        split = each_request(self._descriptors.message_class(self._descriptors.request_type(method)))
        return lambda data, **how: start(split(data), **how)


async def _collected(call: Any, parse: _Parse, tool: Tool) -> Stream:
    try:
        return await collect(call, parse, tool.policy, lambda failure: _worded(failure, tool))
    finally:
        call.cancel()


def _worded(failure: Failure, tool: Tool) -> ToolCallError:
    if isinstance(failure, grpc.aio.AioRpcError):
        return to_error(failure, idempotent=tool.idempotent)
    return ToolCallError(
        Code.DATA_LOSS, "DATA_LOSS: the service's answer does not fit its .proto. Tell the user."
    )


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
