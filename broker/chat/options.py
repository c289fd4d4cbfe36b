"""What a caller asks of one run, beside its messages."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, get_args

from broker.catalog.catalog import Catalog
from broker.catalog.naming import RESERVED
from broker.chat.limits import Limits
from broker.errors import Code, ModelError, RunError
from broker.models import parameters
from broker.models.model import Mode, ToolChoice

MAX_CLIENT_TOOLS = 128
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How the model is asked in one run, and what the run may cost."""

    tools: tuple[Mapping[str, Any], ...] = ()
    """The caller's own, as Chat Completions defines them: the model calls them, the caller runs them."""
    tool_choice: ToolChoice | None = None
    """How free the model is; what is forced is forced in the first turn alone, or it would never answer."""
    parallel_tool_calls: bool | None = None
    response_format: Mapping[str, Any] | None = None
    """What the answer must look like, as Chat Completions' `response_format`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the model, over those of broker.yaml: `temperature`, `max_output_tokens` …"""
    limits: Limits = field(default_factory=Limits)
    """Each is in force where it is lower than broker.yaml's."""

    @property
    def own_names(self) -> frozenset[str]:
        """The names of the caller's own tools."""
        return frozenset(tool["function"]["name"] for tool in self.tools)

    @property
    def allowed(self) -> frozenset[str] | None:
        """The names that `tool_choice` restricts the model to, in all turns; None: no restriction."""
        if self.tool_choice == "none":
            return frozenset()
        if isinstance(self.tool_choice, Mapping) and self.tool_choice["type"] == "allowed_tools":
            return frozenset(tool["function"]["name"] for tool in self.tool_choice["allowed_tools"]["tools"])
        return None

    @property
    def forced(self) -> str | None:
        """The name of the one tool that the model must call in the first turn."""
        if isinstance(self.tool_choice, Mapping) and self.tool_choice["type"] == "function":
            return str(self.tool_choice["function"]["name"])
        return None

    def choice(self, *, first: bool, must_answer: bool) -> ToolChoice | None:
        """`tool_choice` of one turn."""
        choice = self.tool_choice
        if must_answer:
            return "none"
        if first or choice in (None, "auto", "none"):
            return choice
        if isinstance(choice, Mapping) and choice["type"] == "allowed_tools":
            restricted = {**choice["allowed_tools"], "mode": "auto"}
            return {**choice, "allowed_tools": restricted}
        return None

    def check(self, catalog: Catalog) -> None:
        """Raises RunError, worded for the caller, when this cannot be asked of a model."""
        if len(self.tools) > MAX_CLIENT_TOOLS:
            raise _refused(f"tools: {len(self.tools)} are too many. Send at most {MAX_CLIENT_TOOLS}.")
        seen: set[str] = set()
        for place, tool in enumerate(self.tools):
            name = _name(tool, f"tools[{place}]")
            if _NAME.fullmatch(name) is None:
                raise _refused(f'tools[{place}]: "{name[:128]}" is no name: 1 to 64 of A-Z a-z 0-9 _ -')
            if catalog.get(name) is not None or name in RESERVED:
                raise _refused(f'tools[{place}]: "{name}" is a tool of the broker. Give yours another name.')
            if name in seen:
                raise _refused(f'tools[{place}]: "{name}" is there twice. Give each tool its own name.')
            seen.add(name)
        for name in _chosen(self.tool_choice):
            if name not in seen and catalog.get(name) is None:
                raise _refused(f'tool_choice: there is no tool "{name[:128]}".')
        try:
            parameters.parsed(self.parameters)
        except ModelError as error:
            raise _refused(str(error)) from None

    def to_json(self) -> dict[str, Any]:
        """JSON values, from which `from_json` makes the same."""
        return asdict(self)

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        limits = Limits(**saved["limits"])
        return cls(**{**saved, "tools": tuple(saved["tools"]), "limits": limits})


def _chosen(choice: Any) -> list[str]:
    if choice is None or choice in get_args(Mode):
        return []
    kind = choice.get("type") if isinstance(choice, Mapping) else None
    if kind == "function":
        return [_name(choice, "tool_choice")]
    restricted = choice.get("allowed_tools") if kind == "allowed_tools" else None
    if isinstance(restricted, Mapping) and restricted.get("mode") in ("auto", "required"):
        tools = restricted.get("tools")
        if tools and isinstance(tools, list | tuple):
            return [_name(tool, "tool_choice.allowed_tools") for tool in tools]
    raise _refused(
        'tool_choice: send "auto", "none", "required", {"type": "function", "function": {"name": …}} or '
        '{"type": "allowed_tools", "allowed_tools": {"mode": "auto" or "required", "tools": […]}}.'
    )


def _name(tool: Any, where: str) -> str:
    function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        raise _refused(f'{where}: must be {{"type": "function", "function": {{"name": …}}}}.')
    return name


def _refused(message: str) -> RunError:
    return RunError(Code.INVALID_ARGUMENT, message)
