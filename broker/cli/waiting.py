"""What `-max-time` and exit statuses mean to all commands."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import typer

from broker.errors import Code

UNDECIDED = 3
"""The exit status when a call waits for a decision, and was not sent."""


@asynccontextmanager
async def bounded(max_time: float | None) -> AsyncIterator[None]:
    """Gives up what takes longer than `-max-time`, and exits with the status of DEADLINE_EXCEEDED."""
    try:
        async with asyncio.timeout(max_time) as timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        typer.echo(f"broker: gave up after {max_time:g} s, as -max-time says", err=True)
        raise typer.Exit(exit_status(Code.DEADLINE_EXCEEDED)) from None


def exit_status(code: Code) -> int:
    """64 + the gRPC status code, as grpcurl has it.

    >>> exit_status(Code.NOT_FOUND)
    69
    """
    return 64 + code
