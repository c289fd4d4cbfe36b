"""`broker call`: one tool call, through the whole path that a model's call takes."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.flags import ServiceFlags, takes_service_flags

if TYPE_CHECKING:
    from broker.catalog.catalog import Catalog
    from broker.config.settings import Settings
    from broker.tool import CallContext, ToolResult


@takes_service_flags
def call(
    *,
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[TARGET] NAME [JSON]", help="The tool, and JSON, @file, or - for standard input."
        ),
    ],
    data: Annotated[
        str | None, typer.Option("-d", "--data", metavar="JSON", help="The JSON, as in grpcurl.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Where an image or a file of the result goes."),
    ] = None,
    service: ServiceFlags,
) -> None:
    """Call one tool and show what a model would read.

    broker call localhost:50051 -plaintext weather_v1_WeatherService_GetWeather '{"name": "北京"}'

    NAME is a tool's name, or the method's: weather.v1.WeatherService/GetWeather.
    """
    import asyncio

    from broker.cli import media
    from broker.cli.output import reason, show_content
    from broker.cli.service import settings_of, take_target
    from broker.cli.waiting import exit_status

    target = take_target(arguments)
    name, text = _name_and_json(arguments, data)
    settings = settings_of(target, service)
    result = asyncio.run(_call(settings, name, text, service))
    if result.code is None:
        show_content(result.content)
    else:
        typer.echo(f"broker: {reason(result.code, result.content)}", err=True)
    media.keep(result.media, output)
    if result.code is not None:
        raise typer.Exit(exit_status(result.code))


def context(service: ServiceFlags) -> "CallContext":
    """Until when each call of a command has to be over."""
    from broker.tool import CallContext

    deadline = None if service.max_time is None else time.monotonic() + service.max_time
    return CallContext(deadline=deadline)


async def _call(settings: "Settings", name: str, text: str, service: ServiceFlags) -> "ToolResult":
    from contextlib import AsyncExitStack

    from broker import assembly
    from broker.cli.waiting import bounded
    from broker.tool import ToolCall

    until = context(service)
    async with AsyncExitStack() as stack:
        async with bounded(service.max_time):
            broker = await stack.enter_async_context(assembly.open(settings))
        call = ToolCall(id="call_1", name=_tool_name(broker.catalog, name), arguments=text)
        return await broker.call(call, until)


def _tool_name(catalog: "Catalog", name: str) -> str:
    """The name of a tool that is called by its method's name, as grpcurl does."""
    methods = {tool.full_name: tool.name for tool in catalog}
    return methods.get(name.replace("/", "."), name)


def _name_and_json(arguments: list[str], data: str | None) -> tuple[str, str]:
    name, *rest = arguments if arguments else [""]
    given = rest if data is None else [*rest, data]
    if not name or len(given) > 1:
        raise typer.BadParameter("takes a tool's NAME and at most one JSON text")
    return name, _json(given[0]) if given else "{}"


def _json(given: str) -> str:
    if given in ("-", "@"):
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{given[1:]} cannot be read: {error}") from None
