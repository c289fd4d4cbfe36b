"""At most so many calls are at a backend at once; others wait for their turn, as long as they have time."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace

from google.protobuf.message import Message

from broker.config.settings import Settings
from broker.errors import Code, ToolCallError
from broker.tool import CallContext, Invoke, Prepared, Stream


def limits(invoke: Invoke, settings: Settings) -> Invoke:
    """The `max_concurrent_calls` of each backend that has one, over all callers; first come, first served."""
    most = {name: backend.max_concurrent_calls for name, backend in settings.backends.items()}
    places = {name: asyncio.Semaphore(count) for name, count in most.items() if count is not None}
    if not places:
        return invoke

    def guarded(prepared: Prepared, context: CallContext) -> Awaitable[Message | Stream]:
        place = places.get(prepared.tool.backend)
        return invoke(prepared, context) if place is None else _in_turn(invoke, place, prepared, context)

    return guarded


async def _in_turn(
    invoke: Invoke, place: asyncio.Semaphore, prepared: Prepared, context: CallContext
) -> Message | Stream:
    if not place.locked():
        async with place:
            return await invoke(prepared, context)
    deadline = time.monotonic() + prepared.tool.policy.timeout
    deadline = deadline if context.deadline is None else min(deadline, context.deadline)
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            await place.acquire()
    except TimeoutError:
        raise ToolCallError(Code.RESOURCE_EXHAUSTED, _too_many(prepared)) from None
    try:
        # The time that it has waited is part of the call's.
        return await invoke(prepared, replace(context, deadline=deadline))
    finally:
        place.release()


def _too_many(prepared: Prepared) -> str:
    return (
        f'RESOURCE_EXHAUSTED: "{prepared.tool.backend}" had as many calls as it may have at once, until the '
        "time for this one was over. Nothing was sent. Try again later, or tell the user."
    )
