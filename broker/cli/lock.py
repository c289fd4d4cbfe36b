"""`broker lock`: what models see, written down, so that a change of it is seen and agreed to."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.flags import ServiceFlags, takes_service_flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.catalog.lock import ToolChange
    from broker.config.lockfile import LockedTool

DEFAULT = Path("broker.lock.json")


@takes_service_flags
def lock(
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="localhost:50051, a .proto, a protoset (.binpb) or a broker.yaml."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"`lockfile` of broker.yaml, or {DEFAULT}, when not given."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Compare, and write nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The changes, as JSON.")] = False,
    service: ServiceFlags,
) -> None:
    """Write down what models see of each tool, or compare it with what was written.

    broker lock --check

    Exit status 1 of --check when anything changed; each line says whether that breaks callers.
    """
    import asyncio

    from broker.catalog import lock as locking
    from broker.cli import output as shown
    from broker.cli.service import settings_of
    from broker.cli.tools import load_catalog, tell_left_out
    from broker.config import lockfile

    settings = settings_of([] if sources is None else sources, service, unlocked=True)
    path = next(each for each in (output, settings.lockfile, DEFAULT) if each is not None)
    everything = settings.model_copy(update={"lockfile": None})
    catalog = asyncio.run(load_catalog(everything, service.max_time))
    new = locking.lock(catalog)
    tell_left_out(catalog, locking.PROFILE)
    old = locking.read(path) if check else _replaced(path)
    changes = locking.changes(old, new)
    if json:
        shown.show_json([asdict(change) for change in changes])
    elif check:
        _show(changes)
    if not check:
        _write(path, lockfile.dump(new))
    typer.echo(f"broker: {path}: {_summary(len(new), changes)}", err=True)
    if check and changes:
        raise typer.Exit(1)


def _replaced(path: Path) -> "list[LockedTool]":
    """What stood in a lockfile that is written anew: nothing, if it cannot be read."""
    from broker.config import lockfile

    try:
        return lockfile.read(path)
    except ValueError:
        return []


def _summary(count: int, changes: "Sequence[ToolChange]") -> str:
    if not changes:
        return f"{count} tool(s), nothing changed"
    return f"{count} tool(s), {len(changes)} change(s), {sum(change.breaks for change in changes)} breaking"


def _show(changes: "Sequence[ToolChange]") -> None:
    import sys

    from broker.cli import output

    for change in changes:
        verdict, colour = ("breaking", "red") if change.breaks else ("compatible", "green")
        what = output.one_line(change.what, 400)
        line = f"{verdict}\t{output.one_line(change.full_name)} of {output.one_line(change.backend)}\t{what}"
        output.tell(line, colour, sys.stdout)


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a lockfile that was written halfway would hold back every tool."""
    from broker.errors import ConfigError

    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; name another with --output") from None
