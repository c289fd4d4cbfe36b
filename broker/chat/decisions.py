"""What somebody decided about the calls that wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from broker.chat.turn import OpenTurn
from broker.dispatch import Broker
from broker.errors import Code, RunError
from broker.tool import CallContext, ToolResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Approve:
    """The call is sent."""

    call_id: str
    arguments: str | None = None
    """JSON text: arguments in place of the model's; None: those that were shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reject:
    """The call is not sent."""

    call_id: str
    message: str = ""
    """What the model is told."""


Decision = Approve | Reject


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Decisions, and results of the caller's own tools, by id of the call."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    results: Mapping[str, ToolResult] = field(default_factory=dict)

    @classmethod
    def of(cls, decisions: Sequence[Decision], results: Sequence[ToolResult]) -> Self:
        """Raises RunError where a call has two answers."""
        by_id = {one.call_id: one for one in decisions}
        results_by_id = {one.call_id: one for one in results}
        if len(by_id) < len(decisions) or len(results_by_id) < len(results):
            raise RunError(Code.INVALID_ARGUMENT, "A call has two answers. Send one for each call.")
        return cls(decisions=by_id, results=results_by_id)

    def check(self, turn: OpenTurn, broker: Broker, context: CallContext) -> None:
        """Raises RunError unless each answer is one to a call that waits for it, and can be carried out."""
        for call_id in self.decisions:
            if turn.waiting.get(call_id) is None:
                raise _misplaced(call_id, "no call waits for a decision under this id")
        for call_id in self.results:
            if call_id not in turn.waiting or turn.waiting[call_id] is not None:
                raise _misplaced(call_id, "no call of a tool of yours waits under this id")
        for call_id, decision in self.decisions.items():
            waiting = turn.waiting[call_id]
            if waiting is not None and isinstance(decision, Approve) and decision.arguments is not None:
                edited = broker.read(replace(waiting.call, arguments=decision.arguments), context)
                if isinstance(edited, ToolResult):
                    raise _misplaced(call_id, edited.content)


def _misplaced(call_id: str, why: str) -> RunError:
    return RunError(Code.INVALID_ARGUMENT, f'"{call_id[:64]}": {why}')
