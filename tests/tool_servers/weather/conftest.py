"""A weather server in this process, with a channel to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import grpc.aio
import pytest

from tool_servers.weather.provider import Provider
from tool_servers.weather.server import WeatherServer


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Provider], Awaitable[tuple[WeatherServer, grpc.aio.Channel]]]]:
    """Serves a provider until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(provider: Provider) -> tuple[WeatherServer, grpc.aio.Channel]:
            server = WeatherServer(provider, "127.0.0.1:0")
            port = await server.start()
            stack.push_async_callback(server.stop, 0)
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
            return server, await stack.enter_async_context(channel)

        yield start
