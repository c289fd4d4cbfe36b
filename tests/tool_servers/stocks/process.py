"""The stock service as a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import grpc.aio
from stocks.v1 import stocks_pb2_grpc

from tests.tool_servers.process import ready

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tool_servers" / "stocks"
PROGRAM = FOLDER / "build" / "stocks"

# Only the types of the stubs have this name.
Stub: TypeAlias = "stocks_pb2_grpc.StockServiceAsyncStub"

NOW = "2026-11-21T12:00:00Z"
"""A Saturday: the latest trading day is 2026-11-20 everywhere."""


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        PROGRAM, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, grpc.aio.Channel]]:
    """The process, ready to answer, and a channel to it."""
    process = await start("--address", "127.0.0.1:0", *arguments)
    async with ready("stocks", process) as channel:
        yield process, channel
