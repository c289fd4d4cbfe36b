"""What the databases of tool servers tell of what went wrong."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tool_servers.serving import database


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_a_client_sent_is_not_told(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
    engine = database.open_engine(database.parse(url))
    async with engine.connect() as connection:
        with pytest.raises(SQLAlchemyError) as caught:
            await connection.execute(text("SELECT * FROM nowhere WHERE x = :x"), {"x": "secret"})
    await engine.dispose()

    assert "secret" not in str(caught.value)
    assert "nowhere" in database.cause(caught.value)
    assert "SELECT" not in database.cause(caught.value)


@pytest.mark.parametrize("url", ["postgresql://me:secret/x", "postgresql://me@host:hidden/x", "hidden", ""])
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="the database URL cannot be read") as caught:
        database.parse(url)

    assert "hidden" not in str(caught.value)
