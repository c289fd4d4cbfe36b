"""A prompt's text → the values that it holds, and the text between them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from broker.standin.dates import find_dates, find_times
from broker.standin.quantities import find_numbers
from broker.standin.spans import Group, Kind, Span, group, mask
from broker.standin.words import has_han

_QUOTED = re.compile(
    r"""“([^”\n]{1,2000})”|「([^」\n]{1,2000})」|『([^』\n]{1,2000})』|《([^》\n]{1,2000})》|"([^"\n]{1,2000})\""""
    r"""|‘([^’\n]{1,2000})’|`([^`\n]{1,2000})`|(?<!\w)'([^'\n]{1,2000})'(?!\w)"""
)
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_URI = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"，。、；]{1,2000}")
_UUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_MAX_GROUPS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """What a text says, before it is known which tool it is for."""

    text: str
    masked: str
    """The text with a bar for each character of a value: what is left for names to be found in."""
    groups: tuple[Group, ...]
    """Every value but names, joined ones together, in the order of the text within each kind."""
    han: bool
    """Whether it is Chinese."""
    today: date

    def of_kind(self, *kinds: Kind) -> list[Group]:
        """The groups of some kinds, in the order of the text."""
        found = [group for group in self.groups if group.kind in kinds]
        return sorted(found, key=lambda group: group.spans[0].start)


def read(text: str, *, today: date) -> Sentence:
    """Finds what is a value whatever the tool.

    >>> sentence = read('Mail "Lunch?" to bob@example.org tomorrow at 12:30', today=date(2026, 3, 1))
    >>> [(str(group.kind), str(group.spans[0].value)) for group in sentence.groups]
    [('quoted', 'Lunch?'), ('email', 'bob@example.org'), ('date', '2026-03-02'), ('time', '12:30:00')]
    """
    finders: tuple[Callable[[str], list[Span]], ...] = (
        lambda rest: list(_quoted(rest)),
        lambda rest: _matches(_EMAIL, Kind.EMAIL, rest),
        lambda rest: _matches(_URI, Kind.URI, rest),
        lambda rest: _matches(_UUID, Kind.UUID, rest),
        lambda rest: find_dates(rest, today),
        find_times,
        find_numbers,
    )
    masked, groups = text, []
    for find in finders:
        spans = find(masked)
        groups += group(text, spans)
        masked = mask(masked, spans)
    return Sentence(
        text=text, masked=masked, groups=tuple(groups[:_MAX_GROUPS]), han=has_han(masked), today=today
    )


def _quoted(text: str) -> Iterator[Span]:
    for match in _QUOTED.finditer(text):
        value = next(part for part in match.groups() if part is not None)
        yield Span(start=match.start(), end=match.end(), kind=Kind.QUOTED, value=value)


def _matches(pattern: re.Pattern[str], kind: Kind, text: str) -> list[Span]:
    return [
        Span(start=match.start(), end=match.end(), kind=kind, value=match[0])
        for match in pattern.finditer(text)
    ]
