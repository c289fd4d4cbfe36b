"""A tool's JSON Schema → the flat list of values that a call of it can carry."""

import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from broker.standin.words import split_name

ITEM = "[]"
"""The part of a path that stands for an entry of a list."""

_MAX_DEPTH = 6
_MAX_PARAMETERS = 200
_MAX_NODES = 2_000
_MAX_TEXT = 2_000
_MAX_VALUES = 1_000


class Shape(enum.StrEnum):
    """What sort of value a parameter takes."""

    ENUM = "enum"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    DIGITS = "digits"
    """A whole number as a string, as 64-bit numbers are in JSON."""
    DURATION = "duration"
    DATE = "date"
    DATE_TIME = "date-time"
    DATE_PARTS = "date-parts"
    """An object of year, month and day."""
    TIME = "time"
    EMAIL = "email"
    URI = "uri"
    UUID = "uuid"
    PATTERN = "pattern"
    TEXT = "text"
    OPAQUE = "opaque"
    """What no sentence can give: bytes, a map, any value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One value of a call, however deep it lies."""

    path: tuple[str, ...]
    shape: Shape
    required: bool = False
    """Whether it must be given whenever the object that holds it is."""
    holders: tuple[tuple[str, ...], ...] = ()
    """The paths of the optional objects around it: needed only where another of their values is given."""
    nullable: bool = False
    many: bool = False
    """Whether it is a list of such values."""
    description: str = ""
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def needed(self) -> bool:
        """Whether no call can do without it."""
        return self.required and not self.holders

    @property
    def name(self) -> str:
        """The last name on its path."""
        return next((part for part in reversed(self.path) if part != ITEM), "")

    @property
    def dotted(self) -> str:
        """Its path as it is shown to a person: `book.authors[].name`."""
        return ".".join(self.path).replace(f".{ITEM}", ITEM)


_INTEGER_TEXT = re.compile(r"\^-?\[?(?:\\d|0-9)\]?[+*]\$")
_DURATION_TEXT = re.compile(r"\^-?\[?.{2,12}\]?\+.{0,40}s\$")
_EXAMPLE_LEADS = (
    r"(?:\be\.g\.|\bfor example\b|\bsuch as\b|\blike\b|\bexamples?:|例如|比如|譬如|示例|如(?![果何需]))"
)
_EXAMPLE_TEXT = re.compile(
    rf"{_EXAMPLE_LEADS}[:：,，]?\s?"
    r"([^\s,，;；、。()（）\"“「]{1,60}(?:,? (?-i:[A-Z])[\w-]{0,30}){0,4})",
    re.IGNORECASE,
)
_QUOTED_TEXT = re.compile(r'"([^"\n]{1,60})"|“([^”\n]{1,60})”|「([^」\n]{1,60})」|`([^`\n]{1,60})`')
_EXAMPLE_PART = re.compile(rf"{_EXAMPLE_LEADS}[^.。\n]{{0,200}}", re.IGNORECASE)

_BY_FORMAT = {
    "date": Shape.DATE, "date-time": Shape.DATE_TIME, "time": Shape.TIME, "email": Shape.EMAIL,
    "uri": Shape.URI, "uuid": Shape.UUID, "duration": Shape.DURATION,
}  # fmt: skip
_BY_TYPE = {"boolean": Shape.BOOLEAN, "integer": Shape.INTEGER, "number": Shape.NUMBER}
_BY_EXAMPLE = (
    (re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*"), Shape.DATE_TIME),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), Shape.DATE),
    (re.compile(r"\d{1,2}:\d{2}"), Shape.TIME),
    (re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), Shape.EMAIL),
    (re.compile(r"[a-z]+://\S+"), Shape.URI),
    (re.compile(r"-?\d+(\.\d+)?s"), Shape.DURATION),
)
_WHEN = frozenset({Shape.DATE_TIME, Shape.DATE, Shape.TIME})
_BY_NAME = {"email": Shape.EMAIL, "url": Shape.URI, "uri": Shape.URI, "date": Shape.DATE, "uuid": Shape.UUID}


def read_parameters(schema: object) -> tuple[Parameter, ...]:
    """Every value of a JSON Schema's object, in its order; at most 200, at most 6 objects deep.

    >>> schema = {"type": "object", "required": ["day"], "properties": {
    ...     "day": {"type": "string", "description": "The day, e.g. 2024-05-01."},
    ...     "tags": {"type": "array", "items": {"type": "string"}}}}
    >>> [(one.dotted, str(one.shape), one.required) for one in read_parameters(schema)]
    [('day', 'date', True), ('tags[]', 'text', False)]
    """
    if not isinstance(schema, Mapping):
        return ()
    definitions = schema.get("$defs")
    walk = _Walk(definitions if isinstance(definitions, Mapping) else {})
    found = []
    for parameter in walk.members(schema, Parameter(path=(), shape=Shape.OPAQUE), 0):
        found.append(parameter)
        if len(found) == _MAX_PARAMETERS:
            break
    return tuple(found)


def without_examples(description: str) -> str:
    """A description less its examples, whose words are values and say nothing about the tool.

    >>> without_examples('The tree, e.g. "oak" or "橡树". In full.')
    'The tree, . In full.'
    """
    return _QUOTED_TEXT.sub(" ", _EXAMPLE_PART.sub("", description))


@dataclass(slots=True)
class _Walk:
    definitions: Mapping[str, Any]
    visited: int = 0

    def members(self, schema: Mapping[str, Any], holder: Parameter, depth: int) -> Iterator[Parameter]:
        """The parameters of an object's properties."""
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, Mapping) or depth > _MAX_DEPTH:
            return
        needed = required if isinstance(required, list) else []
        for name, member in properties.items():
            self.visited += 1
            if self.visited > _MAX_NODES:  # references can make a small schema very wide
                return
            resolved, nullable = self.resolve(member)
            parameter = Parameter(
                path=(*holder.path, str(name)),
                shape=Shape.OPAQUE,
                required=name in needed and not nullable,
                holders=holder.holders,
                nullable=name in needed and nullable,
                description=str(resolved.get("description", ""))[:_MAX_TEXT],
            )
            yield from self.parameters(resolved, parameter, depth)

    def parameters(self, schema: Mapping[str, Any], parameter: Parameter, depth: int) -> Iterator[Parameter]:
        """The parameters that one property stands for: itself, or those within it."""
        kind = schema.get("type")
        if kind == "object" and not _is_date(schema):
            holders = parameter.holders if parameter.required else (*parameter.holders, parameter.path)
            yield from self.members(schema, replace(parameter, holders=holders), depth + 1)
            if parameter.nullable or (parameter.required and not schema.get("properties")):
                yield parameter
        elif kind == "array":
            items, _ = self.resolve(schema.get("items"))
            description = parameter.description + " " + str(items.get("description", ""))[:_MAX_TEXT]
            inner = replace(
                parameter, path=(*parameter.path, ITEM), many=True, description=description.strip()
            )
            if depth <= _MAX_DEPTH:
                yield from self.parameters(items, inner, depth + 1)
        else:
            yield _scalar(schema, parameter)

    def resolve(self, schema: object) -> tuple[Mapping[str, Any], bool]:
        """A schema without its reference and its null, and whether it may be null."""
        nullable = False
        for _ in range(_MAX_DEPTH):
            if not isinstance(schema, Mapping):
                return {}, nullable
            kind, branches, reference = schema.get("type"), schema.get("anyOf"), schema.get("$ref")
            if isinstance(kind, list):
                nullable = nullable or "null" in kind
                types = [one for one in kind if one != "null"]
                schema = {**schema, "type": types[0] if len(types) == 1 else None}
            elif isinstance(branches, list):
                real = [one for one in branches if isinstance(one, Mapping) and one.get("type") != "null"]
                nullable = nullable or len(real) < len(branches)
                rest = {key: value for key, value in schema.items() if key != "anyOf"}
                schema = {**(real[0] if real else {}), **rest}
            elif isinstance(reference, str):
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                target = self.definitions.get(reference.removeprefix("#/$defs/"))
                schema = {**(target if isinstance(target, Mapping) else {}), **rest}
            else:
                return schema, nullable
        return {}, nullable


def _scalar(schema: Mapping[str, Any], parameter: Parameter) -> Parameter:
    choices = schema.get("enum")
    names = [one for one in choices if isinstance(one, str)] if isinstance(choices, list) else []
    if names:
        return replace(parameter, shape=Shape.ENUM, choices=tuple(names[:_MAX_VALUES]))
    examples = _examples(schema, parameter.description)
    pattern = schema.get("pattern")
    filled = replace(parameter, examples=examples, pattern=pattern if isinstance(pattern, str) else "")
    return replace(filled, shape=_shape(schema, filled))


def _shape(schema: Mapping[str, Any], parameter: Parameter) -> Shape:
    kind, name = schema.get("type"), split_name(parameter.name)
    if _is_date(schema):
        return Shape.DATE_PARTS
    if kind in _BY_TYPE:
        return _BY_TYPE[str(kind)]
    if kind != "string" or "contentEncoding" in schema:
        return Shape.OPAQUE
    if str(schema.get("format")) in _BY_FORMAT:
        return _BY_FORMAT[str(schema["format"])]
    by_example = _example_shape(parameter.examples)
    if parameter.pattern:
        # An example says what a pattern only spells.
        return by_example if by_example in _WHEN else _pattern_shape(parameter.pattern)
    if by_example is not None:
        return by_example
    if name and name[-1] in _BY_NAME and not parameter.examples:
        return _BY_NAME[name[-1]]
    return Shape.TEXT


def _example_shape(examples: Sequence[str]) -> Shape | None:
    shapes = (shape for example in examples for pattern, shape in _BY_EXAMPLE if pattern.fullmatch(example))
    return next(shapes, None)


def _pattern_shape(pattern: str) -> Shape:
    if _INTEGER_TEXT.fullmatch(pattern):
        return Shape.DIGITS
    if _DURATION_TEXT.fullmatch(pattern):
        return Shape.DURATION
    return Shape.PATTERN


def _examples(schema: Mapping[str, Any], description: str) -> tuple[str, ...]:
    given = schema.get("examples")
    listed = [one[:_MAX_TEXT] for one in given if isinstance(one, str)] if isinstance(given, list) else []
    quoted = [next(filter(None, match)) for match in _QUOTED_TEXT.findall(description)]
    bare = [match.rstrip(".") for match in _EXAMPLE_TEXT.findall(description)]
    return tuple(dict.fromkeys((*listed, *quoted, *bare)))


def _is_date(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties")
    return isinstance(properties, Mapping) and set(properties) == {"year", "month", "day"}
