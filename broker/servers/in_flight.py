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

    def __init__(self, log: Any) -> None:
        """`log` is a structlog logger: what goes wrong inside is told there, and not to the client."""
        self.log = log
        self.count = 0
        self.idle = asyncio.Event()
        """Set while no call is in flight."""
        self.idle.set()

    def call(self, context: Context) -> "_Call":
        """An asynchronous context manager around the work of one call."""
        return _Call(self, context)


class _Call:
    # A class, because contextlib's generators cost as much as decoding the arguments.
    __slots__ = ("_context", "_in_flight")

    def __init__(self, in_flight: InFlight, context: Context) -> None:
        self._in_flight = in_flight
        self._context = context

    async def __aenter__(self) -> None:
        self._in_flight.count += 1
        self._in_flight.idle.clear()

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        self._in_flight.count -= 1
        if self._in_flight.count == 0:
            self._in_flight.idle.set()
        if isinstance(error, Exception) and not isinstance(error, grpc.aio.AbortError):
            await self._tell(error)

    async def _tell(self, error: Exception) -> None:
        if isinstance(error, ModelError):
            await self._context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        # grpc.aio would send the text of the exception to the client; it stays in the log, under an id.
        error_id = secrets.token_hex(6)
        self._in_flight.log.error("internal error", error_id=error_id, exc_info=error)
        told = f"internal error {error_id}: the operator finds it in the broker's log"
        await self._context.abort(grpc.StatusCode.INTERNAL, told)
