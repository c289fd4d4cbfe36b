"""The calls of a turn → what becomes of each: it is made, it waits, or it has its result already."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from broker.chat.decisions import Answers, Approve, Decision, Reject
from broker.chat.events import CallFinished
from broker.chat.journal import Journal
from broker.chat.offer import Offer
from broker.chat.run import Run
from broker.chat.turn import Waiting
from broker.dispatch import Broker
from broker.errors import Code
from broker.outcomes import Outcome, Verdict
from broker.tool import Approval, CallContext, Prepared, ToolCall, ToolResult

_CUT_OFF = (
    "This call was cut off while it was written, by a limit of output tokens or a broken stream. Nothing was "
    "sent. Make it again, with shorter arguments or with fewer calls in one turn."
)
_ANSWER_DUE = "This call was not made: an answer was due in this turn, and no call. Nothing was sent."
_UNKNOWN = (
    "This call was sent, or was about to be, when the broker stopped; its result is not known. It may have "
    "taken effect or not, and it is not sent again. Find out before you make it again, and tell the user."
)
_CHANGED = (
    "This call was not made: the request is not the one that was approved, because the tool has changed "
    "since. Nothing was sent. Make the call again, so that it can be approved as it is now."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A call that is to be made."""

    call: ToolCall
    make: Callable[[CallContext], Awaitable[ToolResult]]
    alone: bool = False
    """True: all calls before it have ended when it begins, and it has ended when those after it begin."""


@dataclass(kw_only=True, slots=True)
class Plan:
    """What becomes of the calls of a turn."""

    steps: list[Step] = field(default_factory=list)
    finished: list[CallFinished] = field(default_factory=list)
    """Those that have a result without being made."""


class Planner:
    """Decides about the calls of one turn of one run. What has to wait is put into `run.turn.waiting`."""

    def __init__(
        self, run: Run, broker: Broker, offer: Offer, journal: Journal, context: CallContext
    ) -> None:
        self._run = run
        self._broker = broker
        self._offer = offer
        self._own_tools = offer.own_tools(run)
        self._execute = journal.executing(self._send)
        self._context = context
        self._unsent: dict[str, Prepared] = {}

    def plan(self, answers: Answers) -> Plan:
        """What becomes of each call that has no result yet, in the model's order."""
        plan = Plan()
        for call in self._run.turn.open_calls:
            waiting = self._run.turn.waiting.get(call.id)
            match self._decide(call, answers):
                case Step() as step:
                    plan.steps.append(step)
                case ToolResult() as result:
                    meant = call if waiting is None else waiting.call
                    plan.finished.append(CallFinished(call=meant, result=result, seconds=0.0))
        return plan

    def account(self, event: CallFinished) -> None:
        """Tells the observers of a call that has its result without having been sent."""
        prepared = self._unsent.pop(event.call.id, None)
        if prepared is not None:
            self._note(event.call, Verdict.NOT_MADE, event.result.code, prepared)

    def give_up(self) -> None:
        """Tells the observers of the calls that nobody makes any more."""
        for prepared in self._unsent.values():
            self._note(prepared.call, Verdict.NOT_MADE, Code.CANCELLED, prepared)
        self._unsent.clear()

    def _decide(self, call: ToolCall, answers: Answers) -> Step | ToolResult | None:
        """None: it waits."""
        turn = self._run.turn
        if call.id in turn.attempted:
            return self._interrupted(call)
        if call.id in answers.results:
            return replace(answers.results[call.id], call_id=call.id)
        if call.id in turn.waiting:
            return self._go_on(turn.waiting[call.id], answers.decisions.get(call.id))
        if turn.is_final:
            return self._not_made(call, Verdict.NOT_MADE, Code.RESOURCE_EXHAUSTED, _ANSWER_DUE)
        if turn.truncated and call is turn.calls[-1]:
            return self._not_made(call, Verdict.INVALID, Code.INVALID_ARGUMENT, _CUT_OFF)
        meant = self._offer.meant(self._run, call)
        if isinstance(meant, ToolResult):
            self._note(call, Verdict.INVALID, meant.code)
            return meant
        return self._begin(meant)

    def _begin(self, call: ToolCall) -> Step | ToolResult | None:
        allowed = self._run.options.allowed
        if call.name in self._own_tools:
            make = self._own_tools[call.name]
            return Step(call=call, make=lambda _: make(call))
        if allowed is not None and call.name not in allowed:
            why = f'"{call.name}" may not be called in this conversation. Nothing was sent.'
            return self._not_made(call, Verdict.DENIED, Code.PERMISSION_DENIED, why)
        if call.name in self._run.options.own_names:
            self._run.turn.waiting[call.id] = None
            return None
        prepared = self._broker.prepare(call, self._context)
        if isinstance(prepared, ToolResult):
            return prepared
        too_many = self._run.budget.refuses(prepared.tool.name, prepared.tool)
        if too_many is not None:
            why = f"This call was not made: {too_many}. Nothing was sent. Answer with what there is."
            return self._not_made(call, Verdict.NOT_MADE, Code.RESOURCE_EXHAUSTED, why, prepared)
        if prepared.tool.policy.approval is Approval.REQUIRED:
            request = self._broker.catalog.request_json(prepared)
            self._run.turn.waiting[call.id] = Waiting.of(prepared, self._context.principal, request)
            self._note(call, Verdict.WAITING, None, prepared)
            return None
        return self._step(prepared)

    def _go_on(self, waiting: Waiting | None, decision: Decision | None) -> Step | ToolResult | None:
        """A call that waited, and is decided about now, or waits on."""
        if waiting is None or decision is None:
            return None
        if isinstance(decision, Reject):
            said = f" They say: {decision.message}" if decision.message else ""
            why = f"The user rejected this call, and nothing was sent.{said}"
            prepared = self._read(waiting)
            return self._not_made(waiting.call, Verdict.REJECTED, Code.PERMISSION_DENIED, why, prepared)
        return self._approved(waiting, decision)

    def _approved(self, waiting: Waiting, decision: Approve) -> Step | ToolResult:
        call = waiting.call
        edited = decision.arguments is not None
        sent = replace(call, arguments=decision.arguments) if decision.arguments is not None else call
        prepared = self._broker.prepare(sent, self._context)
        if isinstance(prepared, ToolResult):
            return prepared
        grant = prepared.grant(self._context.principal)
        # Who has edited the request has still agreed to one of this tool, at this backend.
        agreed = replace(waiting.grant, request_hash=grant.request_hash) if edited else waiting.grant
        if grant != agreed:
            return self._not_made(call, Verdict.NOT_MADE, Code.FAILED_PRECONDITION, _CHANGED, prepared)
        return self._step(prepared, edited=edited)

    def _step(self, prepared: Prepared, *, edited: bool = False) -> Step:
        self._unsent[prepared.call.id] = prepared
        approved = replace(prepared.grant(self._context.principal), edited=edited)

        async def make(context: CallContext) -> ToolResult:
            if prepared.tool.policy.approval is Approval.REQUIRED:
                context = replace(context, grants=(approved,))
            result = await self._execute(prepared, context)
            if not edited:
                return result
            sent = f"The user approved this call with other arguments: {prepared.call.arguments}"
            return replace(result, content=f"{sent}\n{result.content}")

        return Step(call=prepared.call, make=make, alone=not prepared.tool.read_only)

    async def _send(self, prepared: Prepared, context: CallContext) -> ToolResult:
        call_id = prepared.call.id
        self._unsent.pop(call_id, None)
        try:
            return await self._broker.execute(prepared, context)
        finally:
            self._run.turn.accounted.add(call_id)

    def _interrupted(self, call: ToolCall) -> ToolResult:
        if call.id in self._run.turn.accounted:
            return not_made(call, Code.UNKNOWN, _UNKNOWN)
        return self._not_made(call, Verdict.UNKNOWN, Code.UNKNOWN, _UNKNOWN)

    def _read(self, waiting: Waiting) -> Prepared | None:
        """What was to be sent, for the account of it; None: the tool has changed since."""
        prepared = self._broker.read(waiting.call, self._context)
        return prepared if isinstance(prepared, Prepared) else None

    def _not_made(
        self, call: ToolCall, verdict: Verdict, code: Code, why: str, prepared: Prepared | None = None
    ) -> ToolResult:
        self._note(call, verdict, code, prepared)
        return not_made(call, code, why)

    def _note(
        self, call: ToolCall, verdict: Verdict, code: Code | None, prepared: Prepared | None = None
    ) -> None:
        self._broker.note(
            Outcome(call=call, context=self._context, verdict=verdict, code=code, prepared=prepared)
        )


def not_made(call: ToolCall, code: Code, why: str) -> ToolResult:
    """The result of a call that is not made; `why` is what the model reads."""
    return ToolResult(call_id=call.id, content=why, code=code)
