"""Tool servers of Python in this process, and the database that some of them need."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import grpc.aio
import pytest

from tests.tool_servers.postgres import postgres
from tests.tool_servers.served import served
from tool_servers.serving.server import Service, ToolServer

Serve = Callable[[Service], Awaitable[tuple[ToolServer, grpc.aio.Channel]]]


@pytest.fixture
async def serve_service() -> AsyncIterator[Serve]:
    """Serves a service until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(service: Service) -> tuple[ToolServer, grpc.aio.Channel]:
            return await stack.enter_async_context(served(service))

        yield start


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of its own."""
    with postgres() as url:
        yield url
