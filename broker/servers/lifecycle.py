"""Settings → a service that runs until it is told to stop, and then drains: NOT_SERVING, wait, finish."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

from broker import assembly
from broker.call_log import logger
from broker.catalog.catalog import Catalog
from broker.config.loading import placed
from broker.config.settings import ServerSettings, Settings
from broker.servers import grpc_server
from broker.servers.broker_service import BrokerService
from broker.servers.grpc_server import GrpcServer
from broker.servers.in_flight import InFlight


async def serve(settings: Settings, *, ready: Callable[[int], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends it at once.

    `ready` is told the port once calls are taken. Raises StartError when it cannot start.
    """
    async with running(settings) as port:
        if ready is not None:
            ready(port)
        await _stop_signal()


async def check(settings: Settings) -> None:
    """Does all that `serve` does at start, but does not listen. Raises StartError, as `serve` would.

    Services that are known by reflection are asked.
    """
    async with assembly.open(settings) as broker, assembly.open_chat(settings, broker):
        with placed(settings):
            grpc_server.credentials(settings.server)


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[int]:
    """The service, listening; the port is handed out. Leaving drains it."""
    async with assembly.open(settings) as broker, assembly.open_chat(settings, broker) as chat:
        log = logger(settings.log)
        _tell_what_is_left_out(broker.catalog, log)
        in_flight = InFlight(settings.server.max_concurrent_calls, log)
        service = BrokerService(broker, chat, in_flight)
        with placed(settings):
            started = await grpc_server.start(service, settings.server)
        try:
            yield started.port
        finally:
            await _drain(started, service, settings.server)


def _tell_what_is_left_out(catalog: Catalog, log: Any) -> None:
    catalog.tools()  # the first to ask would wait for it, and only then is it known what cannot be rendered
    for backend, full_name, reason in catalog.not_offered():
        log.warning("not offered", backend=backend, method=full_name, reason=reason)


async def _drain(started: GrpcServer, service: BrokerService, settings: ServerSettings) -> None:
    # Balancers need a moment to see NOT_SERVING; until then they go on sending, and are answered.
    await started.health.enter_graceful_shutdown()
    await asyncio.sleep(settings.drain_delay)
    refusing = asyncio.create_task(started.server.stop(settings.drain_timeout))
    # Health is watched by streams that never end: only our own calls are waited for.
    await _idle(service, settings)
    await started.server.stop(None)
    await refusing
    # What was cut off puts its run down, for which the store of runs has to be open still.
    await _idle(service, settings)


async def _idle(service: BrokerService, settings: ServerSettings) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(service.in_flight.idle.wait(), settings.drain_timeout)


async def _stop_signal() -> None:
    """Waits for SIGTERM or SIGINT; until it has begun, and after it, they end the process as ever."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
