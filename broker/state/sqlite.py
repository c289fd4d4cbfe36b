"""Records in a SQLite file: they outlive the process, and several processes of one machine share them."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, fields
from pathlib import Path
from typing import TypeVar

from broker.errors import ConfigError
from broker.state.store import Record

_COLUMNS = [field.name for field in fields(Record)]
_CREATE = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, phase TEXT NOT NULL, principal TEXT,
    version INTEGER NOT NULL, state TEXT NOT NULL, token_hash TEXT NOT NULL, mac TEXT NOT NULL,
    lease_until REAL NOT NULL, expires REAL NOT NULL
)"""
_INSERT = f"INSERT INTO runs (run_id, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)})"
_REPLACE = (
    f"UPDATE runs SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE run_id = ? AND revision = ?"
)
_READ = f"SELECT {', '.join(_COLUMNS)} FROM runs WHERE run_id = ?"
_BUSY_TIMEOUT = 10.0
T = TypeVar("T")


class SqliteStore:
    """A Store in one file, which only its owner can read. What `insert` and `replace` kept is on the disk."""

    def __init__(self, file: Path) -> None:
        """Raises ConfigError when the file cannot be used."""
        # One thread: a connection is not shared between threads, and a write does not hold up the event loop.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            self._connection = self._thread.submit(_open, file).result()
        except (sqlite3.Error, OSError) as error:
            self._thread.shutdown()
            raise ConfigError(
                f'"{file}" cannot be used as a SQLite file: {error}', ("state", "file")
            ) from None

    async def read(self, run_id: str) -> Record | None:
        row = await self._run(lambda database: database.execute(_READ, (run_id,)).fetchone())
        return None if row is None else Record(**dict(zip(_COLUMNS, row, strict=True)))

    async def insert(self, run_id: str, record: Record) -> None:
        await self._run(lambda database: database.execute(_INSERT, (run_id, *astuple(record))))

    async def replace(self, run_id: str, record: Record) -> bool:
        values = (*astuple(record), run_id, record.revision - 1)
        return await self._run(lambda database: database.execute(_REPLACE, values).rowcount) == 1

    async def sweep(self, now: float) -> None:
        await self._run(lambda database: database.execute("DELETE FROM runs WHERE expires <= ?", (now,)))

    async def close(self) -> None:
        await self._run(lambda database: database.close())
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        # Shielded: a write that has begun is finished, and only then is anybody told that it was cancelled.
        return await asyncio.shield(loop.run_in_executor(self._thread, work, self._connection))


def _open(file: Path) -> sqlite3.Connection:
    file.touch(mode=0o600, exist_ok=True)
    # Without `isolation_level` each statement is its own transaction.
    connection = sqlite3.connect(file, timeout=_BUSY_TIMEOUT, isolation_level=None)
    try:
        # An attempt must be on the disk before the request is on the wire.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_CREATE)
        connection.execute(_READ, ("",))
    except sqlite3.Error:
        connection.close()
        raise
    return connection
