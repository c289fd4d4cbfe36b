"""Offers gRPC services as tools to language models, from their .proto alone.

    async with broker.open("broker.yaml") as b:
        result = await b.call(ToolCall(id="call_1", name="mail_v1_MailService_Send", arguments="{}"))

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.assembly import open, open_model
    from broker.chat.loop import Chat
    from broker.config.settings import Settings
    from broker.dispatch import Broker
    from broker.errors import BrokerError, Code
    from broker.hooks import Hooks
    from broker.tool import CallContext, Policy, Prepared, Tool, ToolCall, ToolResult

_HOME = {
    "Broker": "broker.dispatch",
    "BrokerError": "broker.errors",
    "CallContext": "broker.tool",
    "Chat": "broker.chat.loop",
    "Code": "broker.errors",
    "Hooks": "broker.hooks",
    "Policy": "broker.tool",
    "Prepared": "broker.tool",
    "Settings": "broker.config.settings",
    "Tool": "broker.tool",
    "ToolCall": "broker.tool",
    "ToolResult": "broker.tool",
    "open": "broker.assembly",
    "open_model": "broker.assembly",
}

__all__ = [
    "Broker",
    "BrokerError",
    "CallContext",
    "Chat",
    "Code",
    "Hooks",
    "Policy",
    "Prepared",
    "Settings",
    "Tool",
    "ToolCall",
    "ToolResult",
    "open",
    "open_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
