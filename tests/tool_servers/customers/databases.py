"""The databases that the customer service works on, each filled with the made-up data set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tool_servers.customers.postgres_reader import PostgresReader
from tool_servers.customers.queries import Reader
from tool_servers.customers.seed import seed
from tool_servers.customers.sqlite_reader import SqliteReader
from tool_servers.customers.store import Store
from tool_servers.serving import database


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database in which nothing has been changed."""

    engine: AsyncEngine
    reader: Reader

    @property
    def store(self) -> Store:
        return Store(self.engine)

    async def content(self) -> list[tuple[object, ...]]:
        """What would differ if anything had been written: rows, sums, and the names of all tables."""
        async with self.engine.connect() as connection:
            rows = [*await connection.execute(text("SELECT * FROM customers ORDER BY id"))]
            for sums in _SUMS:
                rows += await connection.execute(text(sums))
        return [tuple(row) for row in rows]


_SUMS = (
    "SELECT count(*), sum(price) FROM products",
    "SELECT count(*), sum(customer_id) FROM orders",
    "SELECT count(*), sum(quantity) FROM order_items",
)
# And, of PostgreSQL, the large objects, which a read-only transaction does not protect.
_TABLES = {
    "sqlite": "SELECT name, sql FROM sqlite_master ORDER BY name",
    "postgres": "SELECT tablename, '' FROM pg_tables WHERE schemaname = 'public' "
    "UNION ALL SELECT 'large objects', CAST(count(*) AS text) FROM pg_largeobject_metadata ORDER BY 1",
}


@asynccontextmanager
async def on_sqlite(folder: Path, timeout: float = 5) -> AsyncIterator[Database]:
    path = folder / "sales.db"
    engine = database.open_engine(database.parse(f"sqlite:///{path}"))
    await seed(engine)
    yield Database(engine=engine, reader=SqliteReader(path, timeout))
    await engine.dispose()


@asynccontextmanager
async def on_postgres(url: str, timeout: float = 5) -> AsyncIterator[Database]:
    """`url`: of a database in which there may be the tables already."""
    engine = database.open_engine(database.parse(url))
    await seed(engine)
    connection = await asyncpg.connect(url)
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = 'reader'"):
        await connection.execute("CREATE ROLE reader LOGIN")
        await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    await connection.close()
    yield Database(engine=engine, reader=PostgresReader(database.parse(as_reader(url)), timeout))
    await engine.dispose()


def as_reader(url: str) -> str:
    """The same database, as the user who may only SELECT."""
    return url.replace("owner@", "reader@")
