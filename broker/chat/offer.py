"""What the model is asked in one turn: with which tools, how free to call them, with what parameters."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal

from broker.catalog.catalog import Catalog
from broker.catalog.policy import fits_any
from broker.chat import finding, read_result
from broker.chat.finding import Finder
from broker.chat.run import Run
from broker.config.settings import ChatSettings
from broker.errors import ModelError
from broker.models.model import Model, ModelRequest, Notice, ToolChoice
from broker.tool import Tool, ToolCall, ToolResult

Mode = Literal["all", "reveal", "dispatch"]
"""All tools are offered; or those that a search has found; or one tool that calls any other by its name."""
OwnTools = Mapping[str, Callable[[ToolCall], Awaitable[ToolResult]]]
"""The tools of the loop itself, by name."""

_MAX_REFUSED = 10
_MAX_TOOLS = 128
"""So many at once where the model's server names no limit: most models do worse with more."""


class Offer:
    """The tools of a catalog, as one model takes them. It remembers those that the model's server refuses."""

    def __init__(self, catalog: Catalog, model: Model, settings: ChatSettings) -> None:
        self._catalog = catalog
        self._model = model
        self._settings = settings
        self._finder = Finder(catalog)
        self._refused: set[str] = set()

    def request(self, run: Run) -> ModelRequest:
        """What the model is asked in the turn of the run that comes."""
        options = run.options
        tools = [*self._definitions(run), *options.tools]
        return ModelRequest(
            messages=run.conversation(),
            tools=tools,
            tool_choice=self._choice(run) if tools else None,
            parallel_tool_calls=options.parallel_tool_calls,
            response_format=options.response_format,
            parameters=_parameters(run),
        )

    def _choice(self, run: Run) -> ToolChoice | None:
        """Among the tools that are offered: servers refuse names that are not on the list."""
        choice = run.options.choice(first=run.budget.spent.turns == 0, must_answer=run.must_answer)
        if not isinstance(choice, Mapping):
            return choice
        if choice["type"] == "function":
            return None if choice["function"]["name"] in self._refused else choice
        allowed = choice["allowed_tools"]
        if self._mode(run) != "all":
            # No search finds another tool than these.
            mode: ToolChoice = allowed["mode"]
            return mode
        left = [tool for tool in allowed["tools"] if tool["function"]["name"] not in self._refused]
        if not left:
            return "none"
        # What a tool that may be called has answered may be read to its end.
        reading = [{"type": "function", "function": {"name": read_result.NAME}}]
        left += reading if run.results.can_be_read_on else []
        return {**choice, "allowed_tools": {**allowed, "tools": left}}

    def own_tools(self, run: Run) -> OwnTools:
        """The tools of the loop itself."""

        async def search(call: ToolCall) -> ToolResult:
            return await self._search(run, call)

        own: dict[str, Callable[[ToolCall], Awaitable[ToolResult]]] = {
            read_result.NAME: run.results.read,
        }
        return own if self._mode(run) == "all" else {**own, finding.SEARCH: search}

    def meant(self, run: Run, call: ToolCall) -> ToolCall | ToolResult:
        """The call that is meant: that of `call_tool` is one of another tool."""
        if self._mode(run) != "dispatch" or call.name != finding.CALL:
            return call
        return finding.meant_by(call, run.options.own_names)

    def without_refused(self, error: ModelError) -> Notice | None:
        """Leaves out the tool whose definition the server does not accept; None where it names none."""
        name = error.refused_tool
        if name is None or name in self._refused or len(self._refused) >= _MAX_REFUSED:
            return None
        if self._catalog.get(name) is None:
            return None
        self._refused.add(name)
        return Notice(text=f'"{name}" is not offered any more: {error}')

    def _mode(self, run: Run) -> Mode:
        wanted = self._settings.tool_search
        if wanted == "off":
            return "all"
        if wanted == "auto":
            allowed = run.options.allowed
            number = len(self._catalog) if allowed is None else len(allowed)
            return "all" if number + len(run.options.tools) <= self._limit else "reveal"
        return wanted

    def _definitions(self, run: Run) -> list[dict[str, Any]]:
        profile, mode = self._model.profile, self._mode(run)
        if mode == "all":
            definitions = self._defined(self._all(run))
        else:
            by_name = mode == "dispatch"
            number = len(self._catalog)
            own = [finding.search_definition(number, profile, by_name=by_name)]
            own += [finding.call_definition(profile)] if by_name else []
            always = self._always(run)
            definitions = [*self._defined(always), *own]
            definitions += [] if by_name else self._defined(self._revealed(run, always))
        if run.results.can_be_read_on:
            definitions.append(read_result.definition(profile))
        return definitions

    def _defined(self, tools: Iterable[Tool]) -> list[dict[str, Any]]:
        definitions = (self._catalog.definition(tool, self._model.profile) for tool in tools)
        return [definition for definition in definitions if definition is not None]

    @property
    def _limit(self) -> int:
        """How many tools may be offered at once."""
        if self._settings.max_tools is not None:
            return self._settings.max_tools
        return _MAX_TOOLS if self._model.max_tools is None else self._model.max_tools

    def _all(self, run: Run) -> list[Tool]:
        if len(self._catalog) <= self._limit:
            # `allowed_tools` restricts the model without another list, which its server would read anew.
            return [tool for tool in self._catalog if tool.name not in self._refused]
        return list(filter(self._may_find(run), self._catalog))

    def _may_find(self, run: Run) -> Callable[[Tool], bool]:
        # Asked of each tool of a catalog, so what the caller allows is read once.
        allowed = run.options.allowed
        return lambda tool: tool.name not in self._refused and (allowed is None or tool.name in allowed)

    def _always(self, run: Run) -> list[Tool]:
        patterns, forced = self._settings.always_offered, run.options.forced
        if not patterns and forced is None:
            return []
        always = (tool for tool in self._catalog if tool.name == forced or fits_any(tool.full_name, patterns))
        return list(filter(self._may_find(run), always))

    def _revealed(self, run: Run, always: Iterable[Tool]) -> list[Tool]:
        shown, may_find = {tool.name for tool in always}, self._may_find(run)
        found = (self._catalog.get(name) for name in run.revealed if name not in shown)
        return [tool for tool in found if tool is not None and may_find(tool)]

    async def _search(self, run: Run, call: ToolCall) -> ToolResult:
        query = finding.query_of(call)
        if isinstance(query, ToolResult):
            return query
        found = await self._finder.find(query, self._may_find(run))
        if self._mode(run) == "dispatch":
            return finding.told(call, found, self._defined(found))
        run.reveal([tool.name for tool in found])
        return finding.told(call, found)


def _parameters(run: Run) -> Mapping[str, Any]:
    parameters = dict(run.options.parameters)
    left = run.budget.output_tokens_left
    if left is not None:
        asked = parameters.get("max_output_tokens")
        parameters["max_output_tokens"] = left if asked is None else min(left, asked)
    return parameters
