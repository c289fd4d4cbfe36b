"""The names of tools ↔ the names by which an endpoint takes them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from broker.models.endpoints import Endpoint
from broker.models.model import ToolChoice, Turn

_LONGEST = 64


class Names:
    """Those of one request; an endpoint that takes any name gets them as they are."""

    def __init__(self, tools: Iterable[Mapping[str, Any]], endpoint: Endpoint) -> None:
        self._letter_first = endpoint.letter_first
        named = (tool["function"]["name"] for tool in tools) if endpoint.letter_first else ()
        self._ours: dict[str, str] = {self.sent(name): name for name in named}

    def sent(self, name: str) -> str:
        """As the endpoint takes it."""
        if not self._letter_first or name[:1] == "_" or name[:1].isalpha():
            return name
        return f"_{name}"[:_LONGEST]

    def ours(self, name: str) -> str:
        """As it was before it was sent."""
        return self._ours.get(name, name)

    def sent_tool(self, tool: Mapping[str, Any]) -> Mapping[str, Any]:
        """A tool by its name as the endpoint takes it."""
        if not self._letter_first:
            return tool
        function = tool["function"]
        return {**tool, "function": {**function, "name": self.sent(function["name"])}}

    def sent_choice(self, choice: ToolChoice) -> ToolChoice:
        """The choice of one tool by its name as the endpoint takes it; any other as it is."""
        if isinstance(choice, Mapping) and "function" in choice:
            return self.sent_tool(choice)
        return choice

    def restored(self, turn: Turn) -> Turn:
        """The turn with the calls by our names."""
        calls = tuple(replace(call, name=self.ours(call.name)) for call in turn.calls)
        if calls == turn.calls:
            return turn
        asked = [
            {**one, "function": {**one["function"], "name": call.name}}
            for one, call in zip(turn.message["tool_calls"], calls, strict=True)
        ]
        return replace(turn, calls=calls, message={**turn.message, "tool_calls": asked})
