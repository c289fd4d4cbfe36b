"""The tools and the choice of a request → those that its server can be sent, and what is lost by it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.models.endpoints import Endpoint
from broker.models.model import Mode, ModelRequest, ToolChoice

_NOT_FORCED = "The model's server cannot be told that a tool must be called: the model may answer at once."


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """Tools as they are offered, in the form of Chat Completions."""

    tools: Sequence[Mapping[str, Any]]
    choice: ToolChoice | None
    """None: the model chooses."""
    notices: tuple[str, ...] = ()
    """What the user should know about it."""


def offer(request: ModelRequest, endpoint: Endpoint) -> Offer:
    """What comes nearest to the request's `tool_choice` at this endpoint."""
    tools, choice = request.tools, request.tool_choice
    if not tools or choice is None:
        return Offer(tools=tools, choice=None)
    if isinstance(choice, str):
        return _of_mode(tools, choice, endpoint)
    if choice.get("type") == "allowed_tools":
        if endpoint.allowed_tools:
            return Offer(tools=tools, choice=choice)
        allowed = choice.get("allowed_tools", choice)
        return _of_mode(_only(tools, map(_name, allowed["tools"])), allowed.get("mode", "auto"), endpoint)
    if endpoint.tool_choice == "forced":
        return Offer(tools=tools, choice=choice)
    return _of_mode(_only(tools, [_name(choice)]), "required", endpoint)


def _of_mode(tools: Sequence[Mapping[str, Any]], mode: Mode, endpoint: Endpoint) -> Offer:
    if mode == "none" and endpoint.tool_choice == "ignored":
        return Offer(tools=(), choice=None)
    if mode == "required" and endpoint.tool_choice != "forced":
        return Offer(tools=tools, choice=None, notices=(_NOT_FORCED,))
    return Offer(tools=tools, choice=None if endpoint.tool_choice == "ignored" or not tools else mode)


def _only(tools: Sequence[Mapping[str, Any]], names: Collection[str] | Any) -> list[Mapping[str, Any]]:
    wanted = set(names)
    return [tool for tool in tools if _name(tool) in wanted]


def _name(tool: Mapping[str, Any]) -> str:
    return str(tool["function"]["name"])
