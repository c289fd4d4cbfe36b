"""`broker stand-in`: the rule-based stand-in for a model, alone."""

from typing import Annotated

import typer


def stand_in(
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Serve the stand-in for a model: an OpenAI-compatible server that follows rules.

    It is no language model. It lets you try an application without a key.
    """
    import asyncio

    asyncio.run(_serve(host, port))


async def _serve(host: str, port: int) -> None:
    import asyncio

    from broker.standin import app

    async with app.start(host, port) as base_url:
        typer.echo(f"OPENAI_BASE_URL={base_url}")
        typer.echo("broker: a rule-based stand-in, no language model; Ctrl-C ends it", err=True)
        await asyncio.Event().wait()
