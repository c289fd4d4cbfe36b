"""An asynchronous iterator → the same, which raises DeadlinePassed at a point in time."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class DeadlinePassed(TimeoutError):
    """Nobody waits any more."""


class Until(Generic[Item]):
    """Hands on what comes before the deadline, a `time.monotonic()`; None: there is none.

    The waiting alone is timed, never the one who takes the items: a timeout around the `yield` of a generator
    would cancel that one.
    """

    def __init__(self, deadline: float | None, items: AsyncIterator[Item]) -> None:
        self._deadline = deadline
        self._items = items

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if self._deadline is None:
            return await anext(self._items)
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise DeadlinePassed
        timer = asyncio.timeout(remaining)
        try:
            async with timer:
                return await anext(self._items)
        except TimeoutError:
            if timer.expired():
                raise DeadlinePassed from None
            raise
