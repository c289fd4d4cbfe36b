"""BrokerService: the broker's own API over gRPC."""

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import grpc
import grpc.aio
import orjson

from broker.chat.events import Event
from broker.chat.loop import Chat
from broker.dispatch import Broker
from broker.errors import Code, RunError
from broker.schema.profiles import PROFILES
from broker.servers import chat_messages, chat_requests
from broker.servers.in_flight import Context, InFlight
from broker.tool import CallContext, Tool, ToolCall
from broker.v1 import broker_pb2, broker_pb2_grpc

_FORWARDED = frozenset({"traceparent", "tracestate", "x-request-id"})
"""Metadata of the caller that goes on to the backend; credentials never do."""


class BrokerService(broker_pb2_grpc.BrokerServiceServicer):
    """Lists tools, calls one, holds a conversation. A client that goes away cancels what it asked for."""

    def __init__(self, broker: Broker, chat: Chat, in_flight: InFlight) -> None:
        self._broker = broker
        self._chat = chat
        self.in_flight = in_flight

    async def ListTools(
        self, request: broker_pb2.ListToolsRequest, context: Context
    ) -> broker_pb2.ListToolsResponse:
        profile = request.profile or "openai"
        if profile not in PROFILES:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f'profile: there is no "{profile[:64]}". Send one of: {", ".join(PROFILES)}.',
            )
        if self.in_flight.is_full:
            await self.in_flight.refuse(context)
        with self.in_flight.call(context):
            catalog = self._broker.catalog
            defined = ((tool, catalog.definition(tool, profile)) for tool in catalog)
            tools = [_listed(tool, definition) for tool, definition in defined if definition is not None]
            return broker_pb2.ListToolsResponse(tools=tools)
        return broker_pb2.ListToolsResponse()  # is not sent: the context has another status than OK

    async def CallTool(
        self, request: broker_pb2.CallToolRequest, context: Context
    ) -> broker_pb2.CallToolResponse:
        asked = request.call
        if not asked.name:
            await context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, "call.name: missing. Send the name of a tool."
            )
        call = ToolCall(id=asked.id, name=asked.name, arguments=asked.arguments)
        if self.in_flight.is_full:
            await self.in_flight.refuse(context)
        with self.in_flight.call(context):
            result = await self._broker.call(call, _call_context(context))
            response = broker_pb2.CallToolResponse()
            chat_messages.fill_result(response.result, result)
            return response
        return broker_pb2.CallToolResponse()  # is not sent: the context has another status than OK

    async def Chat(
        self, request: broker_pb2.ChatRequest, context: Context
    ) -> AsyncIterator[broker_pb2.ChatResponse]:
        try:
            run = self._run(request, _call_context(context))
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        if self.in_flight.is_full:
            await self.in_flight.refuse(context)
        with self.in_flight.call(context):
            async with contextlib.aclosing(run) as events:
                try:
                    async for event in events:
                        yield chat_messages.from_event(event)
                except RunError as error:
                    await context.abort(_STATUS[error.code], str(error))

    def _run(self, request: broker_pb2.ChatRequest, context: CallContext) -> AsyncGenerator[Event, None]:
        match request.WhichOneof("start"):
            case "messages":
                messages = chat_requests.messages(request.messages)
                options = chat_requests.options(request)
                return self._chat.run(messages, options=options, context=context, kept=request.kept)
            case "resume":
                chat_requests.check_resume(request)
                resume = request.resume
                return self._chat.resume(
                    resume.state.decode(errors="replace"),
                    decisions=chat_requests.decisions(resume),
                    results=chat_requests.results(resume),
                    context=context,
                )
            case _:
                raise ValueError("messages: missing. Send the conversation so far.")


_STATUS = {Code(status.value[0]): status for status in grpc.StatusCode if status is not grpc.StatusCode.OK}


def _listed(tool: Tool, definition: dict[str, Any]) -> broker_pb2.Tool:
    return broker_pb2.Tool(
        name=tool.name,
        description=tool.description,
        full_name=tool.full_name,
        backend=tool.backend,
        definition=orjson.dumps(definition).decode(),
    )


def _call_context(context: Context) -> CallContext:
    seconds = context.time_remaining()
    deadline = None if seconds is None else time.monotonic() + seconds
    metadata = context.invocation_metadata()
    forwarded = [pair for pair in metadata or () if pair[0] in _FORWARDED]
    return CallContext(deadline=deadline, metadata=_sendable(forwarded) if forwarded else ())


def _sendable(metadata: Sequence[tuple[str, str | bytes]]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in metadata if isinstance(value, str))
