"""Records in memory: they end with the process."""

from broker.state.store import Record

_MAX_RECORDS = 10_000


class MemoryStore:
    """A Store for one process. It keeps at most 10,000 records, and forgets the oldest first."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}

    async def read(self, run_id: str) -> Record | None:
        return self._records.get(run_id)

    async def insert(self, run_id: str, record: Record) -> None:
        while len(self._records) >= _MAX_RECORDS:
            del self._records[next(iter(self._records))]
        self._records[run_id] = record

    async def replace(self, run_id: str, record: Record) -> bool:
        known = self._records.get(run_id)
        if known is None or known.revision != record.revision - 1:
            return False
        self._records[run_id] = record
        return True

    async def sweep(self, now: float) -> None:
        for run_id in [run_id for run_id, record in self._records.items() if record.expires <= now]:
            del self._records[run_id]

    async def close(self) -> None:
        """There is nothing to close."""
