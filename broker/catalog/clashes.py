"""Tools that would share a name, or have one that cannot be used → an error, or one tool less.

A tool's name is the operator's (`name` in broker.yaml), its own .proto's (`(broker.v1.tool).name`), or made
of its full name. What the operator wrote, the operator mends: that is an error. What a .proto asks for can
only cost its own tool, and never takes the others down.
"""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from broker.catalog.naming import MAX_LENGTH, RESERVED
from broker.errors import CatalogError
from broker.tool import Tool

_NAME = re.compile(rf"[a-zA-Z0-9_-]{{1,{MAX_LENGTH}}}")
_OTHER_NAME = (
    "Give it another name in broker.yaml (`tools: {<full name>: {name: …}}`), its backend a `prefix`, "
    "or leave it out with `hide`."
)
_OTHER_BACKEND = "Give one of the backends a `prefix`, or leave the method out of one with `hide`."


class Origin(enum.Enum):
    """Who chose a tool's name."""

    OPERATOR = enum.auto()
    PROTO = enum.auto()
    FULL_NAME = enum.auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A tool, and who chose its name."""

    tool: Tool
    origin: Origin


def settle(named: Sequence[Named], left_out: dict[tuple[str, str], str]) -> list[Tool]:
    """The tools whose names can be used and differ, in their order; `left_out` learns why others are missing.

    Raises CatalogError for what the operator has to mend.
    """
    # Without regard to case: a model that writes the name in another case must not reach another tool.
    taken: dict[str, Named] = {}
    for each in sorted(named, key=lambda each: each.origin is Origin.PROTO):
        problem = _problem(each, taken)
        if problem is None:
            taken[each.tool.name.lower()] = each
        elif each.origin is Origin.PROTO:
            left_out[each.tool.backend, each.tool.full_name] = problem
        else:
            raise CatalogError(problem, ("backends", each.tool.backend))
    return [each.tool for each in named if taken.get(each.tool.name.lower()) is each]


def _problem(one: Named, taken: dict[str, Named]) -> str | None:
    name = one.tool.name
    if not _NAME.fullmatch(name):
        return (
            f'"{one.tool.full_name}" cannot be called "{name}": '
            f"a tool's name is 1 to {MAX_LENGTH} of A-Z a-z 0-9 _ -. Choose another `name`."
        )
    if name in RESERVED:
        return f'{_culprit(one.tool)} is called "{name}", which is the broker\'s own. {_OTHER_NAME}'
    other = taken.get(name.lower())
    if other is None:
        return None
    # `tools` knows methods by full name, and would rename both.
    cure = _OTHER_BACKEND if other.tool.full_name == one.tool.full_name else _OTHER_NAME
    return f'{_culprit(other.tool)} and {_culprit(one.tool)} would both be called "{name}". {cure}'


def _culprit(tool: Tool) -> str:
    return f'"{tool.full_name}" of backend "{tool.backend}"'
