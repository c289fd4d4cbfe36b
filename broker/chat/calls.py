"""The calls of one turn → their results, side by side where they may be, with an event for each."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import groupby

from broker.chat.events import CallFinished, CallStarted
from broker.chat.history import INTERRUPTED
from broker.chat.plan import Step, not_made
from broker.errors import Code
from broker.tool import CallContext

_Event = CallStarted | CallFinished


async def run_calls(
    steps: Sequence[Step], context: CallContext, *, limit: int
) -> AsyncGenerator[CallStarted | CallFinished, None]:
    """Makes the calls, `limit` at a time; one that is `alone` is made after those before it, by itself.

    Exactly one CallFinished comes for each. At the deadline of the context the calls in flight are cancelled,
    and their results say so. Closing the generator cancels them too, and waits until they are. What a step
    raises is a bug: the other calls are cancelled, and it is raised in an ExceptionGroup.
    """
    events: asyncio.Queue[_Event | None] = asyncio.Queue()
    open_calls = {step.call.id: step.call for step in steps}
    started: set[str] = set()
    work = asyncio.create_task(_run_all(steps, context, limit, events))
    work.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            if isinstance(event, CallStarted):
                started.add(event.call.id)
            else:
                del open_calls[event.call.id]
            yield event
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    for call in open_calls.values():
        outcome = INTERRUPTED if call.id in started else "This call was not made. Nothing was sent."
        why = f"The time for this conversation is over. {outcome}"
        yield CallFinished(call=call, result=not_made(call, Code.DEADLINE_EXCEEDED, why), seconds=0.0)


async def _run_all(
    steps: Sequence[Step], context: CallContext, limit: int, events: "asyncio.Queue[_Event | None]"
) -> None:
    slots = asyncio.Semaphore(limit)

    async def run(step: Step) -> None:
        async with slots:
            started = time.monotonic()
            events.put_nowait(CallStarted(call=step.call))
            result = await step.make(context)
            seconds = time.monotonic() - started
            events.put_nowait(CallFinished(call=step.call, result=result, seconds=seconds))

    timer = asyncio.timeout(context.time_remaining())
    try:
        async with timer:
            for together in _groups(steps):
                async with asyncio.TaskGroup() as group:
                    for step in together:
                        group.create_task(run(step))
    except TimeoutError:
        # A task's own TimeoutError would come in an ExceptionGroup.
        pass


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that may run side by side, in order; what has side effects is by itself."""
    for alone, group in groupby(steps, key=lambda step: step.alone):
        if alone:
            yield from ([step] for step in group)
        else:
            yield list(group)
