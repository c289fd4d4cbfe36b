"""What is wrong with settings → messages: the place, the key, the fact, the cure."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value: `("backends", "weather", "expose", 0)`."""


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """Something that is wrong in a file, and the cure."""

    place: Place
    path: KeyPath = field(compare=False)
    message: str

    def line(self, file: Path) -> str:
        """`broker.yaml:12:5: tools."mail.v1.*".timeot: unknown key; did you mean "timeout"?`."""
        where = f"{file}:{self.place.line}:{self.place.column}: "
        return where + (f"{dotted(self.path)}: " if self.path else "") + self.message


def quoted(text: str) -> str:
    """The user's own text in a message: in quotes, without control characters, not too long.

    >>> print(quoted("a" * 200)[-8:], quoted("北京"))
    aaaa..." "北京"
    """
    return json.dumps(text if len(text) <= 120 else text[:120] + "...", ensure_ascii=False)


def dotted(path: KeyPath) -> str:
    """How a path is written in a message.

    >>> dotted(("tools", "mail.v1.*", "stop", 0))
    'tools."mail.v1.*".stop[0]'
    """
    parts = (f"[{key}]" if isinstance(key, int) else f".{_key(key)}" for key in path)
    return "".join(parts).removeprefix(".")


def nearest(name: str, known: Iterable[str]) -> str:
    """The cure for a misspelt name: the nearest known one, or all of them.

    >>> nearest("timeot", ["retry", "timeout"])
    'did you mean "timeout"?'
    """
    names = list(known)
    close = difflib.get_close_matches(name[:64], names, n=1)
    return f"did you mean {quoted(close[0])}?" if close else "known are " + ", ".join(map(quoted, names))


def wordings(error: ValidationError, model: type[BaseModel]) -> list[tuple[KeyPath, str]]:
    """pydantic's errors → the path and the wording of each."""
    errors = error.errors(include_url=False)
    return [
        (tuple(part for part in each["loc"] if part != "[key]"), _wording(each, model)) for each in errors
    ]


def _wording(error: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return f"unknown key; {nearest(str(error['loc'][-1]), _keys(model, error['loc']))}"
        case "missing":
            return "is missing"
        case "value_error":
            return str(context["error"])
        case "literal_error" | "enum":
            allowed = re.findall(r"'([^']*)'", context["expected"])
            return f"{quoted(str(error['input']))} is not known; {nearest(str(error['input']), allowed)}"
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return error["msg"].replace("Input should", "must")
    return _MUST_BE.get(kind.split("_")[0], error["msg"])


_MUST_BE = {
    "bool": "must be true or false",
    "int": "must be a whole number",
    "float": "must be a number",
    "finite": "must be a finite number",
    "string": "must be text; put it in quotes",
    "path": "must be a path; put it in quotes",
    "dict": "must be a mapping, `key: value`",
    "model": "must be a mapping, `key: value`",
    "tuple": "must be a list, `[one, two]`",
}
"""By the first word of pydantic's error types."""


def _keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that are allowed where `path` ends."""
    steps = iter(path[:-1])
    for step in steps:
        annotation = model.model_fields[str(step)].annotation
        model = next(_models(annotation))
        if get_origin(annotation) in (dict, tuple):
            next(steps)
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) else quoted(key)
