"""The command that runs a tool server: its options, its signals, and how it says that something is wrong.

A tool server serves with health and reflection (v1 and v1alpha) beside it, and writes one line to stdout
when it is ready; with port 0 that line tells which port it got. A line for each call goes to stderr. SIGTERM
and SIGINT stop it: it says NOT_SERVING, refuses new calls, lets those in flight end, and exits with status 0.
A wrong setting is exit status 2.
"""

import argparse
import asyncio
import logging
import math
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tool_servers.serving.server import Service

OpenService = Callable[[argparse.Namespace], AbstractAsyncContextManager["Service"]]
"""Makes what is served; raises ValueError or OSError for a wrong setting."""


def parser(name: str, description: str | None, port: int) -> argparse.ArgumentParser:
    """The options that every tool server has; a server adds its own."""
    made = argparse.ArgumentParser(
        prog=f"python -m tool_servers.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--address", default=f"127.0.0.1:{port}", help="HOST:PORT (default: %(default)s)")
    made.add_argument(
        "--grace", type=seconds, default=10.0, help="seconds that calls in flight have to end (default: 10)"
    )
    return made


def seconds(text: str) -> float:
    """What an option that is a length of time takes; raises what argparse tells.

    >>> seconds("0.5")
    0.5
    """
    try:
        length = float(text)
    except ValueError:
        length = math.nan
    if not 0 <= length < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds: give 0 or more")
    return length


def run(name: str, options: argparse.Namespace, open_service: OpenService) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # They would tell what is asked of others, and with it what the client asked.
    for chatty in ("httpx2", "openai"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It warns of what it does not know in the client's own words, which the client is told anyway.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    try:
        asyncio.run(_serve(name, options, open_service))
    except (OSError, ValueError) as error:
        return _refuse(name, error)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in (name, "buf"):
            raise
        fact = f"the stubs of {name}/v1 are not on the path: run `make gen`, set PYTHONPATH=gen/python"
        return _refuse(name, fact)
    return 0


def _refuse(name: str, fact: object) -> int:
    sys.stderr.write(f"{name}: {fact}\n")
    return 2


async def _serve(name: str, options: argparse.Namespace, open_service: OpenService) -> None:
    # Imported here, so that --help is quick.
    from tool_servers.serving.server import ToolServer

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_service(options) as service:
        server = ToolServer(service, options.address)
        await server.start()
        print(f"{name}: listening on {server.address}", flush=True)  # noqa: T201 what a starter waits for
        await stopping.wait()
        await server.stop(options.grace)
