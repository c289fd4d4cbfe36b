import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from broker.models.deadline import DeadlinePassed, Until


async def one_then_nothing() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()


async def test_what_comes_before_the_deadline_is_handed_on() -> None:
    items = Until(time.monotonic() + 0.2, one_then_nothing())

    assert await anext(items) == 1
    with pytest.raises(DeadlinePassed):
        await anext(items)


async def test_nothing_is_handed_on_after_the_deadline() -> None:
    with pytest.raises(DeadlinePassed):
        await anext(Until(time.monotonic() - 1, one_then_nothing()))


async def test_the_taker_may_take_longer_than_the_deadline() -> None:
    deadline = time.monotonic() + 0.2
    items = Until(deadline, one_then_nothing())
    await anext(items)

    await asyncio.sleep(0.25)  # would be cancelled by a timer that still ran

    with pytest.raises(DeadlinePassed):
        await anext(items)


@pytest.mark.parametrize(
    "deadline", [pytest.param(None, id="none"), pytest.param(time.monotonic() + 1000, id="far")]
)
async def test_what_the_items_raise_is_not_the_deadline(deadline: float | None) -> None:
    async def fail() -> AsyncIterator[int]:
        raise TimeoutError("of its own")
        yield 1

    with pytest.raises(TimeoutError, match="of its own") as raised:
        await anext(Until(deadline, fail()))
    assert not isinstance(raised.value, DeadlinePassed)
