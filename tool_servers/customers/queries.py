"""One statement → rows, on a connection of which the database itself refuses every write.

SQLite: the file is opened read-only, every action but reading is denied by its authorizer, lengths are
bounded, and the statement is broken off when its time is over. PostgreSQL: a read-only transaction with a
statement timeout, by the extended protocol, which takes one statement only. Both read a row more than is
wanted and no further.
"""

import asyncio
import decimal
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy.engine import URL

TIMEOUT = 5.0
"""Seconds that a statement may take."""
MAX_CELL = 10_000
"""Characters of one value."""
MAX_CHARACTERS = 500_000
"""Of all values together; rows beyond are left out."""

Row = Sequence[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What a query found."""

    columns: Sequence[str]
    rows: Sequence[Row]
    truncated: bool


class QueryFailed(Exception):
    """The database refused the statement, in its own words."""


class QueryTooSlow(Exception):
    """The statement was broken off."""


class Reader(Protocol):
    """Runs statements that only read."""

    dialect: str

    async def run(self, sql: str, max_rows: int) -> Rows:
        """Raises QueryFailed or QueryTooSlow, and OSError where there is no database."""
        ...


class SqliteReader:
    """Reads a file of SQLite; each statement has a connection of its own."""

    dialect = "sqlite"

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._uri = f"{path.absolute().as_uri()}?mode=ro"
        self._timeout = timeout

    async def run(self, sql: str, max_rows: int) -> Rows:
        return await asyncio.to_thread(self._run, sql, max_rows)

    def _opened(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._uri, uri=True, isolation_level=None)
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        return connection

    def _run(self, sql: str, max_rows: int) -> Rows:
        deadline = time.monotonic() + self._timeout
        connection = self._opened()
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
            cursor = connection.execute(sql)
            columns = [column[0] for column in cursor.description or ()]
            return _bounded(columns, cursor.fetchmany(max_rows + 1), max_rows)
        except (sqlite3.Error, sqlite3.Warning) as error:
            if time.monotonic() > deadline:
                raise QueryTooSlow from None
            raise QueryFailed(str(error)) from None
        finally:
            connection.close()


_MAY = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
_MAY_NOT_CALL = frozenset({"load_extension", "fts3_tokenizer", "zeroblob", "randomblob"})


def _authorize(action: int, _first: str | None, second: str | None, *_: object) -> int:
    allowed = action in _MAY and not (action == sqlite3.SQLITE_FUNCTION and second in _MAY_NOT_CALL)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class PostgresReader:
    """Reads a database of PostgreSQL as a user that is no superuser."""

    dialect = "postgres"

    def __init__(self, url: URL, timeout: float = TIMEOUT) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._timeout = timeout

    async def check(self) -> None:
        """Raises ValueError for a user whom read-only transactions would not hold back."""
        connection = await self._connect()
        try:
            is_super = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        finally:
            await connection.close()
        if is_super:
            raise ValueError(
                "RunQuery would run as a superuser of PostgreSQL, who may read files of its machine: "
                "give QUERY_DATABASE_URL a user who may only SELECT"
            )

    async def run(self, sql: str, max_rows: int) -> Rows:
        connection = await self._connect()
        try:
            await connection.execute("START TRANSACTION READ ONLY")
            # From its first statement on, a transaction stays read-only, whatever is set.
            await connection.fetchval("SELECT 1")
            statement = await connection.prepare(sql)
            columns = [attribute.name for attribute in statement.get_attributes()]
            cursor = await statement.cursor()
            return _bounded(columns, await cursor.fetch(max_rows + 1), max_rows)
        except asyncpg.QueryCanceledError:
            raise QueryTooSlow from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise QueryFailed(str(error)) from None
        finally:
            # Nothing is ever committed: before PostgreSQL 16, large objects can be written all the same.
            await connection.close(timeout=1)

    async def _connect(self) -> asyncpg.Connection:
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": str(int(self._timeout * 1000)),
            "search_path": "public",
        }
        try:
            return await asyncpg.connect(self._dsn, server_settings=settings, timeout=5)
        except (asyncpg.PostgresError, TimeoutError) as error:
            raise OSError(f"PostgreSQL lets nobody in: {error}") from error


def _bounded(columns: Sequence[str], found: Iterable[Any], max_rows: int) -> Rows:
    rows: list[Row] = []
    characters = 0
    for row in found:
        values = [_plain(value) for value in row]
        characters += sum(len(str(value)) for value in values)
        if len(rows) == max_rows or characters > MAX_CHARACTERS:
            return Rows(columns=columns, rows=rows, truncated=True)
        rows.append(values)
    return Rows(columns=columns, rows=rows, truncated=False)


def _plain(value: Any) -> Any:
    """A value as JSON has it: numbers beyond 2^53 and whatever else there is as text."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    if isinstance(value, decimal.Decimal) and value == value.to_integral_value() and abs(value) <= 2**53:
        return int(value)
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}… ({len(text)} characters)"
