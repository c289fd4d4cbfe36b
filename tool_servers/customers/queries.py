"""One statement → rows, on a connection of which the database itself refuses every write.

SQLite: the file is opened read-only, every action but reading the known tables is denied by its authorizer,
lengths are bounded, and the statement is broken off when its time is over or nobody waits for it any more.
PostgreSQL: a read-only transaction with a statement timeout, by the extended protocol, which takes one
statement only, and that as a part of a SELECT which cuts long values before they are sent. Both read a row
more than is wanted and no further, and not all at once.
"""

import asyncio
import decimal
import math
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy.engine import URL

from tool_servers.customers.tables import READABLE
from tool_servers.serving import database

TIMEOUT = 5.0
"""Seconds that a statement may take."""
MAX_CELL = 10_000
"""Characters of one value."""
MAX_CHARACTERS = 500_000
"""Of all values together; rows beyond are left out."""
_PER_VALUE = 8
"""What a value counts for beyond its characters."""

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
        stopped = threading.Event()
        try:
            return await asyncio.to_thread(self._run, sql, max_rows, stopped)
        finally:
            # Also when the call was cancelled: the thread does not notice that.
            stopped.set()

    def _opened(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._uri, uri=True, isolation_level=None, timeout=self._timeout / 2)
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        return connection

    def _run(self, sql: str, max_rows: int, stopped: threading.Event) -> Rows:
        deadline = time.monotonic() + self._timeout
        connection = self._opened()
        try:
            for limit, value in _LIMITS.items():
                connection.setlimit(limit, value)
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(lambda: stopped.is_set() or time.monotonic() > deadline, _STEPS)
            cursor = connection.execute(sql)
            columns = [column[0] for column in cursor.description or ()]
            rows = _Bounded(columns, max_rows)
            for row in cursor:
                if not rows.take(row):
                    break
            return rows.taken()
        except (sqlite3.Error, sqlite3.Warning) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUTAGES:
                raise OSError(str(error)) from error
            if time.monotonic() > deadline:
                raise QueryTooSlow from None
            raise QueryFailed(str(error)) from None
        finally:
            connection.close()


_LIMITS = {
    # Of one value or row, in bytes: what a function takes grows with the square of it.
    sqlite3.SQLITE_LIMIT_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_STEPS = 100
"""So many steps of SQLite's machine go by until it is asked whether to go on; each may call a function."""
_OUTAGES = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR),
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB),
    }
)
"""Errors of the database, not of the statement."""
_MAY = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
_MAY_NOT_CALL = frozenset({"load_extension", "fts3_tokenizer", "zeroblob", "randomblob", "printf", "format"})


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    allowed = (
        action in _MAY
        # No column: rows are counted, also those of a WITH, which is no table.
        or (action == sqlite3.SQLITE_READ and (not second or (first or "").lower() in READABLE))
        or (action == sqlite3.SQLITE_FUNCTION and second not in _MAY_NOT_CALL)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


_READS_FILES = """
SELECT EXISTS (
    SELECT FROM pg_roles
    WHERE (rolsuper OR rolname IN ('pg_read_server_files', 'pg_execute_server_program'))
    AND pg_has_role(current_user, oid, 'MEMBER')
)
"""


class PostgresReader:
    """Reads a database of PostgreSQL as a user that is no superuser."""

    dialect = "postgres"

    def __init__(self, url: URL, timeout: float = TIMEOUT) -> None:
        self._url = url
        self._timeout = timeout
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def check(self) -> None:
        """Raises ValueError for a user whom read-only transactions would not hold back."""
        connection = await self._connect()
        try:
            reads_files = await connection.fetchval(_READS_FILES)
        finally:
            await connection.close()
        if reads_files:
            raise ValueError(
                "RunQuery would run as a superuser of PostgreSQL, or another who may read its files: "
                "give QUERY_DATABASE_URL a user who may only SELECT"
            )

    async def run(self, sql: str, max_rows: int) -> Rows:
        async with self._turns:
            return await self._connected(sql, max_rows)

    async def _connected(self, sql: str, max_rows: int) -> Rows:
        connection = await self._connect()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._run(connection, sql, max_rows)
        except (asyncpg.QueryCanceledError, TimeoutError):
            raise QueryTooSlow from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if connection.is_closed() or isinstance(error, _POSTGRES_OUTAGES):
                raise OSError(str(error)) from error
            raise QueryFailed(str(error)) from None
        except asyncpg.InternalClientError as error:
            # What a connection says that PostgreSQL is just closing.
            raise OSError(f"the connection is lost: {error}") from error
        finally:
            # Nothing is ever committed: before PostgreSQL 16, large objects can be written all the same.
            await _close(connection)

    async def _run(self, connection: asyncpg.Connection, sql: str, max_rows: int) -> Rows:
        await connection.execute("START TRANSACTION READ ONLY")
        # From its first statement on, a transaction stays read-only, whatever is set.
        await connection.fetchval("SELECT 1")
        given = (await connection.prepare(sql)).get_attributes()
        if not given:
            raise QueryFailed("it has no columns; send a SELECT that names some")
        rows = _Bounded([attribute.name for attribute in given], max_rows)
        cursor = await (await connection.prepare(_cut(sql, given))).cursor()
        while found := await cursor.fetch(max(1, _FETCHED // len(given))):
            if not all(rows.take(row) for row in found):
                break
        return rows.taken()

    async def _connect(self) -> asyncpg.Connection:
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": str(int(self._timeout * 1000)),
            "search_path": "public",
        }
        return await database.connect(self._url, server_settings=settings)


_AT_ONCE = 8
"""So many queries run in PostgreSQL; others wait, and leave its connections to whoever else needs some."""
_FETCHED = 500
"""So many values are fetched at once."""
_AS_THEY_ARE = frozenset({"bool", "int2", "int4", "int8", "float4", "float8", "numeric"})
_POSTGRES_OUTAGES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.DataCorruptedError,
    asyncpg.IndexCorruptedError,
)
"""Errors of the database, not of the statement."""


def _cut(sql: str, given: Sequence[asyncpg.Attribute]) -> str:
    """The same rows, their values that are no numbers as text that is not much longer than is kept of it."""
    names = [f"c{number}" for number in range(len(given))]
    values = [
        name if attribute.type.name in _AS_THEY_ARE else f"left(CAST({name} AS text), {MAX_CELL + 1})"
        for name, attribute in zip(names, given, strict=True)
    ]
    # On lines of its own, since the statement may end with a comment.
    return f"SELECT {', '.join(values)} FROM (\n{sql}\n) AS given({', '.join(names)})"


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=1)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()


class _Bounded:
    """Rows, until they are enough."""

    def __init__(self, columns: Sequence[str], max_rows: int) -> None:
        self._columns = columns
        self._max_rows = max_rows
        self._rows: list[Row] = []
        self._left = MAX_CHARACTERS - sum(len(column) + _PER_VALUE for column in columns)
        self._truncated = False

    def take(self, row: Row) -> bool:
        """Whether it was taken; if not, there are more rows than these."""
        values = [_plain(value) for value in row]
        self._left -= sum(len(str(value)) + _PER_VALUE for value in values)
        self._truncated = len(self._rows) == self._max_rows or self._left < 0
        if not self._truncated:
            self._rows.append(values)
        return not self._truncated

    def taken(self) -> Rows:
        return Rows(columns=self._columns, rows=self._rows, truncated=self._truncated)


def _plain(value: Any) -> Any:
    """A value as JSON has it: whole numbers that it cannot hold, and whatever else there is, as text."""
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    if isinstance(value, decimal.Decimal) and value.is_finite() and abs(value) <= 2**53:
        # An average has more digits than a number of JSON; SQLite counts with no more either.
        return int(value) if value == value.to_integral_value() else float(value)
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}… (cut)"
