"""Conversations and events between the broker's own API and the loop: protobuf ↔ OpenAI chat messages."""

from collections.abc import Iterable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from broker.chat.events import ApprovalNeeded, CallFinished, CallStarted, Done, Event, Notice, TextDelta
from broker.tool import ToolCall, ToolResult
from broker.v1 import broker_pb2

_ROLES = ("system", "developer", "user", "assistant", "tool")


def to_openai(conversation: broker_pb2.Conversation) -> list[dict[str, Any]]:
    """A conversation → OpenAI chat messages. Raises ValueError, worded for the caller."""
    if not conversation.messages:
        raise ValueError("messages: empty. Send at least what the user asks.")
    return [_to_openai(place, message) for place, message in enumerate(conversation.messages)]


def from_openai(messages: Iterable[dict[str, Any]]) -> list[broker_pb2.Message]:
    """OpenAI chat messages, as the loop adds them → messages of our API."""
    return [_from_openai(message) for message in messages]


def from_event(event: Event) -> broker_pb2.ChatResponse:
    """What happened in the loop → what is streamed."""
    match event:
        case TextDelta():
            return broker_pb2.ChatResponse(text_delta=broker_pb2.TextDelta(text=event.text))
        case Notice():
            return broker_pb2.ChatResponse(notice=broker_pb2.Notice(text=event.text))
        case CallStarted():
            return broker_pb2.ChatResponse(call_started=broker_pb2.CallStarted(call=_call(event.call)))
        case CallFinished():
            finished = broker_pb2.CallFinished(
                result=tool_result(event.result), duration=_duration(event.seconds)
            )
            return broker_pb2.ChatResponse(call_finished=finished)
        case ApprovalNeeded():
            needed = broker_pb2.ApprovalNeeded(call=_call(event.call), request=event.request)
            return broker_pb2.ChatResponse(approval_needed=needed)
        case Done():
            return broker_pb2.ChatResponse(done=_done(event))


def tool_result(result: ToolResult) -> broker_pb2.ToolResult:
    """A result as our API sends it; code 0 is OK."""
    return broker_pb2.ToolResult(
        call_id=result.call_id,
        content=result.content,
        is_error=result.is_error,
        code=0 if result.code is None else result.code,
        media=[broker_pb2.Media(media_type=one.media_type, data=one.data) for one in result.media],
        notes=result.notes,
    )


def _to_openai(place: int, message: broker_pb2.Message) -> dict[str, Any]:
    if message.role not in _ROLES:
        raise ValueError(
            f'messages[{place}].role: there is no "{message.role[:32]}". Send one of: {", ".join(_ROLES)}.'
        )
    converted: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.tool_calls:
        converted["tool_calls"] = [_openai_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        converted["tool_call_id"] = message.tool_call_id
    return converted


def _content(message: broker_pb2.Message) -> str | list[dict[str, Any]]:
    if all(part.WhichOneof("part") != "image_url" for part in message.content):
        return "".join(part.text for part in message.content)
    return [
        {"type": "image_url", "image_url": {"url": part.image_url}}
        if part.WhichOneof("part") == "image_url"
        else {"type": "text", "text": part.text}
        for part in message.content
    ]


def _openai_call(call: broker_pb2.ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _from_openai(message: dict[str, Any]) -> broker_pb2.Message:
    text = message.get("content")
    calls = message.get("tool_calls") or ()
    return broker_pb2.Message(
        role=message["role"],
        content=[broker_pb2.ContentPart(text=text)] if isinstance(text, str) and text else [],
        tool_calls=[
            broker_pb2.ToolCall(
                id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"]
            )
            for call in calls
        ],
        tool_call_id=message.get("tool_call_id", ""),
    )


def _call(call: ToolCall) -> broker_pb2.ToolCall:
    return broker_pb2.ToolCall(id=call.id, name=call.name, arguments=call.arguments)


def _done(event: Done) -> broker_pb2.Done:
    usage = broker_pb2.Usage(input_tokens=event.usage.input_tokens, output_tokens=event.usage.output_tokens)
    return broker_pb2.Done(messages=from_openai(event.messages), stop_reason=event.stop_reason, usage=usage)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(int(seconds * 1e9))
    return duration
