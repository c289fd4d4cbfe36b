"""What a server says when it refuses a request → the one tool that it refused it for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# OpenAI says `tools[3].function.parameters`, pydantic in Python servers `'tools', 3, 'function'`.
_PLACE = re.compile(r"tools\W{1,4}(\d{1,4})(?:\W{1,4}tools\W{1,4}(\d{1,4}))?")
# Gemini has one tool that holds all functions: `tools[0].function_declarations[7].parameters`.
_DECLARED = re.compile(r"function_declarations\W{1,4}(\d{1,4})")
_INVALID = re.compile(r"schema for (?:function|tool) ['\"`]([^'\"`]{1,128})['\"`]", re.IGNORECASE)
_ABOUT_A_SCHEMA = re.compile(r"schema|parameters|propert|grammar|keyword|pattern|regex", re.IGNORECASE)
_MAX_TEXT = 20_000


def refused_tool(body: Any, tools: Sequence[Mapping[str, Any]]) -> str | None:
    """The name of the tool that the `body` of the error is about; None: of none, or of several.

    `tools` are those of the request, in the form of either API.

    >>> tools = [{"type": "function", "function": {"name": "a"}}, {"type": "function", "name": "b"}]
    >>> refused_tool({"message": "Invalid schema for function 'a': no type.", "param": None}, tools)
    'a'
    >>> refused_tool({"message": "Bad.", "param": "tools[1].parameters"}, tools)
    'b'
    """
    names = set(_names(tools))
    text = str(body)[:_MAX_TEXT]
    said = _INVALID.search(text)
    if said is not None and said[1] in names:
        return said[1]
    declared = _DECLARED.search(text)
    if declared is not None:
        return _at(tools, int(declared[1]), None)
    place = _PLACE.search(text)
    if place is not None:
        return _at(tools, int(place[1]), None if place[2] is None else int(place[2]))
    if _ABOUT_A_SCHEMA.search(text) is None:
        return None
    named = names.intersection(re.findall(r"[A-Za-z0-9_-]+", text))
    return named.pop() if len(named) == 1 else None


def _names(tools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for tool in tools:
        if "tools" in tool:
            yield from _names(tool["tools"])
        else:
            name = _name(tool)
            if name is not None:
                yield name


def _at(tools: Sequence[Mapping[str, Any]], place: int, within: int | None) -> str | None:
    if place >= len(tools):
        return None
    tool = tools[place]
    if "tools" in tool:
        return None if within is None else _at(tool["tools"], within, None)
    return _name(tool)


def _name(tool: Mapping[str, Any]) -> str | None:
    name = tool.get("function", tool).get("name")
    return name if isinstance(name, str) else None
