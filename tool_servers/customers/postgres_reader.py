"""Reads PostgreSQL, which refuses by itself whatever does more.

A read-only transaction with a statement timeout, by the extended protocol, which takes one statement only,
and that as a part of a SELECT which cuts long values before they are sent.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
from sqlalchemy.engine import URL

from tool_servers.customers.queries import MAX_CELL, TIMEOUT, Bounded, QueryFailed, QueryTooSlow, Rows
from tool_servers.serving import database

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
            if connection.is_closed() or isinstance(error, _OUTAGES):
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
        rows = Bounded([attribute.name for attribute in given], max_rows)
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
_OUTAGES = (
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
