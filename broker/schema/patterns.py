"""A regular expression of RE2 → the same in what every reader of JSON Schema understands, or nothing.

protovalidate's patterns are RE2's (https://github.com/google/re2/wiki/Syntax), those of JSON Schema are
ECMAScript's, and many check them with Python's `re`. Only what means the same to all three is kept, or more.
"""

import re
import warnings

MAX_PATTERN = 500
"""Characters; a longer one costs more than it tells."""

_SYNTAX = r"^$\.*+?()[]{}|/"
# Outside of a class, and in one that is not negated: where a dialect knows more digits, it takes more.
_KINDS = "dws"
_CONTROLS = "tnrfv"
_REPEAT = re.compile(r"\{[0-9]+(,[0-9]*)?\}")
_HEX = re.compile(r"\\x[0-9A-Fa-f]{2}")


class _Foreign(Exception):
    """Something that the dialects read differently."""


def portable(pattern: str) -> str | None:
    """The pattern as all dialects read it, taking at least what RE2 takes; None: there is none.

    >>> portable("^[a-z]+-[0-9]{2,}$"), portable("(?i)a"), portable("a.b")
    ('^[a-z]+-[0-9]{2,}$', None, 'a[^\\\\n]b')
    """
    if len(pattern) > MAX_PATTERN:
        return None
    try:
        made = _Translation(pattern).run()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(made)
    except (_Foreign, re.error, FutureWarning, OverflowError):
        return None
    return made


def literal(text: str) -> str | None:
    """The pattern that finds the text; None: it has characters that cannot be shown."""
    if not text.isprintable() or len(text) > MAX_PATTERN // 2:
        return None
    return "".join(f"\\{char}" if char in _SYNTAX else char for char in text)


class _Translation:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def run(self) -> str:
        out = []
        while self._at < len(self._pattern):
            out.append(self._next())
        return "".join(out)

    def _take(self, length: int = 1) -> str:
        taken = self._pattern[self._at : self._at + length]
        self._at += length
        return taken

    def _rest(self) -> str:
        return self._pattern[self._at :]

    def _next(self) -> str:
        match self._pattern[self._at]:
            case "\\":
                return self._escape(_SYNTAX + _KINDS + _CONTROLS)
            case "[":
                return self._class()
            case "(" if self._rest().startswith("(?") and not self._rest().startswith("(?:"):
                raise _Foreign
            case "{":
                repeat = _REPEAT.match(self._rest())
                if repeat is None:
                    raise _Foreign
                return self._take(repeat.end())
            case "]" | "}":
                raise _Foreign
            case ".":
                self._take()
                return r"[^\n]"  # ECMAScript's dot takes none of four line ends
            case _:
                return self._take()

    def _escape(self, known: str) -> str:
        hexadecimal = _HEX.match(self._rest())
        if hexadecimal is not None:
            return self._take(hexadecimal.end())
        if self._rest()[1:2] == "" or self._rest()[1] not in known:
            raise _Foreign
        return self._take(2)

    def _class(self) -> str:
        out = [self._take()]
        negated = self._rest().startswith("^")
        if negated:
            out.append(self._take())
        known = _SYNTAX + "-" + _CONTROLS + ("" if negated else _KINDS)
        if self._rest().startswith("]"):
            raise _Foreign  # RE2 takes it as it is, ECMAScript ends the class
        while not self._rest().startswith("]"):
            if self._rest() == "" or self._rest().startswith("["):
                raise _Foreign
            out.append(self._escape(known) if self._rest().startswith("\\") else self._take())
        return "".join([*out, self._take()])
