"""What an application does around calls of tools, wherever they come from."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from broker import Hooks, assembly
from broker.call_log import CallLog
from broker.config.settings import LogSettings, Settings
from broker.dispatch import Broker
from broker.errors import Code
from broker.outcomes import Outcome, Verdict
from broker.tool import CallContext, Prepared, ToolCall, ToolResult
from tests.servers.probe import Probe

OpenBroker = Callable[[Hooks], AbstractAsyncContextManager[Broker]]


def call(method: str = "Echo", **arguments: Any) -> ToolCall:
    text = json.dumps(arguments or {"text": "a"})
    return ToolCall(id="x", name=f"probe_v1_ProbeService_{method}", arguments=text)


@pytest.fixture
def hooked(probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> OpenBroker:
    @asynccontextmanager
    async def opened(hooks: Hooks) -> AsyncIterator[Broker]:
        async with assembly.open(settings_for(probe[1]), hooks=hooks) as broker:
            yield broker

    return opened


async def test_a_hook_that_answers_nothing_changes_nothing_and_sees_the_call_and_its_result(
    hooked: OpenBroker,
) -> None:
    seen: list[Any] = []

    async def before(prepared: Prepared, context: CallContext) -> None:
        seen.append((prepared.tool.full_name, context.principal))

    async def after(prepared: Prepared, result: ToolResult, context: CallContext) -> None:
        seen.append((prepared.request_hash, json.loads(result.content)["text"], context.principal))

    async with hooked(Hooks(before_call=before, after_call=after)) as broker:
        result = await broker.call(call(), CallContext(principal="ann"))
        prepared = broker.prepare(call())

    assert isinstance(prepared, Prepared)
    assert not result.is_error
    assert seen == [("probe.v1.ProbeService.Echo", "ann"), (prepared.request_hash, "a", "ann")]


@pytest.mark.parametrize("code", [Code.PERMISSION_DENIED, None])
async def test_a_result_of_the_hook_before_is_the_result_and_nothing_is_sent(
    probe: tuple[Probe, int], hooked: OpenBroker, code: Code | None
) -> None:
    async def before(prepared: Prepared, context: CallContext) -> ToolResult:
        return ToolResult(call_id="another", content="as I said before", code=code)

    async with hooked(Hooks(before_call=before)) as broker:
        result = await broker.call(call())

    assert result == ToolResult(call_id="x", content="as I said before", code=code)
    assert probe[0].seen == []


async def test_a_request_of_the_hook_before_is_sent_in_place_of_the_models(hooked: OpenBroker) -> None:
    async def before(prepared: Prepared, context: CallContext) -> Prepared:
        request = type(prepared.request)()
        request.CopyFrom(prepared.request)
        request.text = "b"  # type: ignore[attr-defined]
        return replace(prepared, request=request)  # its bytes and its hash are still those of the model's

    async with hooked(Hooks(before_call=before)) as broker:
        result = await broker.call(call(text="a", number=7))

    assert result.structured is not None
    assert (result.structured["text"], result.structured["number"]) == ("b", 7)


@pytest.mark.parametrize("keeps", [True, False], ids=["the same request", "another request"])
async def test_an_approval_holds_for_the_request_that_was_approved_alone(
    probe: tuple[Probe, int], hooked: OpenBroker, keeps: bool
) -> None:
    async def before(prepared: Prepared, context: CallContext) -> Prepared:
        request = type(prepared.request)(text="a" if keeps else "b")
        # The hook cannot pass off its request as the approved one.
        return replace(prepared, request=request)

    async with hooked(Hooks(before_call=before)) as broker:
        prepared = broker.prepare(call("Dangerous"))
        assert isinstance(prepared, Prepared)
        result = await broker.execute(prepared, CallContext(grants=(prepared.grant(None),)))

    assert result.code is (None if keeps else Code.PERMISSION_DENIED)
    assert probe[0].seen == (["Dangerous"] if keeps else [])


async def raises(*_: Any) -> Any:
    raise LookupError("the secret is 4711")


async def answers_nonsense(*_: Any) -> Any:
    return "yes"


@pytest.mark.parametrize("broken", [raises, answers_nonsense])
async def test_a_broken_hook_before_denies_the_call_and_its_fault_is_in_the_log_alone(
    probe: tuple[Probe, int], broker: Broker, broken: Any
) -> None:
    file = io.BytesIO()
    log = CallLog(LogSettings(level="error"), file)

    result = await Broker(broker.catalog, broker._invoke, log, hooks=Hooks(before_call=broken)).call(call())

    line = json.loads(file.getvalue())
    assert result.code is Code.INTERNAL
    assert "Nothing was sent." in result.content
    assert result.error_id == line["error_id"]
    assert line["error_id"] in result.content
    assert "4711" not in result.content
    assert (line["event"], line["hook"]) == ("hook failed", "before_call")
    assert "Traceback" in line["exception"]
    assert probe[0].seen == []


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_the_log_tells_where_a_hook_broke_and_not_with_what_arguments(
    broker: Broker, log_format: str
) -> None:
    file = io.BytesIO()
    log = CallLog(LogSettings.model_validate({"level": "error", "format": log_format}), file)

    hooked = Broker(broker.catalog, broker._invoke, log, hooks=Hooks(before_call=raises))
    await hooked.call(call(text="my password"))

    assert b"in raises" in file.getvalue()
    assert b"my password" not in file.getvalue()


async def test_a_result_of_the_hook_after_is_read_in_place_of_the_backends(hooked: OpenBroker) -> None:
    async def after(prepared: Prepared, result: ToolResult, context: CallContext) -> ToolResult:
        return replace(result, call_id="another", content="[redacted]", structured=None)

    async with hooked(Hooks(after_call=after)) as broker:
        result = await broker.call(call(text="secret"))

    assert result == ToolResult(call_id="x", content="[redacted]")


@pytest.mark.parametrize("broken", [raises, answers_nonsense])
async def test_after_a_broken_hook_after_the_model_reads_that_the_call_was_made_and_nothing_of_its_result(
    probe: tuple[Probe, int], broker: Broker, broken: Any
) -> None:
    file = io.BytesIO()
    log = CallLog(LogSettings(level="error"), file)

    result = await Broker(broker.catalog, broker._invoke, log, hooks=Hooks(after_call=broken)).call(
        call(text="secret")
    )

    line = json.loads(file.getvalue())
    assert result.code is Code.INTERNAL
    assert "the call was made" in result.content
    assert "secret" not in result.content
    assert "4711" not in result.content
    assert result.structured is None
    assert line["error_id"] in result.content
    assert line["hook"] == "after_call"
    assert probe[0].seen == ["Echo"]


async def test_after_a_broken_hook_after_a_call_that_was_not_sent_is_not_said_to_have_been_made(
    hooked: OpenBroker,
) -> None:
    async with hooked(Hooks(after_call=raises)) as broker:
        result = await broker.call(call("Dangerous"))

    assert "the call ended with PERMISSION_DENIED, but its result cannot be shown" in result.content


async def test_the_hook_after_sees_failures_too_but_not_calls_that_the_hook_before_has_answered(
    hooked: OpenBroker,
) -> None:
    codes: list[Code | None] = []

    async def before(prepared: Prepared, context: CallContext) -> ToolResult | None:
        is_echo = prepared.tool.method.name == "Echo"
        return ToolResult(call_id="", content="no", code=Code.PERMISSION_DENIED) if is_echo else None

    async def after(prepared: Prepared, result: ToolResult, context: CallContext) -> None:
        codes.append(result.code)

    async with hooked(Hooks(before_call=before, after_call=after)) as broker:
        await broker.call(call())
        await broker.call(call("Fail", code=5))
        await broker.call(call("Dangerous"))

    assert codes == [Code.NOT_FOUND, Code.PERMISSION_DENIED]


async def test_what_a_hook_decided_is_an_outcome_of_the_call_each_once(broker: Broker) -> None:
    outcomes: list[Outcome] = []
    started = asyncio.Event()

    async def before(prepared: Prepared, context: CallContext) -> ToolResult | None:
        match json.loads(prepared.call.arguments)["text"]:
            case "deny":
                return ToolResult(call_id="", content="no", code=Code.PERMISSION_DENIED)
            case "answer":
                return ToolResult(call_id="", content="42")
            case "break":
                raise LookupError
            case "hang":
                started.set()
                await asyncio.Event().wait()
        return None

    hooked = Broker(
        broker.catalog,
        broker._invoke,
        CallLog(LogSettings(level="error"), io.BytesIO()),
        hooks=Hooks(before_call=before),
        observers=(outcomes.append,),
    )
    for text in ("deny", "answer", "break", "pass"):
        await hooked.call(call(text=text))
    hanging = asyncio.create_task(hooked.call(call(text="hang")))
    await started.wait()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)

    assert [(outcome.verdict, outcome.code) for outcome in outcomes] == [
        (Verdict.DENIED, Code.PERMISSION_DENIED),
        (Verdict.NOT_MADE, None),
        (Verdict.DENIED, Code.INTERNAL),
        (Verdict.NOT_NEEDED, None),
        (Verdict.NOT_MADE, Code.CANCELLED),
    ]


async def test_cancelling_a_call_in_its_hook_after_cancels_it(hooked: OpenBroker) -> None:
    started = asyncio.Event()

    async def after(*_: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    async with hooked(Hooks(after_call=after)) as broker:
        task = asyncio.create_task(broker.call(call()))
        await started.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task


async def test_without_hooks_there_is_nothing_around_a_call(broker: Broker) -> None:
    assert broker._hooked == broker._execute
