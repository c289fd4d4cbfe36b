"""The calls that our own service is answering: how many, and what a client is told when one goes wrong."""

import asyncio
import secrets
from types import TracebackType
from typing import Any

import grpc
import grpc.aio

from broker.errors import ModelError

Context = grpc.aio.ServicerContext[Any, Any]


class InFlight:
    """Counts calls, so that draining can wait for them."""

    def __init__(self, limit: int, log: Any) -> None:
        """`log` is a structlog logger: what goes wrong inside is told there, and not to the client."""
        # Not grpc's `maximum_concurrent_rpcs`, which costs a callback for each call and counts health too.
        self._limit = limit
        self.log = log
        self.count = 0
        self.idle = asyncio.Event()
        """Set while no call is in flight."""
        self.idle.set()

    @property
    def is_full(self) -> bool:
        """Whether there are as many calls as there may be."""
        return self.count >= self._limit

    async def refuse(self, context: Context) -> None:
        """Ends a call that is one too many."""
        told = f"{self.count} calls are in flight, which is the limit; try again later"
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, told)

    def call(self, context: Context) -> "_Call":
        """A context manager around the work of one call; nothing but an abort leaves it."""
        return _Call(self, context)


class _Call:
    # A class, because contextlib's generators cost as much as decoding the arguments.
    __slots__ = ("_context", "_in_flight")

    def __init__(self, in_flight: InFlight, context: Context) -> None:
        self._in_flight = in_flight
        self._context = context

    def __enter__(self) -> None:
        self._in_flight.count += 1
        self._in_flight.idle.clear()

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        self._in_flight.count -= 1
        if self._in_flight.count == 0:
            self._in_flight.idle.set()
        if not isinstance(error, Exception) or isinstance(error, grpc.aio.AbortError):
            return False
        self._tell(error)
        return True

    def _tell(self, error: Exception) -> None:
        # grpc.aio would send the text of the exception to the client; it stays in the log, under an id.
        error_id = secrets.token_hex(6)
        where = f"error {error_id}: the operator finds it in the broker's log"
        if isinstance(error, ModelError):
            self._in_flight.log.error("model error", error_id=error_id, error=str(error))
            code = grpc.StatusCode.INVALID_ARGUMENT if error.is_refusal else grpc.StatusCode.UNAVAILABLE
            fact = "the model refused the conversation" if error.is_refusal else "the model cannot be asked"
        else:
            self._in_flight.log.error("internal error", error_id=error_id, exc_info=error)
            code, fact = grpc.StatusCode.INTERNAL, "the broker failed"
        self._context.set_code(code)
        self._context.set_details(f"{fact}; {where}")
