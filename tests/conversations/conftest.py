"""The ten conversations, and the databases that some of them are about."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conversations.talk import Talk, talk
from tests.tool_servers.conftest import postgres_url
from tests.tool_servers.customers.databases import Database, as_reader, on_postgres, on_sqlite

__all__ = ["postgres_url"]


@pytest.fixture
async def conversation(tmp_path: Path) -> AsyncIterator[Talk]:
    """Nothing was said yet."""
    async with talk(tmp_path) as begun:
        yield begun


@dataclass(frozen=True, kw_only=True)
class Sales:
    """The made-up data set in a database, and the settings with which the customer service finds it."""

    database: Database
    environment: dict[str, str]


@pytest.fixture(params=["sqlite", "postgres"])
async def sales(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sales]:
    """In SQLite and in PostgreSQL."""
    if request.param == "sqlite":
        async with on_sqlite(tmp_path) as database:
            yield Sales(database=database, environment={"DATABASE_URL": f"sqlite:///{tmp_path / 'sales.db'}"})
    else:
        url = request.getfixturevalue("postgres_url")
        async with on_postgres(url) as database:
            urls = {"DATABASE_URL": url, "QUERY_DATABASE_URL": as_reader(url)}
            yield Sales(database=database, environment=urls)
