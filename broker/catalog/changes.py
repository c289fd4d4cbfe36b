"""Two JSON Schemas of a tool's arguments → what changed, and whether right calls may have become wrong."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.config.problems import quoted

_ALL_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_WORDS = frozenset({"title", "description", "default", "examples", "deprecated", "contentEncoding"})
"""Keywords that refuse nothing."""
_LEAST = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_MOST = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ONEOF = re.compile(r"(At most|Exactly) one of: (\w+(?:, \w+)*)\.")
_MAX_SHOWN = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference between what models saw and what they see."""

    breaks: bool
    """True: a call that was right may now be refused, or mean something else."""
    what: str


def schema_changes(old: Any, new: Any, path: str = "arguments") -> list[Change]:
    """The differences of two schemas, none only when they are equal; `path` is where they stand."""
    if old == new:
        return []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [_boolean_change(old, new, path)]
    found = [change for rule in _RULES for change in rule(old, new, path)]
    ruled = _WORDS | _LEAST | _MOST | {"type", "enum", "properties", "required", *_NESTED}
    for key in sorted((old.keys() | new.keys()) - ruled):
        if old.get(key) != new.get(key):
            # What it means is not known here; only to take it away cannot refuse more.
            found.append(_change(key in new, path, _valued(key, old, new)))
    return found if found else [_change(False, path, "is written in another order")]


def _boolean_change(old: Any, new: Any, path: str) -> Change:
    """Where one of the two is True or False: any value, or none."""
    wider = old is False or new in (True, {})
    return _change(not wider, path, "takes more values" if wider else "takes fewer values")


def _words(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    for key in sorted(_WORDS):
        if old.get(key) != new.get(key):
            yield _change(False, path, _valued(key, old, new))


def _types(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    lost, won = _type_set(old) - _type_set(new), _type_set(new) - _type_set(old)
    if lost:
        yield _change(True, path, f"no longer takes {_listed(sorted(lost))}")
    if won:
        yield _change(False, path, f"takes {_listed(sorted(won))} too")


def _type_set(schema: dict[str, Any]) -> frozenset[str]:
    if "type" not in schema:
        return _ALL_TYPES
    kinds = schema["type"]
    named = frozenset([kinds] if isinstance(kinds, str) else kinds)
    return named | {"integer"} if "number" in named else named


def _enum(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    if "enum" not in old and "enum" in new:
        yield _change(True, path, f"takes only {_listed(new['enum'])}")
    elif "enum" in old and "enum" not in new:
        yield _change(False, path, "takes values that are not listed too")
    elif "enum" in old:
        if lost := [value for value in old["enum"] if value not in new["enum"]]:
            yield _change(True, path, f"no longer takes {_listed(lost)}")
        if won := [value for value in new["enum"] if value not in old["enum"]]:
            yield _change(False, path, f"takes {_listed(won)} too")


def _properties(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    required = set(new.get("required", ()))
    for name in before.keys() - after.keys():
        yield _change(True, _below(path, name), "is gone")
    for name in after.keys() - before.keys() - required:
        # Where any property was taken, one that has a schema now refuses what was taken.
        was_open = old.get("additionalProperties", True) is not False
        yield _change(was_open, _below(path, name), "is new, and optional")
    for name in before.keys() & after.keys():
        yield from schema_changes(before[name], after[name], _below(path, name))


def _required(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in after - before:
        known = name in old.get("properties", {})
        yield _change(True, _below(path, name), "is required now" if known else "is new, and required")
    for name in before - after:
        if name in new.get("properties", {}):
            yield _change(False, _below(path, name), "is optional now")


def _choices(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    """Of a oneof at most one may be given, or one must be, which a schema says in words only."""
    before, after = _oneofs(old), _oneofs(new)
    known, given = old.get("properties", {}).keys(), set(old.get("required", ()))
    for members, is_required in after.items():
        together = members & known
        if len(together) > 1 and not any(together <= group for group in before):
            yield _change(True, path, f"takes only one of {_listed(sorted(together))} now")
        was_required = any(asked and group <= members for group, asked in before.items())
        if is_required and not was_required and not members & given:
            yield _change(True, path, f"must have one of {_listed(sorted(members))} now")


def _oneofs(schema: dict[str, Any]) -> dict[frozenset[str], bool]:
    """The members of each oneof, and whether one must be given."""
    said = _ONEOF.findall(str(schema.get("description", "")))
    return {frozenset(members.split(", ")): how == "Exactly" for how, members in said}


def _bounds(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    for key in sorted(_LEAST | _MOST):
        if old.get(key) == new.get(key):
            continue
        narrower = key in new and (key not in old or (new[key] > old[key]) == (key in _LEAST))
        yield _change(narrower, path, _valued(key, old, new))


_NESTED: Mapping[str, str] = {
    "items": "[]",
    "additionalProperties": ".*",
    "propertyNames": " (its keys)",
}
"""Keywords that hold a schema → what stands for it in a path."""


def _nested(old: dict[str, Any], new: dict[str, Any], path: str) -> Iterator[Change]:
    for key, mark in _NESTED.items():
        yield from schema_changes(old.get(key, {}), new.get(key, {}), path + mark)


_RULES: Sequence[Callable[[dict[str, Any], dict[str, Any], str], Iterator[Change]]] = (
    _types,
    _enum,
    _properties,
    _required,
    _choices,
    _bounds,
    _nested,
    _words,
)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}"


def _change(breaks: bool, path: str, what: str) -> Change:
    return Change(breaks=breaks, what=f"{path}: {what}")


def _valued(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if key not in new:
        return f"{key} is gone"
    return f"{key} is now {_shown(new[key])}" + (f", was {_shown(old[key])}" if key in old else "")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return quoted(text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…")


def _listed(values: Sequence[Any]) -> str:
    more = f" and {len(values) - 10} more" if len(values) > 10 else ""
    return ", ".join(map(_shown, values[:10])) + more
