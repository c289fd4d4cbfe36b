"""Runs the extract service: `python -m tool_servers.extract`.

    make gen                                                   # the stubs of extract/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.extract       # extract: listening on 127.0.0.1:50060

By default records are kept in a temporary file of SQLite, which is gone when it stops.

Environment:
    DATABASE_URL   sqlite:///FILE or postgresql://USER@HOST/NAME, in which it makes its table
"""

import argparse
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from tool_servers.serving import command

if TYPE_CHECKING:
    from tool_servers.serving.server import Service


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("extract", __doc__, port=50060)
    return command.run("extract", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(_: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here, so that --help works before the stubs are made.
    from tool_servers.extract.service import extract_service
    from tool_servers.extract.store import open_store
    from tool_servers.serving import database

    given = os.environ.get("DATABASE_URL")
    with ExitStack() as stack:
        if given is None:
            given = (
                f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory(prefix='extract-'))}/records.db"
            )
        async with open_store(database.parse(given)) as store:
            yield extract_service(store)


if __name__ == "__main__":
    sys.exit(main())
