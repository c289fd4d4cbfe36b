"""A real gRPC server for tests/protos/probe: it does what a test asks for, and remembers what it saw."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from broker.descriptors.pool import Descriptors

SERVICE = "probe.v1.ProbeService"


class Probe:
    """Serves on 127.0.0.1; `start` hands out the port."""

    def __init__(self, descriptors: Descriptors) -> None:
        service = descriptors.pool.FindServiceByName(SERVICE)
        self._handlers = {
            method.name: self._handler(
                method,
                descriptors.message_class(method.input_type),
                descriptors.message_class(method.output_type),
            )
            for method in service.methods
            if hasattr(self, method.name)
        }
        self._response = descriptors.message_class(
            descriptors.pool.FindMessageTypeByName("probe.v1.EchoResponse")
        )
        self.seen: list[str] = []
        self.sent = 0
        """Messages that Count has got rid of."""
        self._ended: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.failures_left = 0
        self.waiting = asyncio.Semaphore(0)
        """Released once for each call that has arrived in Wait or hangs in Count."""
        self.let_go = asyncio.Event()
        self.cancelled = asyncio.Semaphore(0)
        """Released once for each call that saw its cancellation."""
        self.in_flight = 0
        self.max_in_flight = 0

    async def start(
        self, credentials: grpc.ServerCredentials | None = None, extra: Iterable[Any] = ()
    ) -> int:
        self.server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handler = grpc.method_handlers_generic_handler(SERVICE, self._handlers)
        self.server.add_generic_rpc_handlers((handler, *extra))
        address = "127.0.0.1:0"
        if credentials is None:
            port = self.server.add_insecure_port(address)
        else:
            port = self.server.add_secure_port(address, credentials)
        await self.server.start()
        return int(port)

    async def stop(self) -> None:
        await self.server.stop(None)

    async def ended(self, method: str) -> None:
        """Waits until a call of a method that answers with a stream has ended here, in whatever way."""
        await asyncio.wait_for(self._ended[method].wait(), 10)

    async def Echo(self, request: Any, context: Any) -> Message:
        return self._answer(request, context)

    async def Renamed(self, request: Any, context: Any) -> Message:
        return self._answer(request, context)

    async def Dangerous(self, request: Any, context: Any) -> Message:
        return self._answer(request, context)

    async def Fail(self, request: Any, context: Any) -> Message:
        if request.details:
            await context.abort_with_status(_rich_status(request.code, request.message))
        await context.abort(_code(request.code), request.message)
        raise AssertionError("abort does not return")

    async def Flaky(self, request: Any, context: Any) -> Message:
        if self.failures_left:
            self.failures_left -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return self._answer(request, context)

    async def Wait(self, request: Any, context: Any) -> Message:
        await self._wait()
        return self._answer(request, context)

    async def Collect(self, requests: AsyncIterator[Any], context: Any) -> Message:
        """Answers with all texts, or before the end of the stream, as one of them says."""
        texts = []
        async for request in requests:
            texts.append(request.text)
            if request.text == "enough":
                break
            if request.text == "bad":
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad text")
            if request.text == "wait":
                await self._wait()
        return self._response(
            text=",".join(texts), number=len(texts), time_remaining=context.time_remaining()
        )

    async def Talk(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Message]:
        """Answers each message; hangs, fails or goes on for ever where one says so."""
        number = 0
        async for request in requests:
            yield self._response(text=request.text, number=number)
            number += 1
            while request.text == "more":
                yield self._response(text="more", number=number)
            if request.text == "wait":
                await self._wait()
            if request.text == "bad":
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad text")
        yield self._response(text="end", number=number)

    async def Count(self, request: Any, context: Any) -> AsyncIterator[Any]:
        for number in range(request.count):
            yield self._response(text="x" * request.length, number=number)
            self.sent += 1
        if request.garbage:
            yield b"\xff\xff\xff"
        if request.wait:
            await self._wait()
        if request.code:
            await context.abort(_code(request.code), "the stream broke")

    async def Garbage(self, request: Any, context: Any) -> bytes:
        return b"\xff\xff\xff"

    async def _wait(self) -> None:
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.waiting.release()
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled.release()
            raise
        finally:
            self.in_flight -= 1

    def _answer(self, request: Any, context: Any) -> Message:
        metadata = [f"{key}={value}" for key, value in context.invocation_metadata()]
        return self._response(
            text=request.text,
            number=request.number,
            metadata=metadata,
            time_remaining=context.time_remaining(),
        )

    def _handler(self, method: Any, request: type[Message], response: type[Message]) -> Any:
        behaviour = getattr(self, method.name)

        async def one(asked: Any, context: Any) -> Any:
            self.seen.append(method.name)
            return await behaviour(asked, context)

        async def several(asked: Any, context: Any) -> AsyncIterator[Any]:
            self.seen.append(method.name)
            try:
                async for message in behaviour(asked, context):
                    yield message
            finally:
                self._ended[method.name].set()

        def serialize(message: Any) -> bytes:
            return message if isinstance(message, bytes) else bytes(message.SerializeToString())

        kind = "_".join("stream" if streams else "unary" for streams in _streams(method))
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(several if method.server_streaming else one, request.FromString, serialize)


def _streams(method: Any) -> tuple[bool, bool]:
    return method.client_streaming, method.server_streaming


def _code(number: int) -> grpc.StatusCode:
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def _rich_status(number: int, message: str) -> Any:
    from grpc_status import rpc_status

    details = [
        error_details_pb2.BadRequest(
            field_violations=[{"field": "text", "description": "must not be empty"}]
        ),
        error_details_pb2.ErrorInfo(reason="WRONG", domain="probe", metadata={"near": "Paris"}),
        error_details_pb2.DebugInfo(detail="a stack trace"),
    ]
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    return rpc_status.to_status(status_pb2.Status(code=number, message=message, details=packed))
