"""What is asked of a database by one statement, and as much of its rows as is kept.

Two readers run statements, each on a connection of which the database itself refuses every write:
`sqlite_reader.py` and `postgres_reader.py`. Both read a row more than is wanted and no further, and not all
at once.
"""

import decimal
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

TIMEOUT = 5.0
"""Seconds that a statement may take."""
MAX_CELL = 10_000
"""Characters of one value."""
MAX_CHARACTERS = 500_000
"""Of all values together; rows beyond are left out."""
_PER_VALUE = 8
"""What a value counts for beyond its characters."""

Row = Sequence[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What a query found."""

    columns: Sequence[str]
    rows: Sequence[Row]
    truncated: bool


class QueryFailed(Exception):
    """The database refused the statement, in its own words."""


class QueryTooSlow(Exception):
    """The statement was broken off."""


class Reader(Protocol):
    """Runs statements that only read."""

    dialect: str

    async def run(self, sql: str, max_rows: int) -> Rows:
        """Raises QueryFailed or QueryTooSlow, and OSError where there is no database."""
        ...


class Bounded:
    """Rows, until they are enough."""

    def __init__(self, columns: Sequence[str], max_rows: int) -> None:
        self._columns = columns
        self._max_rows = max_rows
        self._rows: list[Row] = []
        self._left = MAX_CHARACTERS - sum(len(column) + _PER_VALUE for column in columns)
        self._truncated = False

    def take(self, row: Row) -> bool:
        """Whether it was taken; if not, there are more rows than these."""
        values = [_plain(value) for value in row]
        self._left -= sum(len(str(value)) + _PER_VALUE for value in values)
        self._truncated = len(self._rows) == self._max_rows or self._left < 0
        if not self._truncated:
            self._rows.append(values)
        return not self._truncated

    def taken(self) -> Rows:
        """What was."""
        return Rows(columns=self._columns, rows=self._rows, truncated=self._truncated)


def _plain(value: Any) -> Any:
    """A value as JSON has it: whole numbers that it cannot hold, and whatever else there is, as text."""
    if value is None or isinstance(value, bool) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    if isinstance(value, decimal.Decimal) and value.is_finite() and abs(value) <= 2**53:
        # An average has more digits than a number of JSON; SQLite counts with no more either.
        return int(value) if value == value.to_integral_value() else float(value)
    text = f"{len(value)} bytes" if isinstance(value, bytes) else str(value)
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}… (cut)"
