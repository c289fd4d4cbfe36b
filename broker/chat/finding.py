"""The broker's own tools for catalogs that are too large to be offered: `search_tools` and `call_tool`."""

import asyncio
from collections.abc import Callable, Sequence, Set
from typing import Any

import orjson

from broker.catalog.catalog import Catalog
from broker.catalog.search import Search
from broker.errors import Code, InvalidArguments
from broker.schema import arguments
from broker.schema.definitions import definition
from broker.schema.descriptions import first_sentence
from broker.schema.problems import describe, got
from broker.tool import Tool, ToolCall, ToolResult

SEARCH = "search_tools"
CALL = "call_tool"
MAX_FOUND = 10

_QUERY = {
    "type": "string",
    "minLength": 1,
    "description": "What shall be done, in a few words: a verb and what it is about, as an API would say it.",
}
_SEARCH_SCHEMA = {
    "type": "object",
    "properties": {"query": _QUERY},
    "required": ["query"],
    "additionalProperties": False,
}
_CALL_SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": f"The name of the tool, as {SEARCH} told it."},
        "arguments": {
            "type": "object",
            "description": "The tool's own arguments, as its parameters ask for.",
        },
    },
    "required": ["name", "arguments"],
}
_NOTHING = "No tool fits. Search again in other words: a verb and a noun, as an API would call them."


class Finder:
    """Finds tools of a catalog by what they do. The index is made once, by the first search."""

    def __init__(self, catalog: Catalog) -> None:
        self._search = Search(catalog)
        self._one_at_a_time = asyncio.Lock()

    async def find(self, query: str, offered: Callable[[Tool], bool]) -> list[Tool]:
        """The tools that fit best, of those that may be offered."""
        async with self._one_at_a_time:
            # Its index takes seconds where there are thousands of tools; nobody else has to wait for it.
            found = await asyncio.to_thread(self._search.find, query, MAX_FOUND, offered=offered)
        return [one.tool for one in found]


def search_definition(number: int, profile: str, *, by_name: bool) -> dict[str, Any]:
    """`search_tools` for a catalog of `number` tools. `by_name`: what is found is called by `call_tool`."""
    then = f"Then call one with {CALL}." if by_name else "What is found can be called from the next turn on."
    about = f"Finds tools by what they do, among {number:,} that are not listed here. {then}"
    return definition(SEARCH, about, _SEARCH_SCHEMA, profile)


def call_definition(profile: str) -> dict[str, Any]:
    """`call_tool`."""
    return definition(CALL, f"Calls a tool that {SEARCH} has found.", _CALL_SCHEMA, profile)


def query_of(call: ToolCall) -> str | ToolResult:
    """What is searched for; or the result that says what to send."""
    try:
        query = arguments.load(call.arguments, arguments.Reading()).get("query")
        if isinstance(query, str) and query.strip():
            return query
        problem = "required" if query is None else f"expected some words, got {got(query)}"
        raise InvalidArguments("", [f"query: {problem}."])
    except InvalidArguments as error:
        return _refused(call, SEARCH, error.problems)


def meant_by(call: ToolCall, own_names: Set[str]) -> ToolCall | ToolResult:
    """The call that `call_tool` stands for, under the same id; or the result that says what to send.

    `own_names` are those of the caller's tools, who would not know this one's call for that of theirs.
    """
    try:
        given = arguments.load(call.arguments, arguments.Reading())
        arguments.refuse_repeated_keys(call.arguments)
    except InvalidArguments as error:
        return _refused(call, CALL, error.problems)
    name, inner = given.get("name"), given.get("arguments", {})
    if not isinstance(name, str) or not name:
        return _refused(call, CALL, ["name: required. Send the name of a tool."])
    # Some models write the arguments as JSON within a string; whether they are any is not decided here.
    if name in own_names:
        return _refused(call, CALL, [f'name: "{name}" is listed as a tool of its own. Call it by its name.'])
    try:
        text = inner if isinstance(inner, str) else orjson.dumps(inner).decode()
    except orjson.JSONEncodeError:
        return _refused(call, CALL, [f"arguments: {arguments.too_deep()}"])
    return ToolCall(id=call.id, name=name, arguments=text)


def told(call: ToolCall, found: Sequence[Tool], definitions: Sequence[Any] | None = None) -> ToolResult:
    """What a search has found, as the model reads it; `definitions` are for those that `call_tool` calls."""
    if not found:
        return ToolResult(call_id=call.id, content=_NOTHING)
    if definitions is None:
        tools: list[Any] = [{"name": tool.name, "does": first_sentence(tool.description)} for tool in found]
    else:
        tools = list(definitions)
    structured = {"tools": tools}
    return ToolResult(call_id=call.id, content=orjson.dumps(structured).decode(), structured=structured)


def _refused(call: ToolCall, name: str, problems: Sequence[str]) -> ToolResult:
    return ToolResult(call_id=call.id, content=describe(name, problems), code=Code.INVALID_ARGUMENT)
