"""A SQLite file: what was written to it is on the disk when the writer is told so."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

_BUSY_TIMEOUT = 10.0
T = TypeVar("T")


class Database:
    """An open file, which only its owner can read if it is new."""

    def __init__(
        self, file: Path, tables: Sequence[str], *, alone: bool = False, expects: str | None = None
    ) -> None:
        """`tables`: statements, each of which creates a table unless it is there.

        `alone`: no other process can use the file until it is closed, or this process is gone.
        `expects`: the name of a table that the file has to have already; a file without it is not changed.
        Raises sqlite3.Error or OSError when the file cannot be used.
        """
        # One thread: a connection is not shared between threads, and a write does not hold up the event loop.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            self._connection = self._thread.submit(_open, file, tables, alone, expects).result()
        except (sqlite3.Error, OSError):
            self._thread.shutdown()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Does the work; each statement is a transaction of its own."""
        loop = asyncio.get_running_loop()
        # Shielded: a write that has begun is finished, and only then is anybody told that it was cancelled.
        return await asyncio.shield(loop.run_in_executor(self._thread, work, self._connection))

    def close(self) -> None:
        """Ends the use of the file, after what has begun."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


def _open(file: Path, tables: Sequence[str], alone: bool, expects: str | None) -> sqlite3.Connection:
    file.touch(mode=0o600, exist_ok=True)
    # Without `isolation_level` each statement is its own transaction.
    connection = sqlite3.connect(file, timeout=0.0 if alone else _BUSY_TIMEOUT, isolation_level=None)
    try:
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if expects is not None:
            connection.execute(f"SELECT 1 FROM {expects}").close()
        # An attempt must be on the disk before the request is on the wire.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # In a transaction, because a file that is nobody else's is locked by its first use.
        connection.execute("BEGIN IMMEDIATE")
        for table in tables:
            connection.execute(table)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
