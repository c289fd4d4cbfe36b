"""Runs the customer service: `python -m tool_servers.customers`.

    make gen                                                   # the stubs of customers/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.customers     # customers: listening on 127.0.0.1:50055

By default it works on a made-up data set in a temporary file of SQLite, the same at every start.

Environment:
    DATABASE_URL        sqlite:///FILE or postgresql://USER@HOST/NAME; made-up data is put in with --seed
    QUERY_DATABASE_URL  for PostgreSQL: the same database as a user who may only SELECT, for RunQuery
"""

import argparse
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tool_servers.serving import command

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from tool_servers.customers.queries import Reader
    from tool_servers.serving.server import Service


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("customers", __doc__, port=50055)
    parser.add_argument(
        "--seed", action="store_true", help="put made-up data into a database without these tables"
    )
    return command.run("customers", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(options: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here, so that --help works before the stubs are made.
    from tool_servers.customers.seed import seed
    from tool_servers.customers.service import customer_service
    from tool_servers.customers.store import Store
    from tool_servers.serving import database

    given = os.environ.get("DATABASE_URL")
    seeded = options.seed or given is None
    with ExitStack() as stack:
        if given is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="customers-"))
            given = f"sqlite:///{folder}/sales.db"
        url = database.parse(given)
        engine = database.open_engine(url)
        try:
            reader, store = await _reader(url), Store(engine)
            if seeded:
                await seed(engine)
            await store.check()
            yield customer_service(store, reader)
        finally:
            await engine.dispose()


async def _reader(url: "URL") -> "Reader":
    from tool_servers.customers.postgres_reader import PostgresReader
    from tool_servers.customers.sqlite_reader import SqliteReader
    from tool_servers.serving import database

    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ValueError("DATABASE_URL names no file: RunQuery opens the database a second time")
        return SqliteReader(Path(url.database))
    given = os.environ.get("QUERY_DATABASE_URL")
    url = database.parse(given) if given else url
    if url.get_backend_name() != "postgresql":
        raise ValueError(
            "QUERY_DATABASE_URL is not of the kind of DATABASE_URL: give postgresql://USER@HOST/NAME"
        )
    reader = PostgresReader(url)
    await reader.check()
    return reader


if __name__ == "__main__":
    sys.exit(main())
