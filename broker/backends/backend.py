"""One gRPC service that calls are routed to: a prepared request → its response, or what its stream held."""

from collections.abc import Awaitable, Callable, Mapping

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from broker.backends.status import to_error
from broker.backends.streaming import collect
from broker.descriptors.pool import Descriptors
from broker.errors import Code, ToolCallError
from broker.tool import CallContext, Invoke, Prepared, Stream, Tool

_Send = Callable[[Prepared, float, tuple[tuple[str, str], ...]], Awaitable[Message | Stream]]


_Unary = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
_Streaming = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]


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
        self._senders: dict[str, _Send] = {}

    async def invoke(self, prepared: Prepared, context: CallContext) -> Message | Stream:
        """Sends the request. Raises ToolCallError for any status but OK; cancelling it cancels the call."""
        timeout = _timeout(prepared.tool, context)
        send = self._senders.get(prepared.tool.full_name)
        if send is None:
            send = self._senders[prepared.tool.full_name] = self._sender(prepared.tool)
        try:
            return await send(prepared, timeout, self._metadata + context.metadata)
        except grpc.aio.AioRpcError as error:
            raise to_error(error, idempotent=prepared.tool.idempotent) from error
        except DecodeError as error:
            raise ToolCallError(
                Code.DATA_LOSS, "DATA_LOSS: the service's answer does not fit its .proto. Tell the user."
            ) from error

    async def close(self) -> None:
        """Closes the channel; calls in flight are cancelled."""
        await self._channel.close()

    def _sender(self, tool: Tool) -> _Send:
        parse = self._descriptors.message_class(tool.method.output_type).FromString
        if tool.method.server_streaming:
            return self._stream_sender(tool, parse)
        method: _Unary = self._channel.unary_unary(tool.method_path)

        async def send(
            prepared: Prepared, timeout: float, metadata: tuple[tuple[str, str], ...]
        ) -> Message | Stream:
            return parse(await method(prepared.request_bytes, timeout=timeout, metadata=metadata))

        return send

    def _stream_sender(self, tool: Tool, parse: Callable[[bytes], Message]) -> _Send:
        method: _Streaming = self._channel.unary_stream(tool.method_path)

        async def send(
            prepared: Prepared, timeout: float, metadata: tuple[tuple[str, str], ...]
        ) -> Message | Stream:
            call = method(prepared.request_bytes, timeout=timeout, metadata=metadata)
            try:
                return await collect(call, parse, prepared.tool.policy)
            finally:
                call.cancel()

        return send


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
