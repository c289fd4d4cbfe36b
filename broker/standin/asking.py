"""The body of a Chat Completions request → what the planner needs of it, or what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from broker.standin.offer import read_offers
from broker.standin.tool_choice import read_tool_choice

_ROLES = frozenset(("system", "developer", "user", "assistant", "tool", "function"))


class BadRequest(Exception):
    """A request that cannot be answered; `param` is the part of it that is at fault."""

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What a client wants answered."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]]
    tool_choice: object
    parallel: bool
    stream: bool
    include_usage: bool


def read_asking(body: bytes) -> Asking:
    """Checks what the planner relies on; parameters that only a language model has a use for are passed over.

    >>> read_asking(b'{"messages": [{"role": "user", "content": "Hi"}]}').stream
    False
    """
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not JSON: {error}", code="invalid_json") from None
    if not isinstance(request, dict):
        raise BadRequest("the body is not a JSON object")
    tools = _objects(request, "tools")
    _check_tool_choice(request.get("tool_choice"), tools)
    options = request.get("stream_options")
    return Asking(
        messages=_messages(request),
        tools=tools,
        tool_choice=request.get("tool_choice"),
        parallel=request.get("parallel_tool_calls") is not False,
        stream=request.get("stream") is True,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _messages(request: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    messages = _objects(request, "messages")
    if not messages:
        raise BadRequest('"messages" is missing or empty; send at least one', param="messages")
    for at, message in enumerate(messages):
        role = message.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise BadRequest(
                f'"messages[{at}].role" is none of {", ".join(sorted(_ROLES))}', param=f"messages[{at}].role"
            )
        if not isinstance(message.get("tool_calls") or [], list):
            raise BadRequest(f'"messages[{at}].tool_calls" is not a list', param=f"messages[{at}].tool_calls")
    return messages


def _objects(request: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    value = request.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise BadRequest(f'"{name}" is not a list of objects', param=name)
    return value


def _check_tool_choice(value: object, tools: Sequence[Mapping[str, Any]]) -> None:
    try:
        read_tool_choice(value, [offer.name for offer in read_offers(tools)])
    except ValueError as error:
        raise BadRequest(str(error), param="tool_choice") from None
