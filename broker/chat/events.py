"""What happens in a conversation, as it happens."""

import enum
from dataclasses import dataclass

from broker.models.model import ChatMessage, Notice, TextDelta, Usage
from broker.tool import ToolCall, ToolResult

__all__ = [
    "ApprovalNeeded",
    "CallFinished",
    "CallStarted",
    "ClientCall",
    "Done",
    "Event",
    "Kept",
    "Notice",
    "StopReason",
    "TextDelta",
]


class StopReason(enum.StrEnum):
    """Why a run ended, or waits."""

    ANSWERED = "answered"
    WAITING = "waiting"
    """For decisions, or for the results of the caller's own tools: `Done.state` takes the run up again."""
    CUT_OFF = "cut_off"
    """The model was stopped in the middle of its answer: a limit of output tokens, a content filter, a
    stream that broke off."""
    MAX_TURNS = "max_turns"
    """The model still asked for calls when it had to answer."""
    MAX_TOKENS = "max_tokens"
    """The tokens of the run were used up before the model had answered."""
    REPEATING = "repeating"
    """The model made the same call again and again, and was made to answer with what it had."""
    TIMEOUT = "timeout"
    """The deadline passed; the messages hold what there was by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """The first event of a run that is kept from its beginning."""

    state: str
    """What `Chat.resume` takes when the process, or the stream of events, ended before Done came."""


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
    backend: str
    full_name: str
    """The method: `mail.v1.MailService.SendEmail`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCall:
    """A call of one of the caller's own tools, which waits for the caller's result."""

    call: ToolCall


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The last event of a run."""

    messages: tuple[ChatMessage, ...]
    """What the run added since it began, to be appended to the conversation that it was given."""
    stop_reason: StopReason
    text: str
    """What the model said in its last turn."""
    usage: Usage
    """Tokens, summed over the turns."""
    usage_by_turn: tuple[Usage, ...] = ()
    state: str | None = None
    """What `Chat.resume` takes, once, when the run waits; None otherwise."""


Event = Kept | TextDelta | Notice | CallStarted | CallFinished | ApprovalNeeded | ClientCall | Done
