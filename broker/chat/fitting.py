"""A result that is too long for a conversation → what fits, in the same shape, with a count of what does not.

What is missing is marked where it is missing, in brackets, as in `[997 more members: path=items offset=3]`;
path and offset are what `read_result` takes. Nothing but the limit and the result decides what is shown.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from broker.catalog.tokens import BYTES_PER_TOKEN
from broker.chat.paths import below

MIN_LIMIT = 1_000
"""Bytes; with less, the remarks on what is missing would leave no room for what is there."""
_MIN_SHARE = 64
"""Bytes that each shown value gets at least, if it is not shorter."""
_MOST_MEMBERS_CUT = 4
"""A list shows no more members than this when all of them have to be cut."""
_MOST_FIELDS_CUT = 64
"""The same of an object."""
_ROUNDS = 4
"""How often room that short values leave is shared out anew among the long ones."""
_TAIL = 400
"""Bytes; a text that gets as many keeps its end too, where logs and errors say what matters."""
_MAX_DEPTH = 200
"""Containers in containers that are cut open: 100 messages, each in a list, as deep as protobuf reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of a value that was asked for from some place on."""

    value: Any
    unit: str
    """What is counted: `members` of a list, `keys` of an object, `characters` of a string."""
    count: int
    total: int


def limit_of(max_bytes: int, max_tokens: int) -> int:
    """Bytes of UTF-8 that keep to both; at least MIN_LIMIT.

    >>> limit_of(50_000, 10_000)
    45700
    """
    return max(MIN_LIMIT, min(max_bytes, int(max_tokens * BYTES_PER_TOKEN)))


def fits(text: str, limit: int) -> bool:
    """Whether a text has at most `limit` bytes; a character has up to four, so most need no counting."""
    return len(text) * 4 <= limit or (len(text) <= limit and _utf8_size(text) <= limit)


def fit_json(value: Mapping[str, Any], limit: int, handle: str | None) -> str:
    """JSON values → JSON text of at most `limit` bytes (MIN_LIMIT or more); a key `[cut]` says what to do.

    `handle` is what the whole can be read by; None: it is not kept.
    """
    note = _free_key("[cut]", value)
    head = {note: _note(len(orjson.dumps(value)), "the path and the offset", handle)}
    room = limit - len(orjson.dumps(head))
    body = _object(value, room, None if handle is None else "", 0)
    return orjson.dumps({**head, **body}).decode()


def fit_text(text: str, limit: int, handle: str | None) -> str:
    """A text → its beginning and its end, in at most `limit` bytes (MIN_LIMIT or more)."""
    note = _note(_utf8_size(text), "the offset", handle)
    room = limit - _utf8_size(note) - 2
    return f"{note}\n\n{_string(text, room, None if handle is None else '', _utf8_size)}"


def page(value: Any, limit: int, path: str, offset: int) -> Page:
    """What fits of the value, which lies at `path`, from `offset` on: at least one member, key or character.

    `limit` is in bytes of JSON.
    """
    room = limit - 2
    if isinstance(value, str):
        part = _head(value[offset : offset + room], room, _json_text_size)
        return Page(value=part, unit="characters", count=len(part), total=len(value))
    if isinstance(value, list):
        taken = _taken(_members(value, offset), room, room // _MOST_MEMBERS_CUT)
        members = _filled(taken, room, path, 0)
        return Page(value=members, unit="members", count=len(taken), total=len(value))
    if isinstance(value, dict):
        taken = _taken(_fields(value, offset), room, room // _MOST_FIELDS_CUT)
        fields = _keyed(taken, _filled(taken, room, path, 0))
        # A key that is longer than a page cannot be shown; the next page begins after it.
        return Page(value=fields, unit="keys", count=len(taken) or min(1, len(value)), total=len(value))
    return Page(value=value, unit="value", count=1, total=1)


def _note(size: int, where: str, handle: str | None) -> str:
    fact = f"This result has {size:,} bytes and is cut to fit."
    if handle is None:
        return f"{fact} What is missing is not kept: ask for less, by a filter, a page size or fewer fields."
    return f"{fact} To read what is missing, call read_result with handle={handle} and {where} in [brackets]."


def _cut(value: Any, room: int, at: str | None, depth: int) -> Any:
    """The value in at most `room` bytes, _MIN_SHARE or more; `at` is its path, None if it is of no use."""
    if _json_size(value, room) <= room:
        return value
    made: Any = None
    if isinstance(value, str):
        made = _string(value, room - 2, at, _json_text_size)
    elif isinstance(value, list) and depth < _MAX_DEPTH:
        made = _list(value, room, at, depth)
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        made = _object(value, room, at, depth)
    if made is not None and _json_size(made, room) <= room:
        return made
    forms = (f"[{_kind(value)}{_where(at)}]", f"[{_kind(value)}]")
    return next((form for form in forms if len(orjson.dumps(form)) <= room), "…")


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"a string of {len(value):,} characters"
    if isinstance(value, list):
        return f"a list of {len(value):,} members"
    return f"an object with {len(value):,} keys" if isinstance(value, dict) else "a number"


def _where(at: str | None, offset: int | None = None) -> str:
    """What `read_result` takes to go on, after a colon; nothing where there is nothing to read."""
    path = [f"path={at}"] if at else []
    place = [] if offset is None else [f"offset={offset}"]
    return "" if at is None or not path + place else f": {' '.join(path + place)}"


def _more(count: int, unit: str, at: str | None, offset: int) -> str:
    return f"[{count:,} more {unit}{_where(at, offset)}]"


def _short_enough(at: str | None, total: int, room: int) -> str | None:
    """The path, unless a remark with it would take half of the room."""
    return at if len(orjson.dumps(_more(total, "characters", at, total))) * 2 <= room else None


def _string(text: str, room: int, at: str | None, size: Callable[[str], int]) -> str:
    at = _short_enough(at, len(text), room)
    left = room - size(f"… {_more(len(text), 'characters', at, len(text))} …")
    tail = _tail(text, left // 4, size) if left >= _TAIL else ""
    head = _head(text, left - size(tail), size)
    marker = _more(len(text) - len(head) - len(tail), "characters", at, len(head))
    return f"{head}… {marker} …{tail}" if tail else f"{head}… {marker}"


def _head(text: str, room: int, size: Callable[[str], int]) -> str:
    """The longest beginning that has at most `room` bytes."""
    lengths = range(min(len(text), max(0, room)) + 1)
    return text[: bisect_right(lengths, room, key=lambda length: size(text[:length])) - 1] if lengths else ""


def _tail(text: str, room: int, size: Callable[[str], int]) -> str:
    start = len(text)
    lengths = range(min(len(text), max(0, room)) + 1)
    return text[start + 1 - bisect_right(lengths, room, key=lambda length: size(text[start - length :])) :]


def _list(items: Sequence[Any], room: int, at: str | None, depth: int) -> list[Any]:
    room -= 2
    taken = _taken(_members(items), room, room // _MOST_MEMBERS_CUT)
    if len(taken) == len(items):
        return _filled(taken, room, at, depth)
    to_read = _short_enough(at, len(items), room)
    room -= len(orjson.dumps(_more(len(items), "members", to_read, len(items)))) + 1
    taken = _taken(_members(items), room, room // _MOST_MEMBERS_CUT)
    rest = _more(len(items) - len(taken), "members", to_read, len(taken))
    return [*_filled(taken, room, at, depth), rest]


def _object(value: Mapping[str, Any], room: int, at: str | None, depth: int) -> dict[str, Any]:
    room -= 2
    taken = _taken(_fields(value), room, room // _MOST_FIELDS_CUT)
    if len(taken) == len(value):
        return _keyed(taken, _filled(taken, room, at, depth))
    key, to_read = _free_key("[more]", value), _short_enough(at, len(value), room)
    room -= len(orjson.dumps({key: _more(len(value), "keys", to_read, len(value))}))
    taken = _taken(_fields(value), room, room // _MOST_FIELDS_CUT)
    rest = _more(len(value) - len(taken), "keys", to_read, len(taken))
    return {**_keyed(taken, _filled(taken, room, at, depth)), key: rest}


def _keyed(taken: Sequence["_Entry"], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip([entry.key for entry in taken], values, strict=True))


def _free_key(key: str, value: Mapping[str, Any]) -> str:
    while key in value:
        key += "…"
    return key


@dataclass(frozen=True, slots=True)
class _Entry:
    """A member of a list or an object, and its bytes."""

    key: Any
    value: Any
    overhead: int
    """Of its key, and of the signs between it and the next."""
    size: int | None = None
    """Of its value; None: more than it gets for certain, or not counted."""


def _members(items: Sequence[Any], start: int = 0) -> Iterator[_Entry]:
    return (_Entry(start + place, item, 1) for place, item in enumerate(islice(items, start, None)))


def _fields(value: Mapping[str, Any], start: int = 0) -> Iterator[_Entry]:
    for key, item in islice(value.items(), start, None):
        yield _Entry(key, item, len(orjson.dumps(key)) + 2)


def _taken(entries: Iterable[_Entry], room: int, share: int) -> list[_Entry]:
    """The first entries: as many as can be shown whole, or with `share` bytes each if they are longer."""
    share = max(_MIN_SHARE, share)
    taken: list[_Entry] = []
    for entry in entries:
        size = _json_size(entry.value, share)
        room -= entry.overhead + min(size, share)
        if room < 0:
            break
        whole = size if size <= share else None
        taken.append(_Entry(entry.key, entry.value, entry.overhead, whole))
    return taken


def _filled(taken: Sequence[_Entry], room: int, at: str | None, depth: int) -> list[Any]:
    """The values, cut where they must be: short ones stay whole, and long ones share the rest of the room."""
    values = [entry.value for entry in taken]
    room -= sum(entry.overhead + (entry.size or 0) for entry in taken)
    long = [place for place, entry in enumerate(taken) if entry.size is None]
    for _ in range(_ROUNDS):
        share = room // max(1, len(long))
        sizes = {place: _json_size(values[place], share) for place in long}
        long = [place for place in long if sizes[place] > share]
        if len(long) == len(sizes):
            break
        room -= sum(size for size in sizes.values() if size <= share)
    for left, place in zip(range(len(long), 0, -1), long, strict=True):
        path = None if at is None else below(at, taken[place].key)
        values[place] = _cut(values[place], room // left, path, depth + 1)
        room -= _json_size(values[place], room)
    return values


def _json_size(value: Any, enough: int) -> int:
    """Bytes of the value as JSON, or some number above `enough` where it has more: no more is looked at."""
    size, pending = 0, [value]
    while pending and size <= enough:
        node = pending.pop()
        if isinstance(node, str):
            size += len(node) + 2 if len(node) > enough else len(orjson.dumps(node))
        elif isinstance(node, dict):
            size += 2 + max(0, 2 * len(node) - 1) + 2 * len(node)
            if size <= enough:
                size += sum(len(orjson.dumps(key)) - 2 for key in node)
                pending += node.values()
        elif isinstance(node, list):
            size += 2 + max(0, len(node) - 1)
            if size <= enough:
                pending += node
        else:
            size += len(orjson.dumps(node))
    return size


def _json_text_size(text: str) -> int:
    """Bytes of the text in JSON, without its quotes."""
    return len(orjson.dumps(text)) - 2


def _utf8_size(text: str) -> int:
    return len(text.encode(errors="replace"))
