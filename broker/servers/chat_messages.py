"""What happens in the loop → the messages of the broker's own API."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from google.protobuf.duration_pb2 import Duration

from broker.chat.events import (
    ApprovalNeeded,
    CallFinished,
    CallStarted,
    ClientCall,
    Done,
    Event,
    Kept,
    Notice,
    TextDelta,
)
from broker.models.model import Usage
from broker.tool import ToolCall, ToolResult
from broker.v1 import broker_pb2

_OWN_KEYS = frozenset({"role", "content", "tool_calls", "tool_call_id"})
_OWN_KEYS_OF_CALLS = frozenset({"id", "type", "function"})


def from_event(event: Event) -> broker_pb2.ChatResponse:
    """What happened in the loop → what is streamed."""
    match event:
        case Kept():
            return broker_pb2.ChatResponse(kept=broker_pb2.Kept(state=event.state.encode()))
        case TextDelta():
            return broker_pb2.ChatResponse(text_delta=broker_pb2.TextDelta(text=event.text))
        case Notice():
            return broker_pb2.ChatResponse(notice=broker_pb2.Notice(text=event.text))
        case CallStarted():
            return broker_pb2.ChatResponse(call_started=broker_pb2.CallStarted(call=_call(event.call)))
        case CallFinished():
            return broker_pb2.ChatResponse(call_finished=_finished(event))
        case ApprovalNeeded():
            return broker_pb2.ChatResponse(approval_needed=_approval_needed(event))
        case ClientCall():
            return broker_pb2.ChatResponse(client_call=broker_pb2.ClientCall(call=_call(event.call)))
        case Done():
            return broker_pb2.ChatResponse(done=_done(event))


def from_openai(messages: Iterable[Mapping[str, Any]]) -> list[broker_pb2.Message]:
    """OpenAI chat messages, as the loop adds them → messages of our API."""
    return [_from_openai(message) for message in messages]


def tool_result(result: ToolResult) -> broker_pb2.ToolResult:
    """A result as our API sends it; code 0 is OK."""
    sent = broker_pb2.ToolResult()
    fill_result(sent, result)
    return sent


def fill_result(sent: broker_pb2.ToolResult, result: ToolResult) -> None:
    """Writes a result into a message of our API, where it is copied no more."""
    sent.call_id = result.call_id
    sent.content = result.content
    if result.code is not None:
        sent.is_error = True
        sent.code = result.code
    if result.media:
        sent.media.extend(broker_pb2.Media(media_type=one.media_type, data=one.data) for one in result.media)
    if result.notes:
        sent.notes.extend(result.notes)


def _from_openai(message: Mapping[str, Any]) -> broker_pb2.Message:
    calls = message.get("tool_calls") or ()
    extras = _extras(message, _OWN_KEYS)
    of_calls = [_extras(call, _OWN_KEYS_OF_CALLS) for call in calls]
    if any(of_calls):
        # One for each call: Gemini's signature of a thought stands there.
        extras["tool_calls"] = of_calls
    return broker_pb2.Message(
        role=message["role"],
        content=_content(message.get("content")),
        tool_calls=[
            broker_pb2.ToolCall(
                id=call["id"], name=call["function"]["name"], arguments=call["function"]["arguments"]
            )
            for call in calls
        ],
        tool_call_id=message.get("tool_call_id", ""),
        extras=orjson.dumps(extras).decode() if extras else "",
    )


def _extras(said: Mapping[str, Any], own: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in own}


def _content(content: Any) -> list[broker_pb2.ContentPart]:
    if isinstance(content, str):
        return [broker_pb2.ContentPart(text=content)] if content else []
    return [
        broker_pb2.ContentPart(image_url=part["image_url"]["url"])
        if part.get("type") == "image_url"
        else broker_pb2.ContentPart(text=part.get("text", ""))
        for part in content or ()
    ]


def _call(call: ToolCall) -> broker_pb2.ToolCall:
    return broker_pb2.ToolCall(id=call.id, name=call.name, arguments=call.arguments)


def _finished(event: CallFinished) -> broker_pb2.CallFinished:
    return broker_pb2.CallFinished(result=tool_result(event.result), duration=_duration(event.seconds))


def _approval_needed(event: ApprovalNeeded) -> broker_pb2.ApprovalNeeded:
    return broker_pb2.ApprovalNeeded(
        call=_call(event.call), request=event.request, backend=event.backend, full_name=event.full_name
    )


def _done(event: Done) -> broker_pb2.Done:
    return broker_pb2.Done(
        messages=from_openai(event.messages),
        stop_reason=event.stop_reason,
        usage=_usage(event.usage),
        usage_by_turn=[_usage(usage) for usage in event.usage_by_turn],
        state=b"" if event.state is None else event.state.encode(),
    )


def _usage(usage: Usage) -> broker_pb2.Usage:
    return broker_pb2.Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(int(seconds * 1e9))
    return duration
