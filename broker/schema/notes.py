"""How arguments were understood that are not exact → notes, each with the short name of its leniency."""

import enum
from collections.abc import Callable, Sequence
from typing import Any

from broker.schema.problems import at
from broker.tool import Note

MAX_NOTES = 10
"""Notes of one call."""
_MAX_CHARACTERS = 120
_MAX_PATH = 60


class Leniency(enum.StrEnum):
    """What was accepted though it is not exact. The names are stable: they are counted in logs.

    The shapes that some profile's schema asks for (a map as entries, a oneof as one property) are exact.
    """

    BLANK_ARGUMENTS = "blank_arguments"
    JSON_TEXT = "json_text"
    """JSON within a string, where an object or an array belongs."""
    WRAPPED_ARGUMENTS = "wrapped_arguments"
    IGNORED_ARGUMENT = "ignored_argument"
    """Given to a tool that takes nothing, or `_meta`."""
    DROPPED_ARGUMENT = "dropped_argument"
    """Unknown, and left out because the tool's policy says so."""
    FIELD_SPELLING = "field_spelling"
    BLANK_VALUE = "blank_value"
    """An empty string, where something else may be left out."""
    SINGLE_AS_LIST = "single_as_list"
    BOOL_TEXT = "bool_text"
    INTEGER_AS_STRING = "integer_as_string"
    ENUM_SPELLING = "enum_spelling"
    DATA_URI = "data_uri"
    ONEOF_DEFAULTS = "oneof_defaults"
    """Members of a oneof that only have their default, beside the one that is meant."""
    ONEOF_WHICH = "oneof_which"
    WRAPPER_OBJECT = "wrapper_object"
    TIMESTAMP_FORM = "timestamp_form"
    DURATION_FORM = "duration_form"
    FIELD_MASK_FORM = "field_mask_form"
    DATE_TEXT = "date_text"
    TIME_OF_DAY_TEXT = "time_of_day_text"
    DECIMAL_TEXT = "decimal_text"


Noted = tuple[str, Leniency, str]
"""A path, the leniency, and in words what was given and what it was taken as."""


class Understood(Exception):
    """A value that is not exact, and can only mean one thing: what it means, and notes on how.

    It is raised, as Refused is, so that exact values cost nothing, and paths grow on the way up.
    """

    def __init__(self, value: Any, notes: Sequence[Noted]) -> None:
        super().__init__()
        self.value = value
        self.notes = notes


def understood(value: Any, leniency: Leniency, text: str) -> Understood:
    """The value that something means, with one note."""
    return Understood(value, [("", leniency, text)])


def then(decode: Callable[[Any, Any], Any], convert: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """The decoder whose values are converted once more, be they exact or understood."""

    def both(value: Any, reading: Any) -> Any:
        try:
            return convert(decode(value, reading))
        except Understood as inner:
            raise Understood(convert(inner.value), inner.notes) from None

    return both


def told(notes: Sequence[Noted]) -> tuple[Note, ...]:
    """The first notes, each as one short line that begins with its path.

    >>> told([("color", Leniency.ENUM_SPELLING, '"red" taken as "COLOR_RED"')])[0].text
    'color: "red" taken as "COLOR_RED"'
    """
    return tuple(
        Note(leniency=leniency.value, text=_cut(at(_cut(path, _MAX_PATH), text)))
        for path, leniency, text in notes[:MAX_NOTES]
    )


def _cut(text: str, limit: int = _MAX_CHARACTERS) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
