"""The vocabulary of a sentence: spans of text that mean a value, and groups of those side by side."""

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from broker.standin.lexicon import HAN_CONJUNCTIONS


class Kind(enum.StrEnum):
    """What sort of value a span of text is."""

    QUOTED = "quoted"
    EMAIL = "email"
    URI = "uri"
    UUID = "uuid"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"
    NOUN = "noun"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """`text[start:end]`, and the value that it means."""

    start: int
    end: int
    kind: Kind
    value: object
    """str; a `date` for DATE, a `time` for TIME, an int or a float for NUMBER."""
    unit: str = ""
    """What is counted or measured, where the text says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Spans of one kind joined by commas, "and", 和: alternatives for one parameter."""

    spans: tuple[Span, ...]
    lead: str = ""
    """The text right before it, back to the value before."""
    strength: int = 1
    """How sure it is that this is a value: 0 guessed, 1 likely, 2 certain."""

    @property
    def kind(self) -> Kind:
        """The kind of all of its spans."""
        return self.spans[0].kind

    @property
    def unit(self) -> str:
        """The unit of its last span, which is that of all: "3 or 4 days"."""
        return self.spans[-1].unit


_JOIN = re.compile(rf"\s*(?:[,，、/;；&]|,?\s*\b(?:and|or)\b|{'|'.join(HAN_CONJUNCTIONS)})\s*")
_JOIN_LENGTH = 8
_LEAD_LENGTH = 24
_CLAUSE_END = re.compile(r"[.!?。！？；;\n]")


def coordinated(gap: str) -> bool:
    """Whether the text between two values joins them.

    >>> [coordinated(gap) for gap in (", ", " and ", ", and ", "和", "、", " to ", "")]
    [True, True, True, True, True, False, False]
    """
    return len(gap) <= _JOIN_LENGTH and _JOIN.fullmatch(gap) is not None


def coordinate(text: str, spans: Iterable[Span]) -> list[list[Span]]:
    """Spans in the order of the text → runs of those that are joined."""
    runs: list[list[Span]] = []
    for span in spans:
        if runs and coordinated(text[runs[-1][-1].end : span.start]):
            runs[-1].append(span)
        else:
            runs.append([span])
    return runs


def group(text: str, spans: Sequence[Span]) -> list[Group]:
    """Spans in the order of the text → groups with the words that lead to them."""
    groups = []
    previous = 0
    for run in coordinate(text, spans):
        groups.append(Group(spans=tuple(run), lead=lead(text, previous, run[0].start), strength=2))
        previous = run[-1].end
    return groups


def lead(text: str, previous: int, start: int) -> str:
    """The words of the same clause before `start`, not further back than `previous`.

    >>> lead("Good. Mail from Ada", 0, 16)
    ' Mail from '
    """
    return _CLAUSE_END.split(text[max(previous, start - _LEAD_LENGTH) : start])[-1]


def mask(text: str, spans: Iterable[Span]) -> str:
    """The text with a bar in place of each character of the spans, so that positions stay.

    >>> mask("in 5 days", [Span(start=3, end=9, kind=Kind.NUMBER, value=5)])
    'in ||||||'
    """
    characters = list(text)
    for span in spans:
        characters[span.start : span.end] = "|" * (span.end - span.start)
    return "".join(characters)


HAN_NUMERAL = "[零〇一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]{0,23}"
"""A Chinese number. It does not begin with a power: 百 and 千 alone begin names and units."""
