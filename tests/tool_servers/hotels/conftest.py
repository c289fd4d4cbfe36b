"""One hotel service for all tests of a session, with a channel for each."""

from collections.abc import AsyncIterator, Iterator

import grpc.aio
import pytest
from hotels.v1 import hotels_pb2_grpc

from tests.tool_servers.hotels import server
from tests.tool_servers.toolchains import need


@pytest.fixture(scope="session")
def built() -> None:
    need("hotels")


@pytest.fixture(scope="session")
def address(built: None) -> Iterator[str]:
    with server.running() as (_, address):
        yield address


@pytest.fixture
async def channel(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def hotels(channel: grpc.aio.Channel) -> "hotels_pb2_grpc.HotelServiceAsyncStub":
    return hotels_pb2_grpc.HotelServiceStub(channel)
