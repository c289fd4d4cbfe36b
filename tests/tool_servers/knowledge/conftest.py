"""Where the index is."""

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def index_url(request: pytest.FixtureRequest) -> str | None:
    """Where the index is: in memory, and in PostgreSQL."""
    return request.getfixturevalue("postgres_url") if request.param == "postgres" else None
