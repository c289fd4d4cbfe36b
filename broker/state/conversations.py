"""A conversation in a file of its own, beside the runs that continue it: one process at a time has it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from broker.errors import ConfigError
from broker.state import sqlite
from broker.state.database import Database
from broker.state.sqlite import SqliteStore

VERSION = 1
"""Of the form of the table."""
_TABLE = """
CREATE TABLE IF NOT EXISTS conversation (
    version INTEGER NOT NULL PRIMARY KEY, messages TEXT NOT NULL, run TEXT
)"""
_READ = "SELECT version, messages, run FROM conversation"
_SAVE = "INSERT INTO conversation VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET messages = ?, run = ?"
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """What is kept of one."""

    messages: Sequence[dict[str, Any]] = ()
    """OpenAI chat messages; without those that the run has added."""
    run: str | None = None
    """What takes up the run that continues the messages, if one is under way or waits.

    Whoever has the file can take up its runs: it is meant for one owner, who alone can read it.
    """


class ConversationFile:
    """An open file. `store` keeps the runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.store = SqliteStore(database)

    @classmethod
    def begin(cls, file: Path) -> Self:
        """A new file, which only its owner can read. Raises ConfigError when there is something already."""
        try:
            file.touch(mode=0o600, exist_ok=False)
            return cls(Database(file, [sqlite.TABLE, _TABLE], alone=True))
        except FileExistsError:
            cure = f"--resume {file} goes on with the conversation in it"
            raise ConfigError(f'"{file}" exists, and is not overwritten; {cure}') from None
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f'"{file}" cannot be written: {error}') from None

    @classmethod
    def open(cls, file: Path) -> Self:
        """The file of a conversation. Raises ConfigError when it is none, or when another process has it."""
        if not file.exists():
            raise ConfigError(f'"{file}" does not exist; --save {file} begins a conversation in it')
        try:
            return cls(Database(file, [sqlite.TABLE, _TABLE], alone=True, expects="conversation"))
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(_why_not(file, error)) from None

    async def read(self) -> Conversation:
        """The conversation as it was saved last.

        Raises ConfigError when another version saved it, or when it was changed into what nobody can read.
        """
        row = await self._database.run(lambda file: file.execute(_READ).fetchone())
        if row is None:
            return Conversation()
        version, messages, run = row
        if version != VERSION:
            raise ConfigError(f"the file is of version {version}, and this broker reads version {VERSION}")
        try:
            return Conversation(messages=orjson.loads(messages), run=run)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"the messages in the file cannot be read: {error}") from None

    async def save(self, conversation: Conversation) -> None:
        """Keeps it in place of what was there. When this returns, it is on the disk."""
        messages = orjson.dumps(list(conversation.messages)).decode()
        values = (VERSION, messages, conversation.run, messages, conversation.run)
        await self._database.run(lambda file: file.execute(_SAVE, values))

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()


def _why_not(file: Path, error: Exception) -> str:
    # The lower byte is the kind; there are several ways to be busy.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY:
        return f'"{file}" is in use: another process holds its conversation; end that one first'
    if "no such table" in str(error):
        return f'"{file}" holds no conversation; name a file that --save has made'
    return f'"{file}" holds no conversation: {error}'
