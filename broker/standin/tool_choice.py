"""A request's `tool_choice` → which tools may be called, and whether one must be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolChoice:
    """What the caller allows."""

    names: frozenset[str]
    required: bool = False


def read_tool_choice(value: object, offered: Sequence[str]) -> ToolChoice:
    """Every form of `tool_choice`; ValueError says what is wrong with any other.

    >>> sorted(read_tool_choice({"type": "function", "function": {"name": "a"}}, ["a", "b"]).names)
    ['a']
    >>> read_tool_choice("none", ["a"]).names
    frozenset()
    """
    if value is None or value == "auto":
        return ToolChoice(names=frozenset(offered))
    if value == "none":
        return ToolChoice(names=frozenset())
    if value == "required":
        return ToolChoice(names=frozenset(offered), required=True)
    if isinstance(value, Mapping) and value.get("type") == "function":
        return ToolChoice(names=_known([value], offered), required=True)
    allowed = value.get("allowed_tools") if isinstance(value, Mapping) else None
    if isinstance(allowed, Mapping) and isinstance(allowed.get("tools"), list):
        return ToolChoice(names=_known(allowed["tools"], offered), required=allowed.get("mode") == "required")
    raise ValueError('tool_choice is none of "auto", "none", "required", a function or allowed_tools')


def _known(entries: Sequence[object], offered: Sequence[str]) -> frozenset[str]:
    functions = [entry.get("function") if isinstance(entry, Mapping) else None for entry in entries]
    names = [str(one.get("name")) if isinstance(one, Mapping) else "" for one in functions]
    for name in names:
        if name not in offered:
            raise ValueError(f'tool_choice names "{name}", which is not among the tools')
    return frozenset(names)
