"""Reads SQLite, which refuses by itself whatever does more.

The file is opened read-only, every action but reading the known tables is denied by its authorizer, lengths
are bounded, and the statement is broken off when its time is over or nobody waits for it any more.
"""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

from tool_servers.customers.queries import TIMEOUT, Bounded, QueryFailed, QueryTooSlow, Rows
from tool_servers.customers.tables import READABLE


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
            rows = Bounded(columns, max_rows)
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
