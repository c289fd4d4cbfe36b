"""Lets a call pass that nobody has to agree to, or that somebody has agreed to as it stands."""

from collections.abc import Awaitable

from google.protobuf.message import Message

from broker.config.settings import Settings
from broker.errors import Code, ToolCallError
from broker.tool import Approval, CallContext, Invoke, Prepared, Stream

_NOT_SENT = "Nothing was sent. Tell the user what you would have done."


def approval(invoke: Invoke, _: Settings) -> Invoke:
    """Fails closed: where a policy asks for approval, the context has to hold a grant of exactly this call.

    A grant names the call, the tool, the hash of the request and the principal: a grant of other arguments,
    or of somebody else, is none.
    """

    def guarded(prepared: Prepared, context: CallContext) -> Awaitable[Message | Stream]:
        match prepared.tool.policy.approval:
            case Approval.NEVER:
                return invoke(prepared, context)
            case Approval.REQUIRED if prepared.grant(context.principal) in context.grants:
                return invoke(prepared, context)
            case Approval.REQUIRED:
                why = "needs somebody's approval, which cannot be asked for here"
            case _:
                why = "is not allowed here, and nobody can approve it"
        raise ToolCallError(Code.PERMISSION_DENIED, f'"{prepared.tool.name}" {why}. {_NOT_SENT}')

    return guarded
