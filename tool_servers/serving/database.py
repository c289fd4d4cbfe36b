"""A database URL → an engine of SQLAlchemy, for SQLite and PostgreSQL."""

import sqlite3

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


def parse(text: str) -> URL:
    """The URL with the driver that is used here; raises ValueError, without what may be a password.

    >>> parse("postgresql://me@localhost/sales").drivername
    'postgresql+asyncpg'
    >>> parse("mysql://localhost/sales")
    Traceback (most recent call last):
      ...
    ValueError: a database of the kind 'mysql' is not known: give sqlite:///FILE or postgresql://USER@HOST/NAME
    """
    known = "give sqlite:///FILE or postgresql://USER@HOST/NAME"
    try:
        url = make_url(text)
        readable = (url.port or 0) <= 65535
    except (ArgumentError, ValueError):
        readable = False
    if not readable:
        raise ValueError(f"the database URL cannot be read: {known}")
    kind = url.drivername.partition("+")[0]
    if kind not in _DRIVERS:
        raise ValueError(f"a database of the kind {kind!r} is not known: {known}")
    return url.set(drivername=_DRIVERS[kind])


def open_engine(url: URL) -> AsyncEngine:
    """An engine with few connections, made when they are needed; raises OSError for a file that is none."""
    if url.get_backend_name() == "postgresql":
        return create_async_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True)
    _try(url.database or ":memory:")
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def enforce(connection: object, _: object) -> None:
        # SQLite checks neither unless it is told to, each time; others wait while one writes.
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.close()

    return engine


def _try(file: str) -> None:
    # Here, since the driver's thread writes a traceback when its first connection fails as the program ends.
    try:
        sqlite3.connect(file).close()
    except sqlite3.Error as error:
        raise OSError(f"the database cannot be used: {error}: {file!r}") from None
