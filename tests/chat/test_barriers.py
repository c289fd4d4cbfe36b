"""Calls of one turn: those that change nothing run side by side, those that may run alone and in order."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.chat.calls import run_calls
from broker.chat.events import CallFinished, CallStarted, Event
from broker.chat.loop import Chat
from broker.chat.plan import Step
from broker.tool import CallContext, ToolCall, ToolResult
from tests.chat.conversation import HELLO, calls, echo, ended
from tests.models.scripted_server import ScriptedServer, said, stream
from tests.servers.probe import Probe


def order(events: Sequence[Event]) -> list[str]:
    """What began and what ended: `+x` and `-x` of call x."""
    signs = {CallStarted: "+", CallFinished: "-"}
    return [
        signs[type(event)] + event.call.id
        for event in events
        if isinstance(event, CallStarted | CallFinished)
    ]


async def test_a_call_that_may_change_something_waits_for_those_before_it_and_holds_up_those_after_it(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    chat_before: Callable[..., AbstractAsyncContextManager[Chat]],
) -> None:
    wait = [(id, "Wait", {"text": id}) for id in "xy"]
    server.script += [calls(echo("a"), echo("b"), *wait, echo("c"), echo("d")), stream(said("Done."))]
    probe[0].let_go.set()

    async with chat_before(tools={"*.Wait": {"read_only": False}}) as chat:
        events, done = await ended(chat.run(HELLO))

    ran = order(events)
    assert ran[:2] == ["+a", "+b"]
    assert set(ran[2:4]) == {"-a", "-b"}
    assert ran[4:8] == ["+x", "-x", "+y", "-y"]
    assert ran[8:10] == ["+c", "+d"]
    assert probe[0].seen[2:4] == ["Wait", "Wait"]
    assert [message.get("tool_call_id") for message in done.messages[1:7]] == list("abxycd")


@settings(deadline=None)
@given(
    alone=st.lists(st.booleans(), max_size=8),
    pauses=st.lists(st.integers(0, 5), min_size=8, max_size=8),
    limit=st.integers(1, 4),
)
def test_whatever_is_asked_for_nothing_runs_beside_a_call_that_is_alone(
    alone: list[bool], pauses: list[int], limit: int
) -> None:
    running: set[str] = set()
    ended: list[str] = []

    def step(number: int) -> Step:
        call = ToolCall(id=str(number), name="f", arguments="{}")

        async def make(context: CallContext) -> ToolResult:
            running.add(call.id)
            for _ in range(pauses[number]):
                await asyncio.sleep(0)
                assert len(running) <= limit
                assert not any(alone[int(one)] for one in running) or running == {call.id}
            running.remove(call.id)
            ended.append(call.id)
            return ToolResult(call_id=call.id, content="")

        return Step(call=call, make=make, alone=alone[number])

    async def run() -> list[Event]:
        steps = [step(number) for number in range(len(alone))]
        return [event async for event in run_calls(steps, CallContext(), limit=limit)]

    finished = [event.call.id for event in asyncio.run(run()) if isinstance(event, CallFinished)]

    assert sorted(finished, key=int) == [str(number) for number in range(len(alone))]
    for number, is_alone in enumerate(alone):
        if is_alone:
            assert {int(one) for one in ended[:number]} == set(range(number))
            assert ended[number] == str(number)
