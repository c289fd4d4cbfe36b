"""What tests say of conversations: what the model's server asks for, and how a run is taken to its end."""

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from broker.chat.decisions import Decision
from broker.chat.events import CallFinished, Done, Event
from broker.chat.loop import Chat
from broker.tool import CallContext, ToolResult
from tests.models.scripted_server import Answer, asked_for, stream

Make = Callable[..., Chat]
HELLO = [{"role": "user", "content": "hello"}]
PREFIX = "probe_v1_ProbeService_"
ALICE = CallContext(principal="alice")


def calls(*asked: tuple[str, str, dict[str, Any]]) -> Answer:
    return stream(
        asked_for(*((id, PREFIX + method, json.dumps(arguments)) for id, method, arguments in asked))
    )


def danger(call_id: str, text: str = "a") -> tuple[str, str, dict[str, Any]]:
    return (call_id, "Dangerous", {"text": text})


def echo(call_id: str) -> tuple[str, str, dict[str, Any]]:
    return (call_id, "Echo", {"text": call_id})


async def ended(run: AsyncGenerator[Event, None]) -> tuple[list[Event], Done]:
    *events, done = [event async for event in run]
    assert isinstance(done, Done)
    return events, done


async def waiting(chat: Chat, context: CallContext = ALICE) -> str:
    """The state of a run that waits."""
    _, done = await ended(chat.run(HELLO, context=context))
    assert done.state is not None
    return done.state


async def resumed(
    chat: Chat, state: str, *decisions: Decision, context: CallContext = ALICE, **more: Any
) -> tuple[list[Event], Done]:
    return await ended(chat.resume(state, decisions=decisions, context=context, **more))


def results(events: Sequence[Event]) -> dict[str, ToolResult]:
    return {event.call.id: event.result for event in events if isinstance(event, CallFinished)}
