"""The built flight server as a process of its own, with a channel to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
from flights.v1 import flights_pb2_grpc

from tests.tool_servers.process import ready

MAIN = Path(__file__).parents[3] / "tool_servers" / "flights" / "build" / "src" / "main.js"
# The clock of the server starts here, so that dates are the same on every run.
NOW = "2026-03-01T08:00:00Z"


class Server:
    """A running server."""

    def __init__(self, process: asyncio.subprocess.Process, channel: grpc.aio.Channel) -> None:
        self.process = process
        self.channel = channel
        self.stub = flights_pb2_grpc.FlightServiceStub(channel)


async def start(node: str, *arguments: str) -> asyncio.subprocess.Process:
    """The server's process; it may not be ready yet, or refuse its arguments."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(node, str(MAIN), *arguments, stdout=pipe, stderr=pipe)


def arguments(*more: str) -> tuple[str, ...]:
    """Those of a server on a free port, with the clock of these tests."""
    return ("--address", "127.0.0.1:0", "--now", NOW, *more)


def address_in(line: bytes) -> str:
    """The address in the line that tells that a server is ready."""
    fact, _, address = line.decode().strip().rpartition(" ")
    assert fact == "flights: listening on"
    return address


@asynccontextmanager
async def running(node: str, *more: str) -> AsyncIterator[Server]:
    """A server with these arguments besides, which is ended in the end."""
    process = await start(node, *arguments(*more))
    async with ready("flights", process) as channel:
        yield Server(process, channel)
