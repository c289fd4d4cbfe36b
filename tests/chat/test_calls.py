"""What the calls of one turn come to when something is wrong with the one who makes them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from broker.chat.calls import run_calls
from broker.chat.events import CallFinished, CallStarted
from broker.chat.plan import Step
from broker.errors import Code
from broker.tool import CallContext, ToolCall, ToolResult

CALLS = tuple(ToolCall(id=id, name="f", arguments="{}") for id in "abc")
CallTool = Callable[[ToolCall, CallContext], Awaitable[ToolResult]]


def steps(call_tool: CallTool, alone: str = "") -> list[Step]:
    """A step for each of CALLS; those whose id is in `alone` have side effects."""
    return [Step(call=call, make=partial(call_tool, call), alone=call.id in alone) for call in CALLS]


class Caller:
    """Answers some calls, fails at others, and keeps the rest waiting until they are cancelled."""

    def __init__(self, *, answers: str = "", fails: str = "", error: Exception | None = None) -> None:
        self._answers = answers
        self._fails = fails
        self._error = error
        self._arrived = 0
        self._all_here = asyncio.Event()
        self.cancelled: list[str] = []

    async def call(self, call: ToolCall, context: CallContext) -> ToolResult:
        self._arrived += 1
        if self._arrived == len(CALLS):
            self._all_here.set()
        await self._all_here.wait()
        if call.id in self._answers:
            return ToolResult(call_id=call.id, content="fine")
        if call.id in self._fails and self._error is not None:
            raise self._error
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # a backend takes its time to be told
            self.cancelled.append(call.id)
            raise
        raise AssertionError


@pytest.mark.parametrize("error", [ValueError("a bug"), TimeoutError("a bug")])
async def test_a_bug_is_raised_after_the_other_calls_are_cancelled(error: Exception) -> None:
    caller = Caller(answers="a", fails="b", error=error)
    ended = []

    async def read() -> None:
        async for event in run_calls(steps(caller.call), CallContext(), limit=16):
            if isinstance(event, CallFinished):
                ended.append(event.call.id)

    with pytest.raises(ExceptionGroup) as raised:
        await read()

    assert raised.value.exceptions == (error,)
    assert caller.cancelled == ["c"]
    assert ended == ["a"]


async def test_a_bug_is_raised_also_while_there_is_a_deadline() -> None:
    caller = Caller(fails="abc", error=TimeoutError("a bug"))
    events = run_calls(steps(caller.call), CallContext(deadline=time.monotonic() + 1000), limit=16)

    with pytest.raises(ExceptionGroup):
        _ = [event async for event in events]


async def test_each_call_has_one_result_when_the_time_is_over() -> None:
    caller = Caller(answers="b")

    context = CallContext(deadline=time.monotonic() + 0.2)
    events = [event async for event in run_calls(steps(caller.call), context, limit=16)]

    results = {event.call.id: event.result for event in events if isinstance(event, CallFinished)}
    assert {id: result.code for id, result in results.items()} == {
        "a": Code.DEADLINE_EXCEEDED,
        "b": None,
        "c": Code.DEADLINE_EXCEEDED,
    }
    assert "interrupted" in results["a"].content
    assert sorted(caller.cancelled) == ["a", "c"]


async def test_a_call_that_never_began_has_a_result_when_the_time_is_over() -> None:
    async def hang(call: ToolCall, context: CallContext) -> ToolResult:
        await asyncio.Event().wait()
        raise AssertionError

    context = CallContext(deadline=time.monotonic() + 0.2)
    events = [event async for event in run_calls(steps(hang), context, limit=1)]

    assert [event.call.id for event in events if isinstance(event, CallStarted)] == ["a"]
    finished = {event.call.id: event.result.content for event in events if isinstance(event, CallFinished)}
    assert finished.keys() == {"a", "b", "c"}
    assert "may have taken effect" in finished["a"]
    assert "Nothing was sent" in finished["b"]


async def test_closing_waits_until_the_calls_have_ended() -> None:
    caller = Caller()
    events = run_calls(steps(caller.call), CallContext(), limit=16)
    for _ in CALLS:
        assert isinstance(await anext(events), CallStarted)

    await events.aclose()

    assert sorted(caller.cancelled) == ["a", "b", "c"]


async def test_no_calls_make_no_events() -> None:
    assert [event async for event in run_calls((), CallContext(), limit=1)] == []
