"""How many calls a backend gets at once, and what becomes of those that wait for their turn."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from broker import assembly
from broker.config.settings import Settings
from broker.dispatch import Broker
from broker.errors import Code
from broker.guards.limits import limits
from broker.tool import CallContext, Prepared, ToolCall, ToolResult
from tests.servers.probe import Probe

_ANYBODY = CallContext()


def called(
    broker: Broker, method: str, context: CallContext = _ANYBODY, **arguments: Any
) -> "asyncio.Task[ToolResult]":
    name, text = f"probe_v1_ProbeService_{method}", json.dumps(arguments or {"text": "a"})
    return asyncio.create_task(broker.call(ToolCall(id="x", name=name, arguments=text), context))


@pytest.fixture
async def one_at_a_time(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> AsyncIterator[Broker]:
    settings = settings_for(
        probe[1], backend={"max_concurrent_calls": 1}, tools={"*.Echo": {"timeout": "300ms"}}
    )
    async with assembly.open(settings) as opened:
        yield opened


@pytest.fixture
async def held(probe: tuple[Probe, int], one_at_a_time: Broker) -> "asyncio.Task[ToolResult]":
    """A call that is at the backend until the test lets it go."""
    task = called(one_at_a_time, "Wait")
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)
    return task


async def test_a_backend_never_has_more_calls_than_it_may_and_each_has_its_turn(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    server, port = probe
    async with assembly.open(settings_for(port, backend={"max_concurrent_calls": 2})) as broker:
        tasks = [called(broker, "Wait") for _ in range(10)]
        for _ in range(2):
            await asyncio.wait_for(server.waiting.acquire(), 10)
        server.let_go.set()
        results = await asyncio.gather(*tasks)

    assert server.max_in_flight == 2
    assert server.seen == ["Wait"] * 10
    assert [result.code for result in results] == [None] * 10


@pytest.mark.parametrize("whose", ["the tool's own", "the caller's"])
async def test_a_call_whose_time_is_over_before_its_turn_is_not_sent(
    probe: tuple[Probe, int], one_at_a_time: Broker, held: "asyncio.Task[ToolResult]", whose: str
) -> None:
    if whose == "the caller's":
        second = called(one_at_a_time, "Wait", CallContext(deadline=time.monotonic() + 0.2))
    else:
        second = called(one_at_a_time, "Echo")

    result = await asyncio.wait_for(second, 10)

    assert result.code is Code.RESOURCE_EXHAUSTED
    assert '"probe"' in result.content
    assert "Nothing was sent." in result.content
    probe[0].let_go.set()
    assert (await held).code is None
    assert probe[0].seen == ["Wait"]


async def test_what_a_call_has_waited_is_part_of_its_time(
    broker: Broker, settings_for: Callable[..., Settings]
) -> None:
    contexts: list[CallContext] = []
    let_go = asyncio.Event()

    async def invoke(_: Prepared, context: CallContext) -> Any:
        contexts.append(context)
        await let_go.wait()

    guarded = limits(invoke, settings_for(1, backend={"max_concurrent_calls": 1}))
    prepared = broker.prepare(ToolCall(id="x", name="probe_v1_ProbeService_Echo", arguments='{"text": "a"}'))
    assert isinstance(prepared, Prepared)
    first = asyncio.ensure_future(guarded(prepared, CallContext()))
    second = asyncio.ensure_future(guarded(prepared, CallContext()))
    await asyncio.sleep(0)  # both have asked for their turn
    asked = time.monotonic()
    let_go.set()
    await asyncio.gather(first, second)

    assert contexts[0].deadline is None
    assert contexts[1].deadline is not None
    assert contexts[1].deadline <= asked + prepared.tool.policy.timeout


@pytest.mark.parametrize("which", ["the one that waits", "the one that is made"])
async def test_a_call_that_is_cancelled_frees_its_place(
    probe: tuple[Probe, int], one_at_a_time: Broker, held: "asyncio.Task[ToolResult]", which: str
) -> None:
    second = called(one_at_a_time, "Wait")
    await asyncio.sleep(0)  # it has asked for its turn
    if which == "the one that waits":
        second.cancel()
    else:
        held.cancel()
    third = called(one_at_a_time, "Wait")
    probe[0].let_go.set()

    results = await asyncio.gather(held, second, third, return_exceptions=True)

    assert [isinstance(result, asyncio.CancelledError) for result in results].count(True) == 1
    assert isinstance(results[2], ToolResult)
    assert results[2].code is None


async def test_a_call_that_fails_frees_its_place(one_at_a_time: Broker) -> None:
    failed = await called(one_at_a_time, "Fail", code=5)

    assert failed.code is Code.NOT_FOUND
    assert (await called(one_at_a_time, "Echo")).code is None


async def test_a_call_that_nobody_has_approved_does_not_wait_for_a_place(
    one_at_a_time: Broker, held: "asyncio.Task[ToolResult]"
) -> None:
    result = await asyncio.wait_for(called(one_at_a_time, "Dangerous"), 10)

    assert result.code is Code.PERMISSION_DENIED
    held.cancel()


def test_without_a_limit_there_is_no_guard(settings_for: Callable[..., Settings]) -> None:
    async def invoke(*_: Any) -> Any:
        raise AssertionError("nothing is sent")

    assert limits(invoke, settings_for(1)) is invoke
