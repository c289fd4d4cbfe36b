"""Records in a SQLite file: they outlive the process, and several processes of one machine share them."""

import sqlite3
from dataclasses import astuple, fields
from pathlib import Path
from typing import Self

from broker.errors import ConfigError
from broker.state.database import Database
from broker.state.store import Record

_COLUMNS = [field.name for field in fields(Record)]
TABLE = """
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, phase TEXT NOT NULL, principal TEXT,
    version INTEGER NOT NULL, state TEXT NOT NULL, token_hash TEXT NOT NULL, mac TEXT NOT NULL,
    lease_until REAL NOT NULL, expires REAL NOT NULL
)"""
_INSERT = f"INSERT INTO runs (run_id, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)})"
_REPLACE = (
    f"UPDATE runs SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE run_id = ? AND revision = ?"
)
_READ = f"SELECT {', '.join(_COLUMNS)} FROM runs WHERE run_id = ?"


class SqliteStore:
    """A Store in one file, which only its owner can read. What `insert` and `replace` kept is on the disk."""

    def __init__(self, database: Database) -> None:
        """`database` has TABLE."""
        self._database = database

    @classmethod
    def open(cls, file: Path) -> Self:
        """The store in the file that broker.yaml names. Raises ConfigError when the file cannot be used."""
        try:
            return cls(Database(file, [TABLE]))
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(
                f'"{file}" cannot be used as a SQLite file: {error}', ("state", "file")
            ) from None

    async def read(self, run_id: str) -> Record | None:
        row = await self._database.run(lambda file: file.execute(_READ, (run_id,)).fetchone())
        return None if row is None else Record(**dict(zip(_COLUMNS, row, strict=True)))

    async def insert(self, run_id: str, record: Record) -> None:
        await self._database.run(lambda file: file.execute(_INSERT, (run_id, *astuple(record))))

    async def replace(self, run_id: str, record: Record) -> bool:
        values = (*astuple(record), run_id, record.revision - 1)
        return await self._database.run(lambda file: file.execute(_REPLACE, values).rowcount) == 1

    async def sweep(self, now: float) -> None:
        await self._database.run(lambda file: file.execute("DELETE FROM runs WHERE expires <= ?", (now,)))

    async def close(self) -> None:
        self._database.close()
