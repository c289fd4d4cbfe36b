"""The turns and results of one run of the loop → the messages that it adds to the conversation."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import orjson

from broker.catalog.tokens import estimated
from broker.chat.events import CallFinished, Done, StopReason
from broker.chat.history import repair
from broker.chat.limits import Budget, Limits, Spent
from broker.chat.options import RunOptions
from broker.chat.repetition import STOP_AT, WARN_AT, Repetition, warning
from broker.chat.results import Results
from broker.chat.turn import OpenTurn
from broker.config.settings import ChatSettings
from broker.errors import ModelError
from broker.models.model import ChatMessage, Notice, TextDelta, Turn, Usage
from broker.tool import Tool

MAX_REVEALED = 64
"""So many tools that searches have found are offered at once."""


@dataclass(kw_only=True, slots=True)
class Run:
    """A run under way, or one that waits: all of it can be written as JSON."""

    given: list[ChatMessage]
    options: RunOptions
    budget: Budget
    id: str = field(default_factory=lambda: f"run_{secrets.token_hex(12)}")
    """What its calls have in common in an audit log."""
    added: list[ChatMessage] = field(default_factory=list)
    turn: OpenTurn = field(default_factory=OpenTurn)
    """The last one that the model finished."""
    text: str = ""
    """What the model said in it."""
    results: Results
    revealed: list[str] = field(default_factory=list)
    """The names of tools that a search has found, in the order in which they joined the offer."""
    stop_reason: StopReason = StopReason.ANSWERED
    _repetition: Repetition = field(default_factory=Repetition)
    _heard: list[str] = field(default_factory=list)
    """The pieces of text of a turn that is not finished."""
    _is_whole: bool = True
    """Whether the model has finished the turn that it began last."""

    def conversation(self) -> list[ChatMessage]:
        """What the model is sent."""
        return self.results.shown(repair(self.messages))

    @property
    def messages(self) -> list[ChatMessage]:
        """All that was said so far."""
        return [*self.given, *self.added]

    def reveal(self, names: Iterable[str]) -> None:
        """Tools that a search has found join the offer; of very many, those found first leave it."""
        self.revealed += [name for name in names if name not in self.revealed]
        del self.revealed[:-MAX_REVEALED]

    @property
    def must_answer(self) -> bool:
        """Whether no more calls are made, so that the model has to answer with what it has."""
        return self.stop_reason is StopReason.REPEATING or self.budget.is_last_turn

    @property
    def has_answered(self) -> bool:
        """Whether the model has spoken and asked for nothing, so that nothing is left to do."""
        return self.budget.spent.turns > 0 and not self.turn.calls

    def may_ask(self) -> bool:
        """Whether the model may be asked once more; where it may not, the run has a reason."""
        if not self.budget.has_tokens:
            self.stop_reason = StopReason.MAX_TOKENS
        elif not self.budget.has_turns:
            self.stop_reason = StopReason.MAX_TURNS
        else:
            return True
        return False

    def begin_turn(self) -> None:
        """The model is about to be asked."""
        self._heard.clear()
        self._is_whole = False

    def hear(self, item: TextDelta | Notice | Turn) -> None:
        """Takes what the model says."""
        match item:
            case TextDelta():
                self._heard.append(item.text)
            case Turn():
                self._take(item)

    def _take(self, turn: Turn) -> None:
        is_final = self.must_answer
        self._is_whole = True
        self.text = turn.text
        self.turn = OpenTurn(calls=turn.calls, truncated=turn.truncated, is_final=is_final)
        self.budget.spent.turns += 1
        self.budget.spent.usage.append(self._usage(turn))
        self.added.append(turn.message)
        if turn.calls and is_final and self.stop_reason is not StopReason.REPEATING:
            has_turns = self.budget.has_turns
            self.stop_reason = StopReason.MAX_TOKENS if has_turns else StopReason.MAX_TURNS
        if turn.truncated and not turn.calls:
            self.stop_reason = StopReason.CUT_OFF

    def _usage(self, turn: Turn) -> Usage:
        """What the model's server counted; where it does not count, and there is a limit, an estimate."""
        limits = self.budget.limits
        if turn.usage != Usage() or (limits.max_input_tokens is None and limits.max_output_tokens is None):
            return turn.usage
        read, written = (orjson.dumps(said).decode() for said in (self.messages, turn.message))
        return Usage(input_tokens=estimated(read), output_tokens=estimated(written))

    def check_turn(self) -> None:
        """Raises ModelError when the model stopped without a whole turn."""
        if not self._is_whole:
            raise ModelError("The model stopped without a whole turn.")

    def note(self, event: CallFinished, tool: Tool | None) -> None:
        """Takes the result of a call; when all have one, they follow in the order of the calls."""
        call, result = event.call, event.result
        if tool is None or not tool.policy.polling:
            # Each failure has an id of its own; that makes it no other failure.
            said = result.content if result.error_id is None else result.content.replace(result.error_id, "")
            count = self._repetition.note(call, said)
            if count >= WARN_AT:
                result = replace(result, content=f"{warning(count)}\n{result.content}")
            if count >= STOP_AT:
                self.stop_reason = StopReason.REPEATING
        if tool is not None and not tool.read_only and not event.result.is_error:
            self._repetition.something_changed(call)
        self.turn.waiting.pop(call.id, None)
        self.turn.results[call.id] = self.results.message(result)
        if self.turn.is_complete:
            self.added += self.turn.ordered_results()

    def break_off(self) -> None:
        """The time is over while the model speaks."""
        self.stop_reason = StopReason.TIMEOUT
        if self._is_whole:
            return
        self.text = "".join(self._heard)
        if self.text:
            self.added.append({"role": "assistant", "content": self.text})

    def done(self, state: str | None = None) -> Done:
        """The last event."""
        pending = [] if self.turn.is_complete else self.turn.ordered_results()
        return Done(
            messages=(*self.added, *pending),
            stop_reason=StopReason.WAITING if self.turn.waiting else self.stop_reason,
            text=self.text,
            usage=self.budget.spent.total,
            usage_by_turn=tuple(self.budget.spent.usage),
            state=state,
        )

    def to_json(self) -> str:
        """JSON text, from which `from_json` makes the same."""
        saved = {
            "id": self.id,
            "given": self.given,
            "options": self.options.to_json(),
            "spent": self.budget.spent.to_json(),
            "added": self.added,
            "turn": self.turn.to_json(),
            "text": self.text,
            "stop_reason": self.stop_reason,
            "revealed": self.revealed,
            "results": self.results.to_json(),
            "repetition": self._repetition.to_json(),
        }
        return orjson.dumps(saved).decode()

    @classmethod
    def from_json(cls, saved: str, settings: ChatSettings) -> Self:
        """What `to_json` made, with the settings that are in force now."""
        run: Mapping[str, Any] = orjson.loads(saved)
        options = RunOptions.from_json(run["options"])
        return cls(
            id=run["id"],
            given=run["given"],
            options=options,
            budget=Budget(Limits.of(settings).tightened(options.limits), Spent.from_json(run["spent"])),
            added=run["added"],
            turn=OpenTurn.from_json(run["turn"]),
            text=run["text"],
            stop_reason=StopReason(run["stop_reason"]),
            results=Results(settings, saved=run["results"]),
            revealed=run["revealed"],
            _repetition=Repetition.from_json(run["repetition"]),
        )
