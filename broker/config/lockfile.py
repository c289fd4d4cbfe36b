"""A lockfile: what models saw of each tool when somebody last agreed to it.

It is written for reviewers: one tool after the other, sorted, one line for each value. Each tool has a hash
of all the rest, so that one that was edited or merged by hand is not taken for one that was agreed to.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from broker.config.problems import quoted

VERSION = 1
MAX_BYTES = 256 * 1024 * 1024
_CURE = "write it anew with `broker lock`"


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedTool:
    """One tool as models see it; `backend` and `full_name` are its identity."""

    backend: str
    full_name: str
    name: str
    description: str
    input_schema: Mapping[str, Any]
    """In the profile `mcp`."""

    @property
    def hash(self) -> str:
        """`sha256:…` of all of it; the order of keys does not matter."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def dump(tools: Sequence[LockedTool]) -> str:
    """Tools → the text of a lockfile; the same for the same tools, in whatever order they come."""
    ordered = sorted(tools, key=lambda tool: (tool.backend, tool.full_name))
    entries = [{**asdict(tool), "hash": tool.hash} for tool in ordered]
    content = {"version": VERSION, "tools": entries}
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def read(path: Path) -> list[LockedTool]:
    """A lockfile → its tools. Raises ValueError with the fact and the cure."""
    file = f"the lockfile {quoted(str(path))}"
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ValueError(f"{file} does not exist; {_CURE}") from None
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}; {_CURE}") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"{file} is larger than {MAX_BYTES:,} bytes; {_CURE}")
    try:
        return _tools(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} cannot be used: {error}; {_CURE}") from None


def _tools(content: Any) -> list[LockedTool]:
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ValueError(f"it has not the form of version {VERSION}")
    entries = content.get("tools")
    if not isinstance(entries, list):
        raise ValueError('it has no list of "tools"')
    return [_tool(entry) for entry in entries]


def _tool(entry: Any) -> LockedTool:
    kinds = {"backend": str, "full_name": str, "name": str, "description": str, "input_schema": dict}
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), kinds[key]) for key in kinds):
        raise ValueError(f"each of its tools needs {', '.join(map(quoted, kinds))}")
    tool = LockedTool(**{key: entry[key] for key in kinds})
    if entry.get("hash") != tool.hash:
        raise ValueError(f"the hash of {quoted(tool.full_name)} is not that of what it says")
    return tool
