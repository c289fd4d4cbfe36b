"""Settings → a service that runs until it is told to stop, and then drains: NOT_SERVING, wait, finish."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from typing import Any

from broker import assembly
from broker.call_log import logger
from broker.catalog.catalog import Catalog
from broker.config.settings import ServerSettings, Settings
from broker.servers import grpc_server
from broker.servers.broker_service import BrokerService
from broker.servers.grpc_server import GrpcServer


async def serve(settings: Settings, *, ready: Callable[[int], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then drains. `ready` is told the port once calls are taken.

    Raises ConfigError, DescriptorError or CatalogError when it cannot start.
    """
    stop = _stop_signal()
    async with running(settings) as port:
        if ready is not None:
            ready(port)
        await stop.wait()


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[int]:
    """The service, listening; the port is handed out. Leaving drains it."""
    async with assembly.open(settings) as broker, assembly.open_model(settings) as model:
        log = logger(settings.log)
        _tell_what_is_left_out(broker.catalog, log)
        service = BrokerService(broker, model, settings.chat, log)
        started = await grpc_server.start(service, settings.server)
        try:
            yield started.port
        finally:
            await _drain(started, service, settings.server)


def _tell_what_is_left_out(catalog: Catalog, log: Any) -> None:
    catalog.tools()  # the first to ask would wait for it, and only then is it known what cannot be rendered
    for full_name, reason in catalog.left_out.items():
        log.warning("not offered", method=full_name, reason=reason)


async def _drain(started: GrpcServer, service: BrokerService, settings: ServerSettings) -> None:
    # Balancers need a moment to see NOT_SERVING; until then they go on sending, and are answered.
    await started.health.enter_graceful_shutdown()
    await asyncio.sleep(settings.drain_delay)
    refusing = asyncio.create_task(started.server.stop(settings.drain_timeout))
    # Health is watched by streams that never end: only our own calls are waited for.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(service.in_flight.idle.wait(), settings.drain_timeout)
    await started.server.stop(None)
    await refusing


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
