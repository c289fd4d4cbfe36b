"""The customer service on each database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.tool_servers.customers.databases import Database, on_postgres, on_sqlite


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """The made-up data set, in SQLite and in PostgreSQL. Tests that change it change it back."""
    made = (
        on_sqlite(tmp_path)
        if request.param == "sqlite"
        else on_postgres(request.getfixturevalue("postgres_url"))
    )
    async with made as opened:
        yield opened
