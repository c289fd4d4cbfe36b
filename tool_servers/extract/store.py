"""Records as they are kept: one row for each, the person as the bytes of its message."""

import datetime
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from tool_servers.serving import database

MAX_RECORDS = 100_000

metadata = MetaData()
records = Table(
    "extract_records",
    metadata,
    # SQLite counts up by itself only a column that is exactly INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("person", LargeBinary, nullable=False),
    Column("source", String(5000), nullable=False),
    Column("created_at", String(40), nullable=False),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A record."""

    id: int
    person: bytes
    source: str
    created_at: datetime.datetime
    existed: bool = True
    """False: it was saved just now."""


class StoreFull(Exception):
    """There are as many records as are kept."""


class Store:
    """The records of a database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def save(self, name: str, person: bytes, source: str) -> Kept:
        """Keeps a record; one with the same person is returned as it is. Raises StoreFull."""
        digest = hashlib.sha256(person).hexdigest()
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        row = {
            "digest": digest,
            "name": name,
            "person": person,
            "source": source,
            "created_at": datetime.datetime.now(datetime.UTC).isoformat(),
        }
        # Of two at once that say the same, the second saves nothing: the database decides, not a look before.
        insert = dialect.insert(records).values(**row).on_conflict_do_nothing(index_elements=["digest"])
        same = select(records).where(records.c.digest == digest)
        async with self._engine.begin() as connection:
            if (await connection.scalar(select(func.count()).select_from(records)) or 0) >= MAX_RECORDS:
                kept = (await connection.execute(same)).first()
                if kept is None:
                    raise StoreFull
                return _kept(kept)
            saved = await connection.scalar(insert.returning(records.c.id))
            found = (await connection.execute(same)).one()
        return _kept(found, existed=saved is None)

    async def get(self, record_id: int) -> Kept | None:
        """None: there is no such record."""
        async with self._engine.connect() as connection:
            found = (await connection.execute(select(records).where(records.c.id == record_id))).first()
        return None if found is None else _kept(found)

    async def find(self, name_contains: str, limit: int) -> tuple[Sequence[Kept], int]:
        """The latest first, and how many there are in all."""
        query = select(records)
        if name_contains:
            query = query.where(records.c.name.icontains(name_contains, autoescape=True))
        async with self._engine.connect() as connection:
            found = await connection.execute(query.order_by(records.c.id.desc()).limit(limit))
            total = await connection.scalar(select(func.count()).select_from(query.subquery()))
            return [_kept(row) for row in found], total or 0


@asynccontextmanager
async def open_store(url: URL) -> AsyncIterator[Store]:
    """Makes the table where there is none; raises OSError where there is no database."""
    engine = database.open_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield Store(engine)
    except SQLAlchemyError as error:
        raise OSError(f"the database cannot be used: {database.cause(error)}") from error
    finally:
        await engine.dispose()


def _kept(row: Any, *, existed: bool = True) -> Kept:
    return Kept(
        id=row.id,
        person=row.person,
        source=row.source,
        created_at=datetime.datetime.fromisoformat(row.created_at),
        existed=existed,
    )
