"""What an application does around each call and around each turn of the model, in async functions of its own.

before_call → guards → the backend → after_call;  before_model → the model → after_model

Those around a call hold wherever it comes from. One that raises fails closed: nothing is sent, or what came
back is not shown.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from broker.call_log import CallLog
from broker.errors import Code
from broker.models.model import ModelRequest, Notice, TextDelta, Turn
from broker.outcomes import Observer, Outcome, Verdict
from broker.tool import CallContext, Prepared, ToolResult

BeforeCall = Callable[[Prepared, CallContext], Awaitable[ToolResult | Prepared | None]]
AfterCall = Callable[[Prepared, ToolResult, CallContext], Awaitable[ToolResult | None]]
BeforeModel = Callable[[ModelRequest], Awaitable[ModelRequest | None]]
AfterModel = Callable[[ModelRequest, Turn], Awaitable[Turn | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """Functions that are called around calls and turns; each answers None when it changes nothing.

    >>> async def quiet_hours(prepared, context):
    ...     if prepared.tool.backend == "mail":
    ...         return ToolResult(call_id="", content="No mail at night.", code=Code.PERMISSION_DENIED)
    >>> Hooks(before_call=quiet_hours).after_call is None
    True
    """

    before_call: BeforeCall | None = None
    """Before anything is sent, and before the guards. A result: it is the call's result, and nothing is sent.
    Another Prepared, as `Broker.read` makes them: its request is sent in place of the model's, if the guards
    let it pass; an approval of the model's request is none of this one. Raises: the call is denied."""
    after_call: AfterCall | None = None
    """With what the model would read. A result: the model reads it in place of that. Raises: the model reads
    only that the call was made."""
    before_model: BeforeModel | None = None
    """Before each turn. A request: it is asked in place of the loop's. Raises: the run ends with that."""
    after_model: AfterModel | None = None
    """When a turn is whole; its text has been streamed by then. A turn: it is taken in place of the model's,
    calls and message alike. Raises: the run ends with that, and none of the turn's calls is made."""


NO_HOOKS = Hooks()

Execute = Callable[[Prepared, CallContext], Coroutine[Any, Any, ToolResult]]


def around_call(execute: Execute, hooks: Hooks, log: CallLog, observe: Observer) -> Execute:
    """The same with the hooks around it; it is `execute` itself when there are none."""
    if hooks.after_call is not None:
        execute = _followed(execute, hooks.after_call, log)
    return execute if hooks.before_call is None else _preceded(execute, hooks.before_call, log, observe)


def _preceded(execute: Execute, before: BeforeCall, log: CallLog, observe: Observer) -> Execute:
    async def hooked(prepared: Prepared, context: CallContext) -> ToolResult:
        try:
            answer = _understood(await before(prepared, context), prepared)
        except asyncio.CancelledError:
            observe(_not_sent(prepared, context, Verdict.NOT_MADE, Code.CANCELLED))
            raise
        except Exception as bug:  # noqa: BLE001 - whatever it is, the hook did not say that the call may be sent
            error_id = log.hook_failed(prepared, "before_call", bug)
            why = f"a check before this call failed (error id {error_id}). Nothing was sent. Tell the user."
            answer = _internal(prepared, why, error_id)
        if isinstance(answer, Prepared):
            return await execute(answer, context)
        verdict = Verdict.DENIED if answer.is_error else Verdict.NOT_MADE
        observe(_not_sent(prepared, context, verdict, answer.code))
        return answer

    return hooked


def _followed(execute: Execute, after: AfterCall, log: CallLog) -> Execute:
    async def hooked(prepared: Prepared, context: CallContext) -> ToolResult:
        result = await execute(prepared, context)
        try:
            changed = await after(prepared, result, context)
            return result if changed is None else replace(changed, call_id=prepared.call.id)
        except Exception as bug:  # noqa: BLE001 - the hook may have been there to redact the result
            error_id = log.hook_failed(prepared, "after_call", bug)
            # Whether a call that failed was sent is part of what cannot be shown.
            ended = "was made" if result.code is None else f"ended with {result.code.name}"
            why = f"the call {ended}, but its result cannot be shown (error id {error_id}). Tell the user."
            return _internal(prepared, why, error_id)

    return hooked


def _understood(answer: ToolResult | Prepared | None, prepared: Prepared) -> ToolResult | Prepared:
    """What a hook says about a call; its own request gets the bytes and the hash that belong to it."""
    match answer:
        case None:
            return prepared
        case Prepared():
            call = replace(answer.call, id=prepared.call.id)
            return Prepared.of(call, answer.tool, answer.request, answer.notes)
        case ToolResult():
            return replace(answer, call_id=prepared.call.id)
    raise TypeError(f"a hook before a call answers a ToolResult, a Prepared or None, not {answer!r:.80}")


def _internal(prepared: Prepared, why: str, error_id: str) -> ToolResult:
    content = f"INTERNAL: {why}"
    return ToolResult(call_id=prepared.call.id, content=content, code=Code.INTERNAL, error_id=error_id)


def _not_sent(prepared: Prepared, context: CallContext, verdict: Verdict, code: Code | None) -> Outcome:
    return Outcome(call=prepared.call, context=context, verdict=verdict, code=code, prepared=prepared)


Ask = Callable[[ModelRequest], AsyncGenerator[TextDelta | Notice | Turn, None]]
"""`Model.stream`."""


def around_model(ask: Ask, hooks: Hooks) -> Ask:
    """The same with the hooks around each turn; it is `ask` itself when there are none."""
    before, after = hooks.before_model, hooks.after_model
    if before is None and after is None:
        return ask

    async def hooked(request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        changed = None if before is None else await before(request)
        request = request if changed is None else changed
        async with aclosing(ask(request)) as items:
            async for item in items:
                other = await after(request, item) if after is not None and isinstance(item, Turn) else None
                yield item if other is None else other

    return hooked
