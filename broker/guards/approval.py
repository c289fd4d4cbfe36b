"""Refuses calls that somebody has to agree to: nobody can be asked yet, so nothing is sent."""

from collections.abc import Awaitable

from google.protobuf.message import Message

from broker.errors import Code, ToolCallError
from broker.tool import Approval, CallContext, Invoke, Prepared, Stream


def approval(invoke: Invoke) -> Invoke:
    """Fails closed: a tool whose policy says `approval: required` is never called."""

    def guarded(prepared: Prepared, context: CallContext) -> Awaitable[Message | Stream]:
        if prepared.tool.policy.approval is not Approval.NEVER:
            raise ToolCallError(
                Code.PERMISSION_DENIED,
                f'"{prepared.tool.name}" needs somebody\'s approval, which cannot be asked for here. '
                "Nothing was sent. Tell the user what you would have done.",
            )
        return invoke(prepared, context)

    return guarded
