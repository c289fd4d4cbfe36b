"""Where a value lies in a JSON value, written as in JavaScript: `items[3].body`, `labels["a.b"]`."""

import json
import re
from itertools import islice
from typing import Any

from broker.schema.problems import quoted, suggestion

_STEP = re.compile(r'\.?([^.\[\]"\s]+)|\[(\d{1,15})\]|\[("(?:[^"\\]|\\.)*")\]', re.DOTALL)
_MAX_KEYS = 20
"""Keys that an error names."""
_COMPARED = 200
"""Keys among which the nearest to a wrong one is looked for."""


class NoSuchPath(Exception):
    """A path that leads nowhere; the text says what is there instead."""


def below(path: str, key: str | int) -> str:
    """The path of what lies at a key, or at an index, of the value at `path`.

    >>> below("items", 3), below("items[3]", "body"), below("", "a.b")
    ('items[3]', 'items[3].body', '["a.b"]')
    """
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not key.isidentifier():
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def find(value: Any, path: str) -> Any:
    """The value at a path; raises NoSuchPath.

    >>> find({"items": [{"a.b": 1}]}, 'items[0]["a.b"]')
    1
    """
    end = 0
    for match in _STEP.finditer(path):
        if match.start() != end:
            break
        value = _step(value, match, path[:end])
        end = match.end()
    if end != len(path):
        raise NoSuchPath(
            f"the path cannot be read from character {end + 1:,} on ({quoted(path[end:])}); "
            'write it like items[3].body, or labels["a.b"] where a key has other signs'
        )
    return value


def _step(value: Any, match: re.Match[str], path: str) -> Any:
    name, index, key = match.groups()
    if index is not None and isinstance(value, list):
        if int(index) >= len(value):
            raise NoSuchPath(f"{_named(path)} has {len(value):,} members, counted from 0")
        return value[int(index)]
    wanted = _unquoted(key) if key is not None else name if name is not None else index
    if isinstance(value, dict):
        return _member(value, wanted, path)
    kind = f"a list of {len(value):,} members" if isinstance(value, list) else "neither an object nor a list"
    raise NoSuchPath(f"{_named(path)} is {kind}, and has no {quoted(wanted)}")


def _unquoted(key: str) -> str:
    try:
        return str(json.loads(key))
    except ValueError:
        return key


def _member(value: dict[str, Any], key: str, path: str) -> Any:
    if key in value:
        return value[key]
    known = [name for name in islice(value, _COMPARED) if len(name) <= _COMPARED]
    shown = ", ".join(map(quoted, islice(value, _MAX_KEYS)))
    more = f" and {len(value) - _MAX_KEYS:,} more" if len(value) > _MAX_KEYS else ""
    keys = f"its keys are: {shown}{more}" if value else "it is empty"
    raise NoSuchPath(f"{_named(path)} has no {quoted(key)}; {keys}.{suggestion(key, known)}")


def _named(path: str) -> str:
    return quoted(path) if path else "the result"
