"""What happens in a conversation, as it happens."""

import enum
from dataclasses import dataclass

from broker.models.model import ChatMessage, Notice, TextDelta, Usage
from broker.tool import ToolCall, ToolResult

__all__ = [
    "ApprovalNeeded",
    "CallFinished",
    "CallStarted",
    "Done",
    "Event",
    "Notice",
    "StopReason",
    "TextDelta",
]


class StopReason(enum.StrEnum):
    """Why a run ended."""

    ANSWERED = "answered"
    MAX_TURNS = "max_turns"
    """The model still asked for calls when it had to answer."""
    TIMEOUT = "timeout"
    """The deadline passed; the messages hold what there was by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallStarted:
    """A call is about to be made."""

    call: ToolCall


@dataclass(frozen=True, kw_only=True, slots=True)
class CallFinished:
    """A call has its result; one that was not made at all has this event alone."""

    call: ToolCall
    result: ToolResult
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalNeeded:
    """A call waits for somebody's decision."""

    call: ToolCall
    request: str
    """JSON text: the request exactly as it will be sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The last event of a run."""

    messages: tuple[ChatMessage, ...]
    """What the run added, to be appended to the conversation."""
    stop_reason: StopReason
    text: str
    """What the model said in its last turn."""
    usage: Usage
    """Tokens, summed over the turns."""


Event = TextDelta | Notice | CallStarted | CallFinished | ApprovalNeeded | Done
