"""A tool server as a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio

ROOT = Path(__file__).parents[2]
_REFUSED_WITHIN = 60.0
"""Seconds; one that serves instead would never end."""


def inherited() -> dict[str, str]:
    """The environment of a tool server: ours, without the measuring of coverage, which is the broker's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


async def start(name: str, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """`python -m tool_servers.NAME ARGUMENTS`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tool_servers.{name}", *arguments),
        cwd=ROOT,
        env=inherited() | {"PYTHONPATH": str(ROOT / "gen" / "python")} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(
    name: str, *arguments: str, **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, grpc.aio.Channel]]:
    """The process, ready, on a free port, and a channel to it."""
    process = await start(name, "--address", "127.0.0.1:0", *arguments, **environment)
    async with ready(name, process) as channel:
        yield process, channel


@asynccontextmanager
async def ready(name: str, process: asyncio.subprocess.Process) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server, in any language, that says where it listens; it is ended in the end."""
    try:
        assert process.stdout is not None
        fact, _, address = (await process.stdout.readline()).decode().strip().rpartition(" ")
        assert fact == f"{name}: listening on"
        async with grpc.aio.insecure_channel(address) as channel:
            yield channel
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def refuses(name: str, words: str, *arguments: str, **environment: str) -> None:
    """Asserts that a setting is refused in these words, without a traceback and what is hidden in it."""
    process = await start(name, *arguments, **environment)

    try:
        output, errors = await asyncio.wait_for(process.communicate(), _REFUSED_WITHIN)
    finally:
        if process.returncode is None:
            process.kill()

    assert process.returncode == 2
    assert words in errors.decode()
    assert "hidden" not in errors.decode()
    assert "Traceback" not in errors.decode()
    assert output == b""
