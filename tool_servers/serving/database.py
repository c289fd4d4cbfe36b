"""A database URL → an engine of SQLAlchemy, for SQLite and PostgreSQL."""

import sqlite3
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_TIMEOUT = 10.0
"""Seconds that PostgreSQL has to let in; a statement of the service's own has twice as many."""


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
        return create_async_engine(
            url.set(query={}),
            async_creator=lambda: connect(url, command_timeout=2 * _TIMEOUT),
            # What a client sends stands in no log.
            hide_parameters=True,
            pool_size=4,
            max_overflow=4,
            pool_pre_ping=True,
        )
    _try(url.database or ":memory:")
    engine = create_async_engine(url, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def enforce(connection: object, _: object) -> None:
        # SQLite checks neither unless it is told to, each time; others wait while one writes.
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA busy_timeout = 5000")
        cursor.close()

    return engine


async def connect(url: URL, **options: Any) -> asyncpg.Connection:
    """A connection to PostgreSQL; raises OSError. Behind `?` stands what libpq takes, e.g. sslmode."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return await asyncpg.connect(address, timeout=_TIMEOUT, **options)
    except (asyncpg.PostgresError, TimeoutError) as error:
        raise OSError(f"PostgreSQL lets nobody in: {str(error) or 'it does not answer'}") from error


def cause(error: Exception) -> str:
    """What is wrong with a database, for a log: without the statement and the values of a client in it."""
    said = getattr(error, "orig", None) if isinstance(error, SQLAlchemyError) else error
    return f"{type(error).__name__}: {str(said or '').partition(chr(10))[0][:200]}"


def _try(file: str) -> None:
    # Here, since the driver's thread writes a traceback when its first connection fails as the program ends.
    try:
        sqlite3.connect(file).close()
    except sqlite3.Error as error:
        raise OSError(f"the database cannot be used: {error}: {file!r}") from None
