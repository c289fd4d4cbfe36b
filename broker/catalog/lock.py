"""A catalog and its lockfile → what changed since somebody agreed to it, and the tools that have to wait."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.catalog.catalog import Catalog
from broker.catalog.changes import Change, schema_changes
from broker.config import lockfile
from broker.config.lockfile import LockedTool
from broker.config.problems import quoted
from broker.errors import ConfigError
from broker.tool import Tool

PROFILE = "mcp"
"""The plainest form; what it does not show, no model sees."""
_MAX_TOLD = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolChange:
    """A change of one tool."""

    backend: str
    full_name: str
    breaks: bool
    """True: a call that was right may now be refused, or mean something else."""
    what: str


def read(path: Path) -> list[LockedTool]:
    """A lockfile → its tools. Raises ConfigError with the fact and the cure."""
    try:
        return lockfile.read(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def lock(catalog: Catalog) -> list[LockedTool]:
    """All tools as models see them; those that cannot be rendered are not seen."""
    return [locked for tool in catalog if (locked := _locked(catalog, tool)) is not None]


def _locked(catalog: Catalog, tool: Tool) -> LockedTool | None:
    definition = catalog.definition(tool, PROFILE)
    if definition is None:
        return None
    return LockedTool(
        backend=tool.backend,
        full_name=tool.full_name,
        name=tool.name,
        description=definition["description"],
        input_schema=_ordered(definition["inputSchema"]),
    )


def _ordered(schema: Any) -> Any:
    """With what is required in alphabetical order: that of the fields in the .proto changes nothing."""
    if isinstance(schema, list):
        return [_ordered(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    ordered = {key: _ordered(value) for key, value in schema.items()}
    if isinstance(required := ordered.get("required"), list):
        ordered["required"] = sorted(required)
    return ordered


def changes(old: Sequence[LockedTool], new: Sequence[LockedTool]) -> list[ToolChange]:
    """What changed from one lock to another, tool by tool; within a tool, what breaks callers comes first."""
    before, after = _by_identity(old), _by_identity(new)
    return [
        ToolChange(backend=backend, full_name=full_name, breaks=change.breaks, what=change.what)
        for backend, full_name in sorted(before.keys() | after.keys())
        for change in _changes(before.get((backend, full_name)), after.get((backend, full_name)))
    ]


def _by_identity(tools: Sequence[LockedTool]) -> dict[tuple[str, str], LockedTool]:
    return {(tool.backend, tool.full_name): tool for tool in tools}


def _changes(old: LockedTool | None, new: LockedTool | None) -> list[Change]:
    if old is None:
        return [Change(breaks=False, what="is new")]
    if new is None:
        return [Change(breaks=True, what="is gone")]
    found = list(_tool_changes(old, new))
    return sorted(found, key=lambda change: (not change.breaks, change.what))


def _tool_changes(old: LockedTool, new: LockedTool) -> Iterator[Change]:
    if old.name != new.name:
        yield Change(breaks=True, what=f"is called {quoted(new.name)} now, was {quoted(old.name)}")
    if old.description != new.description:
        what = f"is described as {quoted(new.description)} now, was {quoted(old.description)}"
        yield Change(breaks=False, what=what)
    yield from schema_changes(old.input_schema, new.input_schema)


def hold_back(catalog: Catalog, path: Path) -> Catalog:
    """The catalog without those tools of reflected backends that are not as the lockfile has them.

    A server that describes itself can change what models read of it at any time; what comes from files of the
    operator's changes when the operator changes it. Raises ConfigError when the lockfile cannot be read.
    """
    known = _by_identity(read(path))
    reflected = [tool for tool in catalog if not catalog.descriptors(tool).trusted]
    reasons = {tool.name: _reason(catalog, tool, known, path) for tool in reflected}
    return catalog.without({name: reason for name, reason in reasons.items() if reason is not None})


def _reason(
    catalog: Catalog, tool: Tool, known: Mapping[tuple[str, str], LockedTool], path: Path
) -> str | None:
    new = _locked(catalog, tool)
    if new is None:
        return catalog.refused(PROFILE)[tool.name]
    old = known.get((tool.backend, tool.full_name))
    found = _changes(old, new)
    if not found:
        return None
    told = "; ".join(change.what for change in found[:_MAX_TOLD])
    more = f"; and {len(found) - _MAX_TOLD} more changes" if len(found) > _MAX_TOLD else ""
    return f"it is not as {quoted(path.name)} has it: {told}{more}. Agree to it with `broker lock`."
