"""Flight servers for the tests, where there is the toolchain that they need."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from flights.v1 import flights_pb2_grpc

from tests.tool_servers.flights.serving import MAIN, Server, address_in, arguments, running
from tests.tool_servers.toolchains import need

if TYPE_CHECKING:
    # The generated code has one class for both kinds of channels.
    from flights.v1.flights_pb2_grpc import FlightServiceAsyncStub as Stub


@pytest.fixture(scope="session", autouse=True)
def node() -> str:
    """The program that runs the server. Without it the tests are skipped; with CI set they fail."""
    need("flights")
    program = shutil.which("node")
    assert program is not None
    return program


@pytest.fixture
async def server(node: str) -> AsyncIterator[Server]:
    """A server that is the test's own."""
    async with running(node) as server:
        yield server


@pytest.fixture(scope="session")
def shared_address(node: str) -> Iterator[str]:
    """Where one server for all tests that leave no trace in it listens: each start takes a second."""
    process = subprocess.Popen([node, MAIN, *arguments()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield address_in(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
async def shared_stub(shared_address: str) -> AsyncIterator["Stub"]:
    async with grpc.aio.insecure_channel(shared_address) as channel:
        yield flights_pb2_grpc.FlightServiceStub(channel)
