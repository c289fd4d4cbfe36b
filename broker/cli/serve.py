"""`broker serve`: the service, until it is told to stop."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from broker.config.settings import Settings


def serve(
    *,
    config: Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="What to serve.")] = Path(
        "broker.yaml"
    ),
    check: Annotated[bool, typer.Option("--check", help="Do all that is done at start, and end.")] = False,
) -> None:
    """Serve BrokerService over gRPC: ListTools, CallTool and Chat.

    SIGTERM and Ctrl-C drain it: health says NOT_SERVING, calls in flight are finished.
    """
    import asyncio

    from broker.config import loading

    settings = loading.load(config)
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_check(settings) if check else _serve(settings))
    if check:
        typer.echo(f"{config}: is in order; backends: {', '.join(settings.backends)}")


async def _check(settings: "Settings") -> None:
    from broker.servers import lifecycle

    await lifecycle.check(settings)


async def _serve(settings: "Settings") -> None:
    from broker.servers import lifecycle

    host = settings.server.grpc.rpartition(":")[0]

    def ready(port: int) -> None:
        typer.echo(f"broker: serving at {host}:{port}", err=True)

    await lifecycle.serve(settings, ready=ready)


def _loop() -> "AbstractEventLoop":
    try:
        import uvloop
    except ImportError:  # not made for Windows
        import asyncio

        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
