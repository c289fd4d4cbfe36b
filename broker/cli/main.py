"""The `broker` command: arguments → a command; what goes wrong → one line on stderr and an exit status.

A command's own imports stand in its body: `broker --help` must not wait for gRPC.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from broker.cli import call, chat, check, lock, protos, serve, stand_in, tools
from broker.cli.flags import two_dashes
from broker.errors import BrokerError, ModelError

app = typer.Typer(
    name="broker",
    help="Offers gRPC services as tools to language models, from their .proto alone.",
    epilog="Exit status: 0; 64 + gRPC status code of a failed call; 3 a call waits for approval; "
    "2 usage or configuration; 1 the model.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(tools.tools)
app.command()(call.call)
app.command()(chat.chat)
app.command()(check.check)
app.command()(lock.lock)
app.command()(serve.serve)
app.command("stand-in")(stand_in.stand_in)
app.command()(protos.protos)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"broker {version('grpc-tool-broker')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None: ...


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command, and exits with its status. `arguments` are those of the process when None."""
    given = two_dashes(sys.argv[1:] if arguments is None else arguments)
    # Typer checks its arguments with pydantic, whose search for plugins reads the metadata of every package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # What gRPC's core notes about a failed handshake, the error says in words.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        app(given)
    except BrokerError as error:
        _fail(str(error), 1 if isinstance(error, ModelError) else 2)
    except Exception as error:  # noqa: BLE001 - no stack trace reaches a user
        if os.environ.get("BROKER_DEBUG") or {"-v", "--verbose"} & set(given):
            traceback.print_exc()
        _fail(
            f"{type(error).__name__}: {error}; this should not happen: BROKER_DEBUG=1 shows where it did", 1
        )


def _fail(message: str, status: int) -> NoReturn:
    for line in message.splitlines():
        typer.echo(f"broker: {line}", err=True)
    sys.exit(status)
