"""The calls of one turn → their results, all at once, with an event for each as it happens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from broker.chat.events import CallFinished, CallStarted
from broker.chat.history import INTERRUPTED
from broker.errors import Code
from broker.tool import CallContext, ToolCall, ToolResult

CallTool = Callable[[ToolCall, CallContext], Awaitable[ToolResult]]
"""`Broker.call`, or something around it."""


async def run_calls(
    calls: Sequence[ToolCall], call_tool: CallTool, context: CallContext, *, limit: int
) -> AsyncGenerator[CallStarted | CallFinished, None]:
    """Makes the calls, `limit` at a time. Exactly one CallFinished comes for each.

    At the deadline of the context the calls in flight are cancelled, and their results say so. Closing the
    generator cancels them too, and waits until they are. What `call_tool` raises is a bug: the other calls
    are cancelled, and it is raised in an ExceptionGroup.
    """
    events: asyncio.Queue[CallStarted | CallFinished | None] = asyncio.Queue()
    open_calls = {call.id: call for call in calls}
    started: set[str] = set()
    work = asyncio.create_task(_run_all(calls, call_tool, context, limit, events))
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
        yield not_made(call, Code.DEADLINE_EXCEEDED, f"The time for this conversation is over. {outcome}")


def not_made(call: ToolCall, code: Code, why: str) -> CallFinished:
    """The event for a call that has no result of its own; `why` is what the model reads."""
    return CallFinished(call=call, result=ToolResult(call_id=call.id, content=why, code=code), seconds=0.0)


async def _run_all(
    calls: Sequence[ToolCall],
    call_tool: CallTool,
    context: CallContext,
    limit: int,
    events: "asyncio.Queue[CallStarted | CallFinished | None]",
) -> None:
    slots = asyncio.Semaphore(limit)

    async def run(call: ToolCall) -> None:
        async with slots:
            started = time.monotonic()
            events.put_nowait(CallStarted(call=call))
            result = await call_tool(call, context)
            events.put_nowait(CallFinished(call=call, result=result, seconds=time.monotonic() - started))

    timer = asyncio.timeout(context.time_remaining())
    try:
        async with timer, asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(run(call))
    except TimeoutError:
        # A task's own TimeoutError would come in an ExceptionGroup.
        pass
