"""google.protobuf.FieldMask ↔ field paths, comma-separated; ProtoJSON has a spelling of its own for them."""

import re
from collections.abc import Callable
from typing import Any

from broker.schema.arguments import Reading
from broker.schema.notes import Leniency, understood
from broker.schema.problems import expected, got, quoted

_HUMP = re.compile(r"[A-Z]")
_CAMEL_PATH = re.compile(r"[A-Za-z0-9.]+")
_AFTER_UNDERSCORE = re.compile(r"_([a-z])")


def decode_mask(value: Any, reading: Reading) -> dict[str, list[str]]:
    """The paths in the .proto's spelling."""
    if not reading.lenient:
        return {"paths": _specified_paths(value)}
    return _mask(value, snake)


def decode_written(value: Any, _: Reading) -> dict[str, list[str]]:
    """The paths as they are written, in whatever spelling."""
    return _mask(value, str)


def _mask(value: Any, spell: Callable[[str], str]) -> dict[str, list[str]]:
    """Comma-separated paths, a list of them, or {"paths": [...]}."""
    given = value["paths"] if type(value) is dict and value.keys() == {"paths"} else value
    paths = [path.strip() for path in given.split(",")] if type(given) is str else given
    if paths == [""]:
        return {"paths": []}
    if type(paths) is not list or not all(type(path) is str and path for path in paths):
        raise expected('field paths, comma-separated, like "display_name,labels"', value)
    mask = {"paths": [spell(path) for path in paths]}
    if type(value) is not str:
        text = f"{got(value)} taken as {quoted(','.join(mask['paths']))}"
        raise understood(mask, Leniency.FIELD_MASK_FORM, text)
    return mask


def _specified_paths(value: Any) -> list[str]:
    """ProtoJSON has one spelling of a path, without underscores."""
    paths = value.split(",") if type(value) is str and value else []
    if type(value) is not str or not all(map(_CAMEL_PATH.fullmatch, paths)):
        raise expected('field paths in lowerCamelCase, comma-separated, like "displayName,labels"', value)
    return [snake(path) for path in paths]


def snake(path: str) -> str:
    """A path in the .proto's spelling; with an underscore it is in that already.

    >>> snake("fooBar.baz"), snake("foo_Bar")
    ('foo_bar.baz', 'foo_Bar')
    """
    return path if "_" in path or path.islower() else _HUMP.sub(lambda hump: f"_{hump[0].lower()}", path)


def encode_mask(message: Any) -> str:
    """The paths in ProtoJSON's spelling, comma-separated."""
    return ",".join(_camel(path) for path in message.paths)


def _camel(path: str) -> str:
    """ProtoJSON's spelling, or the path as it is where that spelling could not be read back."""
    if "_" not in path and path.islower():
        return path
    camel = _AFTER_UNDERSCORE.sub(lambda letter: letter[1].upper(), path)
    reads = "_" not in camel if path.islower() else reads_back(camel, path)
    return camel if reads else path


def reads_back(camel: str, path: str) -> bool:
    """Whether a path in ProtoJSON's spelling stands for `path`.

    >>> reads_back("fooBar", "foo_bar"), reads_back("a1", "a_1"), reads_back("fooBar", "fooBar")
    (True, False, False)
    """
    return "_" not in camel and snake(camel) == path
