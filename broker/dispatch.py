"""One tool call, JSON to JSON. The main path:

Broker.call       one ToolCall in, one ToolResult out: prepare, then execute
  prepare         → Prepared, or the ToolResult that says why not
    lookup        the tool, or the nearest names
    decode        arguments → request, or every problem with its path
  execute         → ToolResult
    guards        what may happen around a call
    invoke        request → response, or what a stream held
    encode        response → what the model reads
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping
from typing import Any

import orjson
from google.protobuf.message import Message

from broker.call_log import CallLog
from broker.catalog.catalog import Catalog
from broker.errors import Code, InvalidArguments, ToolCallError
from broker.schema.arguments import DroppingReading, Reading
from broker.schema.notes import Leniency, told
from broker.schema.problems import describe
from broker.tool import CallContext, Invoke, Note, Prepared, Stream, Tool, ToolCall, ToolResult, Unknown

_ANYBODY = CallContext()


class Broker:
    """Calls tools. Never raises for what a model did or a backend answered: those are results."""

    def __init__(self, catalog: Catalog, invoke: Invoke, log: CallLog) -> None:
        """`invoke` sends a request to its backend, with all guards around it."""
        self.catalog = catalog
        self._invoke = invoke
        self._log = log

    async def call(self, call: ToolCall, context: CallContext = _ANYBODY) -> ToolResult:
        """Makes one call; exactly one result comes back, whatever happens."""
        prepared = self.prepare(call, context)
        if isinstance(prepared, ToolResult):
            return prepared
        return await self.execute(prepared, context)

    def prepare(self, call: ToolCall, context: CallContext = _ANYBODY) -> Prepared | ToolResult:
        """Understands a call without sending anything; the result says why it cannot be sent."""
        try:
            tool = self._lookup(call)
            request, notes = self._decode(tool, call, context)
        except ToolCallError as error:
            self._log.refused(call, error.code)
            return _failed(call, error)
        # A field may be named SerializeToString, so the method is taken from the class.
        request_bytes = type(request).SerializeToString(request, deterministic=True)
        return Prepared(
            call=call,
            tool=tool,
            request=request,
            request_bytes=request_bytes,
            request_hash=hashlib.sha256(request_bytes).hexdigest(),
            notes=notes,
        )

    async def execute(self, prepared: Prepared, context: CallContext = _ANYBODY) -> ToolResult:
        """Sends a prepared call, through the guards; cancelling it cancels the call at the backend."""
        started = time.perf_counter()
        code: Code | None = Code.INTERNAL
        try:
            response = await self._invoke(prepared, context)
            result = self._encode(prepared, response)
            code = None
        except ToolCallError as error:
            code = error.code
            result = _failed(prepared.call, error, prepared.notes)
        except asyncio.CancelledError:
            code = Code.CANCELLED
            raise
        finally:
            self._log.called(prepared, code, time.perf_counter() - started)
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
        encode = self.catalog.encoder(prepared.tool)
        structured: Mapping[str, Any]
        if isinstance(response, Stream):
            structured = {
                "messages": [encode(message) for message in response.messages],
                "count": len(response.messages),
                "complete": response.complete,
                "reason": response.reason,
            }
        else:
            structured = encode(response)
        content = orjson.dumps(structured).decode()
        if not prepared.notes:
            return ToolResult(call_id=prepared.call.id, content=content, structured=structured)
        return ToolResult(
            call_id=prepared.call.id,
            content=_with_dropped(content, prepared.notes),
            structured=structured,
            notes=_texts(prepared.notes),
        )


def _failed(call: ToolCall, error: ToolCallError, notes: tuple[Note, ...] = ()) -> ToolResult:
    content = _with_dropped(error.message, notes)
    return ToolResult(call_id=call.id, content=content, code=error.code, notes=_texts(notes))


def _texts(notes: tuple[Note, ...]) -> tuple[str, ...]:
    return tuple(note.text for note in notes)


def _with_dropped(content: str, notes: tuple[Note, ...]) -> str:
    """What the model reads; of all notes it is told those only on what it gave in vain."""
    dropped = [note.text for note in notes if note.leniency == Leniency.DROPPED_ARGUMENT]
    return "\n".join([content, *(f"Note: {text}" for text in dropped)])


_READINGS: Mapping[Unknown, type[Reading]] = {Unknown.REJECT: Reading, Unknown.DROP: DroppingReading}
