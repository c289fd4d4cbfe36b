"""Passages → those that fit a query best: by FTS5 of SQLite, or by the full text search of PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any, Protocol

import asyncpg
from sqlalchemy.engine import URL

from tool_servers.knowledge.documents import Document, Passage
from tool_servers.knowledge.words import words
from tool_servers.serving import database

_MAX_WORDS = 50
"""Of one query."""
_FILL_TIMEOUT = 600.0
"""Seconds that all passages together may take at start."""


class Index(Protocol):
    """Finds passages."""

    async def search(self, query: str, limit: int) -> Sequence[Passage]:
        """The best first; raises OSError where the index cannot be reached."""
        ...


@asynccontextmanager
async def open_index(documents: Mapping[str, Document], url: str | None) -> AsyncIterator[Index]:
    """An index of these documents; raises ValueError and OSError.

    `url`: of a database of PostgreSQL, in which it replaces what another start has left; None: in memory.
    """
    passages = [passage for document in documents.values() for passage in document.passages()]
    if url is None:
        with closing(_filled(passages)) as connection:
            yield SqliteIndex(connection, passages)
        return
    parsed = database.parse(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError("DATABASE_URL is no database of PostgreSQL: give one, or none, for SQLite")
    pool = await _pool(parsed)
    try:
        await _fill(pool, passages)
        yield PostgresIndex(pool)
    finally:
        await pool.close()


class SqliteIndex:
    """The index in memory. One query at a time: each takes milliseconds."""

    def __init__(self, connection: sqlite3.Connection, passages: Sequence[Passage]) -> None:
        self._connection = connection
        self._passages = passages
        self._free = asyncio.Lock()

    async def search(self, query: str, limit: int) -> Sequence[Passage]:
        wanted = _wanted(query)
        if not wanted:
            return []
        match = " OR ".join(f'"{word}"' for word in wanted)
        async with self._free:
            found = await asyncio.to_thread(self._find, match, limit)
        return [self._passages[number] for (number,) in found]

    def _find(self, match: str, limit: int) -> list[tuple[int]]:
        return self._connection.execute(_SQLITE_SEARCH, (match, limit)).fetchall()


# Headings say what a passage is about: a word there counts more.
_SQLITE_SEARCH = """
SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY bm25(passages, 3.0, 1.0), rowid LIMIT ?
"""


def _filled(passages: Iterable[Passage]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE VIRTUAL TABLE passages USING fts5(headings, body, content='')")
    rows = ((number, *_indexed(passage)) for number, passage in enumerate(passages))
    connection.executemany("INSERT INTO passages(rowid, headings, body) VALUES (?, ?, ?)", rows)
    return connection


class PostgresIndex:
    """The index in a table of PostgreSQL, with the passages themselves."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def search(self, query: str, limit: int) -> Sequence[Passage]:
        wanted = _wanted(query)
        if not wanted:
            return []
        try:
            rows = await self._fetch(" | ".join(wanted), limit)
        except _FAILURES as error:
            raise OSError(str(error)) from error
        return [Passage(**{**row, "headings": tuple(row["headings"])}) for row in rows]

    async def _fetch(self, query: str, limit: int) -> Any:
        try:
            return await self._pool.fetch(_POSTGRES_SEARCH, query, limit)
        except TimeoutError:
            raise
        except _FAILURES:
            # Where PostgreSQL was started again, all connections are of before.
            await self._pool.expire_connections()
            return await self._pool.fetch(_POSTGRES_SEARCH, query, limit)


# The last is what a connection says that was closed from the other side just now.
_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_CREATE = """
CREATE TABLE IF NOT EXISTS knowledge_passages (
    number integer PRIMARY KEY,
    document text NOT NULL,
    headings text[] NOT NULL,
    first_line integer NOT NULL,
    last_line integer NOT NULL,
    text text NOT NULL,
    found_by tsvector NOT NULL
);
CREATE INDEX IF NOT EXISTS knowledge_found_by ON knowledge_passages USING gin (found_by);
"""
_INSERT = """
INSERT INTO knowledge_passages VALUES (
    $1, $2, $3, $4, $5, $6,
    setweight(to_tsvector('simple', $7), 'A') || setweight(to_tsvector('simple', $8), 'D')
)
"""
# 1: long passages do not win by their length.
_POSTGRES_SEARCH = """
SELECT document, headings, first_line, last_line, text
FROM knowledge_passages, to_tsquery('simple', $1) AS query
WHERE found_by @@ query
ORDER BY ts_rank_cd(found_by, query, 1) DESC, number
LIMIT $2
"""


async def _pool(url: URL) -> asyncpg.Pool:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return await asyncpg.create_pool(dsn, min_size=1, max_size=4, timeout=5, command_timeout=10)
    except OSError as error:
        raise OSError(f"PostgreSQL cannot be reached: {error}; start it, or mend DATABASE_URL") from error
    except asyncpg.PostgresError as error:
        raise OSError(f"PostgreSQL lets nobody in: {error}") from error


async def _fill(pool: asyncpg.Pool, passages: Iterable[Passage]) -> None:
    """In one transaction: others see the old index until the new one is whole."""
    rows = [
        (number, each.document, each.headings, each.first_line, each.last_line, each.text, *_indexed(each))
        for number, each in enumerate(passages)
    ]
    try:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(_CREATE)
            await connection.execute("DELETE FROM knowledge_passages")
            await connection.executemany(_INSERT, rows, timeout=_FILL_TIMEOUT)
    except (asyncpg.PostgresError, TimeoutError) as error:
        raise OSError(f"the index cannot be made in PostgreSQL: {error}") from error


def _indexed(passage: Passage) -> tuple[str, str]:
    above = f"{passage.document} {' '.join(passage.headings)}"
    return " ".join(words(above)), " ".join(words(passage.text))


def _wanted(query: str) -> list[str]:
    return list(dict.fromkeys(words(query)))[:_MAX_WORDS]
