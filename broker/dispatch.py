"""One tool call, JSON to JSON. The main path:

Broker.call       one ToolCall in, one ToolResult out: prepare, then execute
  prepare         → Prepared, or the ToolResult that says why not
    lookup        the tool, or the nearest names
    decode        arguments → request, or every problem with its path
  execute         → ToolResult
    hooks         what the application does before and after, where it has any
    guards        what may happen around a call
    invoke        request → response, or what a stream held
    encode        response → what the model reads
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from google.protobuf.message import Message

from broker.call_log import CallLog
from broker.catalog.catalog import Catalog
from broker.errors import Code, InvalidArguments, ToolCallError
from broker.hooks import NO_HOOKS, Hooks, around_call
from broker.outcomes import Observer, Outcome, Verdict
from broker.schema.arguments import DroppingReading, Reading
from broker.schema.notes import Leniency, told
from broker.schema.problems import describe
from broker.tool import (
    CallContext,
    Invoke,
    Media,
    Note,
    Prepared,
    Stream,
    Tool,
    ToolCall,
    ToolResult,
    Unknown,
)

_ANYBODY = CallContext()


class Broker:
    """Calls tools. Never raises for what a model did or a backend answered: those are results."""

    def __init__(
        self,
        catalog: Catalog,
        invoke: Invoke,
        log: CallLog,
        *,
        hooks: Hooks = NO_HOOKS,
        observers: tuple[Observer, ...] = (),
    ) -> None:
        """`invoke` sends a request to its backend, with all guards around it; `observers` see each end."""
        self.catalog = catalog
        self.hooks = hooks
        self._invoke = invoke
        self._log = log
        self._observers = (log.note, *observers) if log.is_on else observers
        self._hooked = around_call(self._execute, hooks, log, self.note)

    async def call(self, call: ToolCall, context: CallContext = _ANYBODY) -> ToolResult:
        """Makes one call; exactly one result comes back, whatever happens."""
        prepared = self.prepare(call, context)
        if isinstance(prepared, ToolResult):
            return prepared
        return await self.execute(prepared, context)

    def prepare(self, call: ToolCall, context: CallContext = _ANYBODY) -> Prepared | ToolResult:
        """Understands a call without sending anything; the result says why it cannot be sent."""
        prepared = self.read(call, context)
        if isinstance(prepared, ToolResult):
            self.note(Outcome(call=call, context=context, verdict=Verdict.INVALID, code=prepared.code))
        return prepared

    def read(self, call: ToolCall, context: CallContext = _ANYBODY) -> Prepared | ToolResult:
        """The same as `prepare` for one who only looks: it is no outcome of the call."""
        try:
            tool = self._lookup(call)
            request, notes = self._decode(tool, call, context)
        except ToolCallError as error:
            return _failed(call, error)
        return Prepared.of(call, tool, request, notes)

    def execute(self, prepared: Prepared, context: CallContext = _ANYBODY) -> Coroutine[Any, Any, ToolResult]:
        """Sends a prepared call, through hooks and guards; cancelling it cancels the call at the backend."""
        return self._hooked(prepared, context)

    def note(self, outcome: Outcome) -> None:
        """Tells the observers how a call ended, or that it waits; what is executed is told by itself."""
        for observe in self._observers:
            observe(outcome)

    async def _execute(self, prepared: Prepared, context: CallContext) -> ToolResult:
        started = time.perf_counter()
        code: Code | None = Code.INTERNAL
        try:
            response = await self._invoke(prepared, context)
            result = self._encode(prepared, response)
            code = result.code
        except ToolCallError as error:
            code = error.code
            self._log_withheld(prepared, error)
            result = _failed(prepared.call, error, prepared.notes)
        except asyncio.CancelledError:
            code = Code.CANCELLED
            raise
        finally:
            if self._observers:
                self.note(Outcome.of(prepared, context, code, time.perf_counter() - started))
        return result

    def _lookup(self, call: ToolCall) -> Tool:
        tool = self.catalog.get(call.name)
        if tool is None:
            raise ToolCallError(Code.NOT_FOUND, self._no_such_tool(call.name))
        return tool

    def _no_such_tool(self, name: str) -> str:
        near = self.catalog.nearest(name)
        cure = (
            f"The nearest are: {', '.join(near)}." if near else "Call one of the tools that you were given."
        )
        return f'There is no tool "{name[:128]}". {cure}'

    def _decode(self, tool: Tool, call: ToolCall, context: CallContext) -> tuple[Message, tuple[Note, ...]]:
        reading = _READINGS[tool.policy.unknown]()
        reading.attachments = context.attachments
        try:
            request = self.catalog.decoder(tool)(call.arguments, reading)
        except InvalidArguments as error:
            raise InvalidArguments(describe(tool.name, error.problems), error.problems) from error
        return request, told(reading.notes) if reading.notes else ()

    def _encode(self, prepared: Prepared, response: Message | Stream) -> ToolResult:
        read = self.catalog.reader(prepared.tool)(response)
        if read.bug is not None:
            self._log.unencoded(prepared, read.bug)
        call_id, notes = prepared.call.id, prepared.notes
        if isinstance(response, Stream) and response.error is not None:
            # No `structured`: who trusts a schema would take it for a success.
            self._log_withheld(prepared, response.error)
            before = f"\nThis came before it failed: {read.text}"
            return _failed(prepared.call, response.error, notes, before, read.media)
        if not notes:
            return ToolResult(
                call_id=call_id, content=read.text, structured=read.structured, media=read.media
            )
        return ToolResult(
            call_id=call_id,
            content=_with_dropped(read.text, notes),
            structured=read.structured,
            media=read.media,
            notes=_texts(notes),
        )

    def _log_withheld(self, prepared: Prepared, error: ToolCallError) -> None:
        if error.withheld is not None:
            self._log.withheld(prepared, error.code, error.withheld)


def _failed(
    call: ToolCall,
    error: ToolCallError,
    notes: tuple[Note, ...] = (),
    more: str = "",
    media: tuple[Media, ...] = (),
) -> ToolResult:
    return ToolResult(
        call_id=call.id,
        content=_with_dropped(error.message + more, notes),
        code=error.code,
        media=media,
        notes=_texts(notes),
        error_id=None if error.withheld is None else error.withheld.id,
    )


def _texts(notes: tuple[Note, ...]) -> tuple[str, ...]:
    return tuple(note.text for note in notes)


def _with_dropped(content: str, notes: tuple[Note, ...]) -> str:
    """What the model reads; of all notes it is told those only on what it gave in vain."""
    dropped = [note.text for note in notes if note.leniency == Leniency.DROPPED_ARGUMENT]
    return "\n".join([content, *(f"Note: {text}" for text in dropped)])


_READINGS: Mapping[Unknown, type[Reading]] = {Unknown.REJECT: Reading, Unknown.DROP: DroppingReading}
