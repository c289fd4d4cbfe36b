"""A tool server as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio

ROOT = Path(__file__).parents[2]


async def start(name: str, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """`python -m tool_servers.NAME ARGUMENTS`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tool_servers.{name}", *arguments),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "gen" / "python")} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(
    name: str, *arguments: str, **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, grpc.aio.Channel]]:
    """The process, ready, on a free port, and a channel to it."""
    process = await start(name, "--address", "127.0.0.1:0", *arguments, **environment)
    try:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode().strip()
        fact, _, address = ready.rpartition(" ")
        assert fact == f"{name}: listening on"
        async with grpc.aio.insecure_channel(address) as channel:
            yield process, channel
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
