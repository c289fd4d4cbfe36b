"""What the model is asked in one turn: with which tools, how free to call them, with what parameters."""

from collections.abc import Callable, Mapping
from typing import Any

from broker.catalog.catalog import Catalog
from broker.chat.run import Run
from broker.config.settings import ChatSettings
from broker.errors import ModelError
from broker.models.model import ModelRequest, Notice
from broker.tool import ToolCall, ToolResult

_MAX_REFUSED = 10


class Offer:
    """The tools of a catalog, as one model takes them. It remembers those that the model's server refuses."""

    def __init__(self, catalog: Catalog, profile: str, settings: ChatSettings) -> None:
        self._catalog = catalog
        self._profile = profile
        self._settings = settings
        self._refused: set[str] = set()

    def request(self, run: Run) -> ModelRequest:
        """What the model is asked in the turn of the run that comes."""
        options = run.options
        tools = [*self._tools(), *options.tools]
        choice = options.choice(first=run.budget.spent.turns == 0, must_answer=run.must_answer)
        return ModelRequest(
            messages=run.conversation(),
            tools=tools,
            tool_choice=choice if tools else None,
            parallel_tool_calls=options.parallel_tool_calls,
            response_format=options.response_format,
            parameters=_parameters(run),
        )

    def own_tools(self) -> Mapping[str, Callable[[ToolCall], ToolResult]]:
        """The tools of the loop itself, by name."""
        return {}

    def without_refused(self, error: ModelError) -> Notice | None:
        """Leaves out the tool whose definition the server does not accept; None where it names none."""
        name = error.refused_tool
        if name is None or name in self._refused or len(self._refused) >= _MAX_REFUSED:
            return None
        if self._catalog.get(name) is None:
            return None
        self._refused.add(name)
        return Notice(text=f'"{name}" is not offered any more: {error}')

    def _tools(self) -> list[dict[str, Any]]:
        offered = (tool for tool in self._catalog if tool.name not in self._refused)
        definitions = (self._catalog.definition(tool, self._profile) for tool in offered)
        return [definition for definition in definitions if definition is not None]


def _parameters(run: Run) -> Mapping[str, Any]:
    parameters = dict(run.options.parameters)
    left = run.budget.output_tokens_left
    if left is not None:
        asked = parameters.get("max_output_tokens")
        parameters["max_output_tokens"] = left if asked is None else min(left, asked)
    return parameters
