"""JSON text that a model wrote → a Python dict, refused when it is no bounded, unambiguous JSON object."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import orjson

from broker.errors import InvalidArguments
from broker.schema.notes import Leniency, Noted
from broker.schema.problems import MAX_LISTED, Problem, Refused, expected, invalid, step_of_key

MAX_TEXT = 1_000_000
"""Characters of arguments, by default."""
MAX_NODES = 100_000
"""Values in all."""
MAX_DEPTH = 100
"""Messages inside messages, a map's entry being one: what protobuf's own parsers accept by default."""
MAX_ENTRIES = 10_000
"""Entries of one map."""
MAX_ATTACHED = 32 * 1024 * 1024
"""Bytes of attachments, each as often as it is given."""

_EXCERPT = 40
_MAX_SEARCHES = MAX_LISTED
_OBJECT = 'a JSON object, like {"name": "value"}'


class Reading:
    """What is found on the way through one call's arguments. (A bare class: one is made for each call.)"""

    lenient: ClassVar[bool] = True
    """Whether to read what is not ProtoJSON, but can only mean one thing."""
    ignores_unknown: ClassVar[bool] = False
    """Whether to pass over fields and names of enum values that the .proto does not know."""

    drops_unknown: ClassVar[bool] = False
    """Whether an unknown field is left out with a note, in place of being refused."""

    hides_text: bool = False
    """Whether what was written is not repeated, since it may hold a value that must not be."""
    notes: Sequence[Noted] = ()
    """How what was not exact was understood; complete when the message is there."""
    depth: int = 0
    attachments: Mapping[str, bytes] = MappingProxyType({})
    """What can be given for a bytes field by a handle that is no base64, like `image:1`."""
    attached: int = 0
    """Bytes that were given so."""
    searches: int = 0
    """How often names that are near to a wrong one were looked for."""


class DroppingReading(Reading):
    """Leaves out what the .proto does not know, and says so."""

    drops_unknown = True


class ExactReading(Reading):
    """Reads ProtoJSON as it is specified, and nothing else: https://protobuf.dev/programming-guides/json."""

    lenient = False


class TolerantReading(ExactReading):
    """ProtoJSON with its option to ignore what is unknown, as between two versions of one .proto."""

    ignores_unknown = True


class Ignored(Exception):
    """A value that a reading passes over, as if it were not given."""


def load(text: str, reading: Reading, max_text: int = MAX_TEXT) -> dict[str, Any]:
    """The object in the text; raises InvalidArguments. Keys given twice are found by `repeated_keys`.

    >>> load('{"days": 3}', Reading())
    {'days': 3}
    """
    if len(text) > max_text:
        raise _refused(f"the arguments are {len(text):,} characters long; send at most {max_text:,}.")
    try:
        loaded = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if reading.lenient and not text.strip():
            # Some models write nothing where they mean no arguments.
            reading.notes = [("", Leniency.BLANK_ARGUMENTS, "no text at all, taken as {}")]
            return {}
        raise _refused(_what_is_wrong(text, error, reading)) from None
    if type(loaded) is not dict:
        return _twice_encoded(loaded, reading)
    if len(text) > MAX_NODES:
        try:
            _count(text, loaded)
        except Refused as refused:
            raise invalid(refused.problems) from None
    return loaded


def _twice_encoded(loaded: Any, reading: Reading) -> dict[str, Any]:
    """The object in a string in the text: some models write their arguments so."""
    try:
        inner = inner_json(loaded, reading, dict)
    except Refused as refused:
        raise invalid(refused.problems) from None
    if inner is None:
        raise invalid(expected(_OBJECT, loaded, hidden=reading.hides_text).problems)
    reading.notes = [("", Leniency.JSON_TEXT, "JSON text taken as the object in it")]
    return dict(inner)


def inner_json(value: Any, reading: Reading, *kinds: type) -> Any:
    """The object or array in a string that holds JSON, when it is one of `kinds`; None for all else.

    Raises Refused where the text holds too much, or gives a key twice.
    """
    if not (reading.lenient and _is_json_text(value)):
        return None
    try:
        inner = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if type(inner) not in kinds:
        return None
    _count(value, inner)
    twice = repeated_keys(value, reading.hides_text) if value.count(":") > 1 else []
    if twice:
        raise Refused(problems=twice)
    return inner


def hides(value: Any, reading: Reading) -> bool:
    """Whether a value is JSON text that may hold what must not be repeated."""
    return reading.hides_text and _is_json_text(value)


def _is_json_text(value: Any) -> bool:
    return type(value) is str and value.lstrip()[:1] in ("{", "[")


def _refused(text: str) -> InvalidArguments:
    return invalid([("", text)])


def _what_is_wrong(text: str, error: orjson.JSONDecodeError, reading: Reading) -> str:
    start = text[error.pos :].lstrip("-")
    near = f"at character {error.pos + 1:,}{_near(text, error.pos, reading)}"
    if "unexpected end" in error.msg:
        end = f"{len(text):,} characters{_near(text, len(text), reading)}"
        return f"the arguments were cut off after {end}. Send all of them."
    if "depth limit" in error.msg:
        return f"the arguments are {too_deep()}"
    if start.startswith(("NaN", "Infinity")):
        return (
            f'NaN and Infinity are not JSON ({near}); write them as strings: "NaN", "Infinity", "-Infinity".'
        )
    return f"the arguments are not valid JSON: {error.msg}, {near}."


def _near(text: str, position: int, reading: Reading) -> str:
    if reading.hides_text:
        return ""
    start = max(0, position - _EXCERPT // 2)
    excerpt = text[start : start + _EXCERPT].encode("utf-8", "replace").decode()
    return f", near {json.dumps(excerpt, ensure_ascii=False)}"


def _count(text: str, loaded: Any) -> None:
    """Raises Refused where the text holds more values than are read."""
    # Each value but the first follows a comma, or is the first in its object or array.
    if sum(map(text.count, ",[{")) < MAX_NODES:
        return
    nodes, level = 0, [loaded]
    while level:
        nodes += len(level)
        if nodes > MAX_NODES:
            raise Refused(f"the arguments hold more than {MAX_NODES:,} values; send fewer.")
        level = [child for node in level for child in children(node)]


def children(node: Any) -> Any:
    """The values in an object or array; none for any other value."""
    if type(node) is dict:
        return node.values()
    return node if type(node) is list else ()


def enter(reading: Reading) -> None:
    """Goes one level deeper; raises Refused, having entered nothing, where there are too many."""
    if reading.depth >= MAX_DEPTH:
        raise too_deep()
    reading.depth += 1


def too_deep() -> Refused:
    """The refusal of a value at a depth that protobuf's own parsers would not read."""
    return Refused(f"nested too deep; at most {MAX_DEPTH} levels are read.")


def may_search(reading: Reading) -> bool:
    """Whether to look for names near to a wrong one: it takes long, and nobody reads all problems."""
    reading.searches += 1
    return reading.searches <= _MAX_SEARCHES


class _Twice(dict[str, Any]):
    """An object of which a key was given twice."""

    key = ""


def may_have_lost(text: str, loaded: dict[str, Any]) -> bool:
    """Whether `loaded` may lack a key of the text: of two equal keys, orjson keeps the last silently.

    >>> may_have_lost('{"a": 1, "a": 2}', {"a": 2}), may_have_lost('{"a": 1}', {"a": 1})
    (True, False)
    """
    if "\\" in text and "\\u003" in text:
        return True  # an escaped colon (\u003a) would stand in for that of a lost key
    try:
        return text.count(":") != orjson.dumps(loaded).count(b":")
    except orjson.JSONEncodeError:  # it reads 1,024 levels, and writes 254
        return True


def refusal(text: str, refused: Refused, reading: Reading) -> InvalidArguments:
    """What was refused in the text, as an error, and each key that is given twice, which may be why."""
    return invalid([*refused.problems, *repeated_keys(text, reading.hides_text)])


def refuse_repeated_keys(text: str, hidden: bool = False) -> None:
    """Raises InvalidArguments where a key is given twice in one object; names none when `hidden`."""
    twice = repeated_keys(text, hidden)
    if twice:
        raise invalid(twice)


def repeated_keys(text: str, hidden: bool = False) -> list[Problem]:
    """A problem for each object of which a key is given twice; the text must be what `load` has read.

    `hidden`: a key may be what must not be repeated, and is not.
    """
    if not text.strip():
        return []
    try:
        # Numbers stay text: Python refuses to read integers of more than 4,300 digits.
        loaded = json.loads(text, object_pairs_hook=_object, parse_int=str, parse_float=str)
    except RecursionError:
        return [("", too_deep().problems[0][1])]
    twice = [(path, node.key) for path, node in _objects(loaded) if isinstance(node, _Twice)]
    if hidden:
        return [("", "a key is given twice in one object. Give it once.")] if twice else []
    return [
        (path, f"the key {json.dumps(key, ensure_ascii=False)} is given twice in one object. Give it once.")
        for path, key in twice
    ]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    twice = _Twice(pairs)
    seen: set[str] = set()
    twice.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twice


def _objects(root: Any) -> Any:
    pending = [("", root)]
    while pending:
        path, node = pending.pop()
        if isinstance(node, dict):
            yield path, node
            pending += [(_step(path, key), child) for key, child in node.items()]
        elif isinstance(node, list):
            pending += [(f"{path}[{index}]", child) for index, child in enumerate(node)]


def _step(path: str, key: str) -> str:
    if not key.isidentifier():
        return path + step_of_key(key)
    return f"{path}.{key}" if path else key
