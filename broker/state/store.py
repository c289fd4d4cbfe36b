"""The seam to whatever keeps records: read, insert, replace if nobody else did, sweep."""

from dataclasses import dataclass
from typing import Protocol

RUNNING = "running"
"""A process works on the run, as long as its lease lasts."""
WAITING = "waiting"
"""The run waits for decisions, and may be taken up by whoever holds its token."""
ENDED = "ended"
"""The run is over; the record stays until it expires, so that a second use of a token can be told so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One run as it is kept. Times are `time.time()`, because processes share them."""

    revision: int
    """Grows by one with each change: who replaces a record says which revision it has seen."""
    phase: str
    """RUNNING, WAITING or ENDED."""
    principal: str | None
    version: int
    """Of the form of `state`."""
    state: str
    """JSON text."""
    token_hash: str
    """SHA-256 of the secret in the newest token, in hexadecimal."""
    mac: str
    """HMAC-SHA256 of all that is above by that secret, in hexadecimal: the store itself cannot make it."""
    lease_until: float
    expires: float


class Store(Protocol):
    """Keeps records by the id of their run. Each method is atomic, also between processes."""

    async def read(self, run_id: str) -> Record | None:
        """The record; None where there is none."""

    async def insert(self, run_id: str, record: Record) -> None:
        """Keeps a new one."""

    async def replace(self, run_id: str, record: Record) -> bool:
        """Keeps the next revision; False, and nothing is changed, unless `record.revision - 1` is there."""

    async def sweep(self, now: float) -> None:
        """Forgets what has expired."""

    async def close(self) -> None:
        """Ends the use of the store."""
