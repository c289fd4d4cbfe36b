"""A running stock service with generated prices, at a fixed time."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
from stocks.v1 import stocks_pb2_grpc

from tests.tool_servers.stocks.process import NOW, Stub, running
from tests.tool_servers.toolchains import need


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """Builds the service once."""
    need("stocks")


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    async with running("--now", NOW) as (_, channel):
        yield channel


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Stub:
    return stocks_pb2_grpc.StockServiceStub(channel)
