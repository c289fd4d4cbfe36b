"""Tool servers of Python in this process, and the database that some of them need."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import cast

import grpc.aio
import pytest

from tests.tool_servers.node_client import Node, NodeChannel, node
from tests.tool_servers.postgres import postgres
from tests.tool_servers.served import served
from tool_servers.serving.server import Service, ToolServer

Serve = Callable[[Service], Awaitable[tuple[ToolServer, grpc.aio.Channel]]]
Elsewhere = Callable[[ToolServer], grpc.aio.Channel]


@pytest.fixture
async def serve_service() -> AsyncIterator[Serve]:
    """Serves a service until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(service: Service) -> tuple[ToolServer, grpc.aio.Channel]:
            return await stack.enter_async_context(served(service))

        yield start


@pytest.fixture(scope="session")
def _node() -> Iterator[Node]:
    with node() as process:
        yield process


@pytest.fixture
def elsewhere(_node: Node) -> Elsewhere:
    """What stubs take for a channel to a server; their calls are made by a client in another language."""
    return lambda server: cast("grpc.aio.Channel", NodeChannel(_node, server.address))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of its own."""
    with postgres() as url:
        yield url
