"""A client of BrokerService.Chat, in the words of tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from broker.config.settings import Settings
from broker.servers.lifecycle import running
from broker.v1 import broker_pb2 as pb
from broker.v1.broker_pb2_grpc import BrokerServiceStub


@asynccontextmanager
async def chat_service(settings: Settings) -> AsyncIterator[Any]:
    """A running broker service: its stub. Leaving waits until all runs have been put down."""
    async with running(settings) as port, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield BrokerServiceStub(channel)


def ask(*messages: pb.Message, **more: Any) -> pb.ChatRequest:
    """A conversation that begins with a word of the user."""
    first = pb.Message(role="user", content=[pb.ContentPart(text="hello")])
    return pb.ChatRequest(messages=pb.Conversation(messages=[first, *messages]), **more)


def resume(
    state: bytes, *decisions: pb.Decision, results: Sequence[pb.ToolResult] = (), **more: Any
) -> pb.ChatRequest:
    """Takes up a run that waits."""
    return pb.ChatRequest(resume=pb.Resume(state=state, decisions=decisions, results=results), **more)


def approve(call_id: str, arguments: str | None = None) -> pb.Decision:
    """Yes, perhaps with other arguments."""
    return pb.Decision(call_id=call_id, approve=pb.Approve(arguments=arguments))


def reject(call_id: str, message: str = "") -> pb.Decision:
    """No."""
    return pb.Decision(call_id=call_id, reject=pb.Reject(message=message))


def client_tool(name: str) -> pb.ClientTool:
    """A tool that the caller runs."""
    function = f'{{"name": "{name}", "parameters": {{"type": "object", "properties": {{}}}}}}'
    return pb.ClientTool(definition=f'{{"type": "function", "function": {function}}}')


async def talked(stub: Any, request: pb.ChatRequest) -> tuple[list[pb.ChatResponse], pb.Done]:
    """All events but the last, and the last."""
    *events, last = [response async for response in stub.Chat(request)]
    assert last.WhichOneof("event") == "done"
    return events, last.done


def kinds(events: Sequence[pb.ChatResponse]) -> list[str | None]:
    """What happened, in a word for each event."""
    return [event.WhichOneof("event") for event in events]


def results(events: Sequence[pb.ChatResponse]) -> dict[str, pb.ToolResult]:
    """By id of the call."""
    finished = (event.call_finished.result for event in events if event.HasField("call_finished"))
    return {result.call_id: result for result in finished}


def tool_ids(messages: Sequence[pb.Message]) -> list[str]:
    """Whose results the messages are; "" for those that are none."""
    return [message.tool_call_id for message in messages]


async def waiting(stub: Any, **more: Any) -> bytes:
    """The state of a run that waits."""
    _, done = await talked(stub, ask(**more))
    assert done.stop_reason == "waiting"
    return done.state


async def refused(stub: Any, request: pb.ChatRequest) -> tuple[grpc.StatusCode, str]:
    """The status that a request ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await talked(stub, request)
    return error.value.code(), error.value.details() or ""
