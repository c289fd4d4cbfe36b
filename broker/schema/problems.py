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
MAX_CHARACTERS = 2_000
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


class Problems:
    """Collects what is refused below one value."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, text: str, path: str = "") -> None:
        """Adds one problem of the value itself, or of what lies at `path` in it."""
        self._found.append((path, text))

    def under(self, step: str, refused: Refused) -> None:
        """Adds what was refused below `step`: a field's name, `[2]`, or `["key"]`."""
        self._found += [(_joined(step, path), text) for path, text in refused.problems]

    @property
    def full(self) -> bool:
        """Whether there are so many that no more are looked for."""
        return len(self._found) >= MAX_COLLECTED

    def __bool__(self) -> bool:
        return bool(self._found)

    def refuse(self) -> Refused:
        """The refusal of the whole value."""
        return Refused(problems=self._found)


def _joined(step: str, path: str) -> str:
    return f"{step}.{path}" if path and path[0] != "[" else step + path


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


def expected(phrase: str, value: Any) -> Refused:
    """The refusal of a value of another kind than `phrase` names."""
    return Refused(f"expected {phrase}, got {got(value)}.")


def plain(name: str) -> str:
    """A name without what spellings differ in: case, underscores, hyphens, spaces.

    >>> plain("pageToken") == plain("page_token") == plain("Page-Token")
    True
    """
    return re.sub(r"[-_\s]", "", name).lower()


def suggestion(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known name, with a space before it; empty when none is near."""
    by_plain = {plain(name): name for name in known}
    near = difflib.get_close_matches(plain(word[:200]), by_plain, n=1, cutoff=_SUGGESTION_CUTOFF)
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


def lines(problems: Sequence[Problem]) -> list[str]:
    """Each problem as one line that begins with its path; what concerns the whole has no path."""
    return [f"{_shown(path)}: {text}" if path else text for path, text in problems]


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
    one = len(problems) == 1
    count, cure = ("1 problem", "Fix this") if one else (f"{len(problems)} problems", "Fix these")
    first = f"Invalid arguments for {name}: {count}. Nothing was sent. {cure} and call again."
    return f"{first}\n{_numbered(problems)}"


def _numbered(told: Sequence[str]) -> str:
    """The first problems, as many as fit; at least one, and cut if that alone is too long."""
    rows: list[str] = []
    room = MAX_CHARACTERS - 200
    for number, line in enumerate(told[:MAX_LISTED], 1):
        room -= len(line) + 5
        if room < 0 and rows:
            break
        rows.append(f"{number}. {line[: MAX_CHARACTERS - 300]}")
    if len(told) > len(rows):
        rows.append(f"and {len(told) - len(rows)} more.")
    return "\n".join(rows)
