"""How each call ends, for those who keep account of it."""

import enum
from collections.abc import Callable
from typing import NamedTuple, Self

from broker.errors import Code
from broker.tool import Approval, CallContext, Prepared, ToolCall


class Verdict(enum.StrEnum):
    """What was decided about a call, by a policy, by somebody, or by the broker."""

    NOT_NEEDED = "not needed"
    """Nobody has to agree to calls of this tool."""
    APPROVED = "approved"
    EDITED = "approved with other arguments"
    REJECTED = "rejected"
    """By whoever was asked."""
    DENIED = "denied"
    """By the policy, by a hook, or because nobody could be asked."""
    WAITING = "waiting"
    """For somebody's decision: another outcome follows, unless the run is never taken up again."""
    INVALID = "invalid"
    """The call was not understood."""
    NOT_MADE = "not made"
    """It was understood or not looked at, and nothing was sent: a budget, the last turn, the end of time."""
    UNKNOWN = "unknown"
    """The broker stopped while it made the call: what came of it was not seen."""


class Outcome(NamedTuple):
    """How one call ended, or that it waits. A tuple, since one is made on the way of each call."""

    call: ToolCall
    context: CallContext
    verdict: Verdict
    code: Code | None
    """Why it did not succeed; None when it did, or waits."""
    prepared: Prepared | None = None
    """The call as it was understood; None: it was not, or nobody looked at its arguments."""
    seconds: float = 0.0
    """How long it took; 0 where nothing was sent."""

    @classmethod
    def of(cls, prepared: Prepared, context: CallContext, code: Code | None, seconds: float) -> Self:
        """The outcome of a call that went through the guards."""
        return cls(prepared.call, context, _permission(prepared, context), code, prepared, seconds)


Observer = Callable[[Outcome], None]
"""Is told each outcome. It does not raise."""


def _permission(prepared: Prepared, context: CallContext) -> Verdict:
    policy = prepared.tool.policy.approval
    if policy is Approval.NEVER:
        return Verdict.NOT_NEEDED
    wanted = prepared.grant(context.principal)
    given = [grant for grant in context.grants if grant == wanted]
    if policy is Approval.DENY or not given:
        return Verdict.DENIED
    return Verdict.EDITED if given[0].edited else Verdict.APPROVED
