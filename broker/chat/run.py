"""The turns and results of one run of the loop → the messages that it adds to the conversation."""

from dataclasses import dataclass, field

from broker.chat.events import CallFinished, CallStarted, Done, StopReason
from broker.chat.history import repair, result_message
from broker.errors import ModelError
from broker.models.model import ChatMessage, Notice, TextDelta, Turn, Usage
from broker.tool import ToolCall


@dataclass(kw_only=True, slots=True)
class Run:
    """A run under way."""

    given: list[ChatMessage]
    added: list[ChatMessage] = field(default_factory=list)
    stop_reason: StopReason = StopReason.ANSWERED
    _usage: Usage = field(default_factory=Usage)
    _heard: list[str] = field(default_factory=list)
    """The pieces of text of the turn that is under way."""
    _turn: Turn | None = None
    _results: dict[str, ChatMessage] = field(default_factory=dict)
    """Those of the turn's calls, by id."""

    def conversation(self) -> list[ChatMessage]:
        """What the model is sent."""
        return repair([*self.given, *self.added])

    def begin_turn(self) -> None:
        """The model is about to be asked."""
        self._heard.clear()
        self._results.clear()
        self._turn = None

    def hear(self, item: TextDelta | Notice | Turn) -> None:
        """Takes what the model says."""
        match item:
            case TextDelta():
                self._heard.append(item.text)
            case Turn():
                self._turn = item
                self._usage += item.usage
                self.added.append(item.message)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """What the model asked for in its last turn. Raises ModelError when there was no whole turn."""
        if self._turn is None:
            raise ModelError("The model stopped without a whole turn.")
        return self._turn.calls

    @property
    def whole_calls(self) -> tuple[ToolCall, ...]:
        """Those of `calls` that can be made."""
        return self.calls[:-1] if self._turn is not None and self._turn.truncated else self.calls

    def note(self, event: CallStarted | CallFinished) -> None:
        """Takes what happened to a call; when all have a result, they follow in the order of the calls."""
        if isinstance(event, CallStarted):
            return
        self._results[event.call.id] = result_message(event.result)
        if len(self._results) == len(self.calls):
            self.added += [self._results[call.id] for call in self.calls]

    def break_off(self) -> None:
        """The time is over while the model speaks."""
        self.stop_reason = StopReason.TIMEOUT
        text = "".join(self._heard)
        if text:
            self.added.append({"role": "assistant", "content": text})

    def done(self) -> Done:
        """The last event."""
        text = "".join(self._heard) if self._turn is None else self._turn.text
        return Done(messages=tuple(self.added), stop_reason=self.stop_reason, text=text, usage=self._usage)
