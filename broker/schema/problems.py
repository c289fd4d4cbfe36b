"""What is wrong with a model's arguments → lines that tell the model, each with its path and its cure."""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from broker.errors import InvalidArguments

MAX_LISTED = 10
"""Problems that are told at once; more would not be mended at once."""
MAX_COLLECTED = 100
"""Problems after which no more are looked for."""
MAX_BYTES = 2_048
"""Of all that a model reads about arguments that were refused."""
_ROOM_FOR_MISSING = 600
_MAX_SHOWN = 80
_MAX_PATH = 200
_MAX_ALLOWED = 20
_SUGGESTION_CUTOFF = 0.6

Problem = tuple[str, str]
"""A path, as in `book.tags[2]`, and what is wrong there."""


class Refused(Exception):
    """A value that does not fit; holds every problem in it, the paths being relative to the value."""

    def __init__(self, text: str = "", problems: Sequence[Problem] | None = None) -> None:
        super().__init__(text)
        self.problems: Sequence[Problem] = [("", text)] if problems is None else problems


def joined(step: str, path: str) -> str:
    """The path of what lies at `path` below `step`; either may be empty.

    >>> joined("book", "tags[2]"), joined("tags", "[2]"), joined("", "title")
    ('book.tags[2]', 'tags[2]', 'title')
    """
    return f"{step}.{path}" if step and path and path[0] != "[" else step + path


def step_of_key(key: str) -> str:
    """A map's key as a step of a path.

    >>> step_of_key("a.b")
    '["a.b"]'
    """
    return f"[{json.dumps(_cut(key), ensure_ascii=False)}]"


def got(value: Any) -> str:
    """What a value is, in words for a model; long values are cut, containers are only named.

    >>> got("many"), got(1.5), got(True), got(None), got([1])
    ('string "many"', 'number 1.5', 'true', 'null', 'an array')
    """
    if isinstance(value, str):
        return f"string {quoted(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    text = json.dumps(value)
    return f"number {text}" if isinstance(value, int | float) and not isinstance(value, bool) else text


def quoted(text: str) -> str:
    """The text in JSON's quotes, cut to 80 characters."""
    return json.dumps(_cut(text), ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def expected(phrase: str, value: Any, hidden: bool = False) -> Refused:
    """The refusal of a value of another kind than `phrase` names; a text is not repeated when `hidden`."""
    given = "a string" if hidden and isinstance(value, str) else got(value)
    return Refused(f"expected {phrase}, got {given}.")


def plain(name: str) -> str:
    """A name without what spellings differ in: case, underscores, hyphens, spaces.

    >>> plain("pageToken") == plain("page_token") == plain("Page-Token")
    True
    """
    return re.sub(r"[-_\s]", "", name).lower()


def suggestion(word: str, known: Iterable[str], *, skip: int = 0, cutoff: float = _SUGGESTION_CUTOFF) -> str:
    """A sentence that names the nearest known name, with a space before it; empty when none is near.

    `skip`: how many letters of each name do not count, since all names begin with them.
    """
    by_plain = {plain(name[skip:]): name for name in known}
    near = difflib.get_close_matches(plain(word[:200]), by_plain, n=1, cutoff=cutoff)
    return f" Did you mean {quoted(by_plain[near[0]])}?" if near else ""


def listed(names: Sequence[str], word: str = "") -> str:
    """At most twenty names, those nearest to `word` first when there are more.

    >>> listed(["A", "B"])
    'A, B'
    """
    if len(names) <= _MAX_ALLOWED:
        return ", ".join(names)
    near = difflib.get_close_matches(word[:200], names, n=_MAX_ALLOWED, cutoff=0.0)
    return f"{', '.join(near)} and {len(names) - len(near):,} more"


_MISSING = "Missing required: "


def missing(phrase: str, sentence: str = "") -> str:
    """What is said of a required field that is not given: its kind, and the first sentence about it.

    >>> lines([("book.title", missing("a string", "What is on its cover."))])
    ['Missing required: book.title (string) - What is on its cover.']
    """
    kind = re.sub(r"^an? ", "", phrase).replace(" (", ", ").replace(")", "")
    return f"{_MISSING}({kind}) - {sentence}" if sentence else f"{_MISSING}({kind})"


def lines(problems: Sequence[Problem]) -> list[str]:
    """Each problem as one line with its path, which the whole has not; what is missing comes last."""
    told = [_line(path, text) for path, text in problems]
    return sorted(told, key=_is_missing)


def _line(path: str, text: str) -> str:
    if _is_missing(text):
        what = text.removeprefix(_MISSING)
        return f"{_MISSING}{at(path, what, ' ') if path else what.strip('()')}"
    return at(path, text)


def _is_missing(line: str) -> bool:
    return line.startswith(_MISSING)


def at(path: str, text: str, between: str = ": ") -> str:
    """What is said, after the path that it is said of; an empty path is left out."""
    return f"{_shown(path)}{between}{text}" if path else text


def _shown(path: str) -> str:
    """A path, its middle left out where it is longer than anybody reads."""
    return path if len(path) <= _MAX_PATH else f"{path[: _MAX_PATH // 2]}…{path[-_MAX_PATH // 2 :]}"


def invalid(problems: Sequence[Problem]) -> InvalidArguments:
    """The error that holds all problems; its message has no first line yet, see `describe`."""
    told = lines(problems)
    return InvalidArguments(_numbered(told), told)


def describe(name: str, problems: Sequence[str]) -> str:
    """All that a model reads about arguments that were refused by the tool `name`; at most 2 KB.

    >>> print(describe("GetBook", ["pages: expected an integer (int32), got string \\"many\\"."]))
    Invalid arguments for GetBook: 1 problem. Nothing was sent. Fix this and call again.
    1. pages: expected an integer (int32), got string "many".
    """
    absent = sum(map(_is_missing, problems))
    wrong = len(problems) - absent
    count = _counted(wrong, "problem") if wrong else f"{_counted(absent, 'required field')} missing"
    cure = "Fix this" if len(problems) == 1 else "Fix these"
    first = f"Invalid arguments for {name}: {count}. Nothing was sent. {cure} and call again."
    return f"{first}\n{_numbered(problems)}"


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _numbered(told: Sequence[str]) -> str:
    """The first problems, numbered, as many as fit, and then what is missing."""
    absent = [line for line in told if _is_missing(line)]
    wrong = [f"{number}. {line}" for number, line in enumerate(told[: len(told) - len(absent)], 1)]
    room = MAX_BYTES - 200
    rows = _fitting(wrong, room - (_ROOM_FOR_MISSING if absent else 0))
    left = room - sum(_size(row) for row in rows)
    return "\n".join([*rows, *_fitting(absent, left)])


def _fitting(rows: Sequence[str], room: int) -> list[str]:
    """As many rows as are read at once and fit; at least one, and cut if that alone is too long."""
    kept: list[str] = []
    for row in rows[:MAX_LISTED]:
        room -= _size(row)
        if room < 0 and kept:
            break
        kept.append(row if room >= 0 else row.encode()[: room + _size(row)].decode(errors="ignore"))
    if len(rows) > len(kept):
        kept.append(f"and {len(rows) - len(kept)} more.")
    return kept


def _size(row: str) -> int:
    """Bytes of a row and the end of its line."""
    return len(row.encode()) + 1
