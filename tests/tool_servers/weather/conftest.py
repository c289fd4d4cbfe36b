"""A weather server in this process, with a channel to it."""

from collections.abc import Awaitable, Callable

import grpc.aio
import pytest

from tests.tool_servers.conftest import Serve
from tool_servers.serving.server import ToolServer
from tool_servers.weather.provider import Provider
from tool_servers.weather.service import weather_service


@pytest.fixture
def serve(serve_service: Serve) -> Callable[[Provider], Awaitable[tuple[ToolServer, grpc.aio.Channel]]]:
    """Serves a provider until the test ends."""
    return lambda provider: serve_service(weather_service(provider))
