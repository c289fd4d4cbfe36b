"""The events of a conversation → what is shown of them, as they come."""

import sys
from typing import Any, Protocol, TextIO

from broker.chat.events import (
    ApprovalNeeded,
    CallFinished,
    CallStarted,
    ClientCall,
    Done,
    Event,
    Kept,
    Notice,
    StopReason,
    TextDelta,
)
from broker.cli import output

_ENDED = {
    StopReason.CUT_OFF: "ended: the model was stopped in the middle of its answer",
    StopReason.MAX_TOKENS: "ended: the tokens of this turn are used up",
    StopReason.REPEATING: "ended: the model made the same call again and again",
    StopReason.MAX_TURNS: "ended: the model still asked for calls in its last turn",
    StopReason.TIMEOUT: "ended: the time is up",
}


class Transcript(Protocol):
    """Shows events."""

    def show(self, event: Event) -> None:
        """Shows one, at once."""


def transcript(*, json: bool, asks: bool = False) -> Transcript:
    """JSON lines on stdout; or the model's words on stdout and its calls on stderr.

    `asks`: the user is asked about calls that wait, and sees them then.
    """
    return JsonLines() if json else Words(sys.stdout, sys.stderr, asks=asks)


class JsonLines:
    """One JSON object on each line, with the name of the event."""

    def show(self, event: Event) -> None:
        output.show_json(_json(event))
        sys.stdout.flush()


class Words:
    """Text as it comes; a line for each call as it begins and as it ends."""

    def __init__(self, text: TextIO, calls: TextIO, *, asks: bool = False) -> None:
        self._text = text
        self._calls = calls
        self._asks = asks
        self._within_line = False

    def show(self, event: Event) -> None:
        match event:
            case TextDelta():
                self._say(event.text)
            case Notice():
                self._tell(f"! {output.one_line(event.text, 400)}", "yellow")
            case CallStarted(call=call):
                self._tell(f"→ {output.one_line(call.name)} {output.one_line(call.arguments, 400)}", "cyan")
            case CallFinished(call=call, result=result) if result.code is None:
                self._tell(f"✓ {output.one_line(call.name)} {event.seconds:.2f} s", "green")
            case CallFinished(call=call, result=result) if result.code is not None:
                lines = output.reason(result.code, result.content).replace("\n", " / ")
                reason = output.one_line(lines, 400)
                self._tell(f"✗ {output.one_line(call.name)} {event.seconds:.2f} s {reason}", "red")
            case ApprovalNeeded(call=call) if not self._asks:
                name, id = output.one_line(call.name), output.one_line(call.id)
                self._tell(f"? {name} waits for approval as {id}: {output.exact(event.request)}", "yellow")
            case Done():
                self._end_line()
                if event.stop_reason in _ENDED:
                    self._tell(_ENDED[event.stop_reason], "yellow")

    def _say(self, text: str) -> None:
        self._text.write(output.harmless(text))
        self._text.flush()
        self._within_line = not text.endswith("\n") if text else self._within_line

    def _tell(self, line: str, colour: str) -> None:
        self._end_line()
        output.tell(line, colour, self._calls)

    def _end_line(self) -> None:
        if self._within_line:
            self._say("\n")


def _json(event: Event) -> dict[str, Any]:
    match event:
        case Kept():
            return {"event": "kept", "state": event.state}
        case TextDelta():
            return {"event": "text_delta", "text": event.text}
        case Notice():
            return {"event": "notice", "text": event.text}
        case CallStarted(call=call):
            return {"event": "call_started", "id": call.id, "name": call.name, "arguments": call.arguments}
        case CallFinished(call=call, result=result):
            return {
                "event": "call_finished",
                "id": call.id,
                "name": call.name,
                "is_error": result.is_error,
                "code": None if result.code is None else result.code.name,
                "content": result.content,
                "seconds": round(event.seconds, 6),
            }
        case ApprovalNeeded(call=call):
            asked = {"request": event.request, "backend": event.backend, "full_name": event.full_name}
            return {"event": "approval_needed", "id": call.id, "name": call.name, **asked}
        case ClientCall(call=call):
            return {"event": "client_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        case Done():
            usage = {"input_tokens": event.usage.input_tokens, "output_tokens": event.usage.output_tokens}
            return {
                "event": "done",
                "stop_reason": event.stop_reason,
                "text": event.text,
                "messages": list(event.messages),
                "usage": usage,
                "state": event.state,
            }
