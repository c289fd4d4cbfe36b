"""A broker service between a scripted model and a real backend."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from broker.config.settings import Settings
from tests.chat_service.client import chat_service
from tests.models.scripted_server import ScriptedServer, scripted_server
from tests.servers.probe import Probe

Opened = Callable[..., AbstractAsyncContextManager[Any]]
SERVER = {"grpc": "127.0.0.1:0", "drain_delay": "1ms", "drain_timeout": "5s"}


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """The model's server: what it says is written in the test."""
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def opened(server: ScriptedServer, probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> Opened:
    """Opens a service before the scripted model and the probe: its stub. What is given are settings."""

    @asynccontextmanager
    async def open_service(model: dict[str, Any] | None = None, **more: Any) -> AsyncIterator[Any]:
        known = {"driver": "chat-completions", "name": "m", "base_url": server.base_url, "api_key": "k"}
        given = settings_for(probe[1], model=known | (model or {}), server=SERVER, **more)
        async with chat_service(given) as stub:
            yield stub

    return open_service


@pytest.fixture
async def stub(opened: Opened) -> AsyncIterator[Any]:
    async with opened() as stub:
        yield stub
