"""Around each call of a service: its rules are checked, failures become statuses, a line is logged."""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc.aio
from google.protobuf.message import DecodeError

from tool_servers.serving import failures, rules
from tool_servers.serving.failures import Failure

Context = grpc.aio.ServicerContext[Any, Any]
Answer = Callable[[Any, Context], Awaitable[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"

logger = logging.getLogger(__name__)


class Calls(grpc.aio.ServerInterceptor):
    """Stands around the calls of one service, whose methods are unary, and counts them."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.in_flight = 0
        """How many calls are being answered now; a call ends when its answer has been sent."""
        self.max_in_flight = 0
        """How many calls were being answered at once at most, so far."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        handler: Any = await continuation(handler_call_details)
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        if handler is None or service != self._service:
            return handler  # type: ignore[no-any-return]
        return grpc.unary_unary_rpc_method_handler(
            # Reads the request itself: what cannot be read is a call like others, and no exception of grpc's.
            self._around(method, handler.request_deserializer, handler.unary_unary),
            response_serializer=handler.response_serializer,
        )

    def _around(self, method: str, read: Callable[[bytes], Any], answer: Answer) -> Answer:
        async def answer_or_fail(serialized: bytes, context: Context) -> Any:
            call = self._begin(method)
            # The stubs declare a class where any callable will do.
            context.add_done_callback(lambda _: self._end(call))  # type: ignore[arg-type]
            try:
                request = _checked(read, serialized)
                response = await answer(request, context)
            except Failure as failure:
                await call.abort(context, failure)
            except Exception:
                incident = uuid.uuid4().hex[:12]
                logger.exception("method=%s incident=%s", method, incident)
                await call.abort(context, failures.unexpected(self._service, incident))
            call.code = grpc.StatusCode.OK
            return response

        return answer_or_fail

    def _begin(self, method: str) -> "_Call":
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return _Call(method, self.in_flight)

    def _end(self, call: "_Call") -> None:
        self.in_flight -= 1
        call.log()


def _checked(read: Callable[[bytes], Any], serialized: bytes) -> Any:
    """The request; raises Failure for one that cannot be read or breaks its rules."""
    try:
        request = read(serialized)
    except DecodeError as error:
        fact = "the bytes of the request are not those of its message: send what the .proto says"
        # As servers in other languages have it (https://grpc.io/docs/guides/status-codes).
        raise Failure(grpc.StatusCode.INTERNAL, fact) from error
    broken = rules.violations(request)
    if broken:
        raise failures.invalid_request(broken)
    return request


class _Call:
    """One call, from its arrival until its answer has been sent."""

    def __init__(self, method: str, in_flight: int) -> None:
        self.method = method
        self.in_flight = in_flight
        # What it stays when the client goes away or its deadline passes.
        self.code = grpc.StatusCode.CANCELLED
        self._started = time.perf_counter()

    async def abort(self, context: Context, failure: Failure) -> None:
        self.code = failure.code
        await context.abort_with_status(failures.to_grpc(failure))

    def log(self) -> None:
        milliseconds = (time.perf_counter() - self._started) * 1000
        logger.info(
            "method=%s code=%s ms=%.1f in_flight=%d",
            self.method,
            self.code.name,
            milliseconds,
            self.in_flight,
        )
