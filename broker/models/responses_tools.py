"""Tools and the choice among them, in the form of Chat Completions → in that of Responses, which is flat."""

from collections.abc import Container, Mapping, Sequence
from itertools import groupby
from typing import Any

from broker.models.model import ToolChoice

_TOLD = 20
"""So many tools of a namespace are named in its description."""


def flat_tools(tools: Sequence[Mapping[str, Any]], *, strict: bool = True) -> list[dict[str, Any]]:
    """The tools, each with `strict`: without it the server would try a strict schema of its own."""
    return [_flat(tool, strict) for tool in tools]


def searched_tools(
    tools: Sequence[Mapping[str, Any]], choice: ToolChoice | None, *, strict: bool = True
) -> list[dict[str, Any]]:
    """The tools in namespaces, one for each service, to be found by the server's own search.

    A tool that `choice` names is there at once. A tool keeps its whole name within its namespace.
    Source: https://developers.openai.com/api/docs/guides/tools-tool-search
    """
    named = _named(choice)
    ordered = sorted(flat_tools(tools, strict=strict), key=lambda tool: _namespace(tool["name"]))
    groups = ((name, list(group)) for name, group in groupby(ordered, lambda tool: _namespace(tool["name"])))
    return [*(_grouped(name, group, named) for name, group in groups), {"type": "tool_search"}]


def flat_choice(choice: ToolChoice) -> ToolChoice:
    """The choice as Responses has it.

    >>> flat_choice({"type": "function", "function": {"name": "a"}})
    {'type': 'function', 'name': 'a'}
    """
    if isinstance(choice, str):
        return choice
    if choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools", choice)
        tools = [flat_choice(tool) for tool in allowed["tools"]]
        return {"type": "allowed_tools", "mode": allowed.get("mode", "auto"), "tools": tools}
    return {"type": choice["type"], **choice["function"]} if "function" in choice else choice


def _flat(tool: Mapping[str, Any], strict: bool) -> dict[str, Any]:
    function = tool["function"]
    if not strict:
        return {"type": "function", **{key: value for key, value in function.items() if key != "strict"}}
    # The parameters must be there, and may be null.
    return {"type": "function", "parameters": None, "strict": False, **function}


def _grouped(name: str, tools: Sequence[dict[str, Any]], named: Container[str]) -> dict[str, Any]:
    methods = [tool["name"].removeprefix(f"{name}_") for tool in tools]
    more = f" and {len(methods) - _TOLD} more" if len(methods) > _TOLD else ""
    return {
        "type": "namespace",
        "name": name,
        "description": f"The tools of {name}: {', '.join(methods[:_TOLD])}{more}.",
        "tools": [tool if tool["name"] in named else {**tool, "defer_loading": True} for tool in tools],
    }


def _namespace(name: str) -> str:
    """The service's part of a tool's name.

    >>> _namespace("weather_v1_WeatherService_GetWeather"), _namespace("ask")
    ('weather_v1_WeatherService', 'ask_tools')
    """
    service = name.rpartition("_")[0]
    return service if service else f"{name}_tools"[:64]


def _named(choice: ToolChoice | None) -> Container[str]:
    if choice is None or isinstance(choice, str):
        return ()
    allowed = choice.get("allowed_tools", choice)
    tools = allowed.get("tools", [choice])
    return {tool.get("function", tool).get("name") for tool in tools}
