"""A store whose changes take as long as a test wants."""

import asyncio

from broker.state.memory import MemoryStore
from broker.state.store import Record


class SlowStore(MemoryStore):
    """Changes nothing while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.asked = asyncio.Event()
        """Set by a change that comes, or came, since `hold`."""

    async def replace(self, run_id: str, record: Record) -> bool:
        self.asked.set()
        await self.may_go.wait()
        return await super().replace(run_id, record)

    def hold(self) -> None:
        """Lets no change through until `may_go` is set."""
        self.asked.clear()
        self.may_go.clear()
