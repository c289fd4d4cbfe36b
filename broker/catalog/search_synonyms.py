"""Words that users and .proto files have for the same thing: the everyday one beside the technical one."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from broker.catalog.search_words import stems

_TECHNICAL = 0.6
"""How well one technical word says another of its line, beside the word itself."""
_EVERYDAY = 0.8
"""How well a technical word says an everyday one of its line: of the two, the .proto has the technical."""


def synonyms(phrase: str) -> Mapping[str, float]:
    """What may stand for a stem, or for several with spaces between, and how well each does (0 to 1).

    >>> dict(synonyms("emoji"))
    {'reaction': 0.6, 'custom emoji': 0.6}
    >>> dict(synonyms("hang up"))
    {'end confer': 0.8}
    """
    return _table().get(phrase, {})


def phrases(found: Sequence[str]) -> list[str]:
    """The phrases of several words that have synonyms, in a text that is given as its `stems`.

    >>> phrases(stems("Throw away the load balancers"))
    ['throw away', 'load balanc']
    """
    known = _beginnings()
    windows = (found[at : at + length] for at, first in enumerate(found) for length in known.get(first, ()))
    return list(dict.fromkeys(phrase for window in windows if (phrase := " ".join(window)) in _table()))


def lines(name: str) -> Iterator[tuple[list[str], list[str]]]:
    """The lines of one of our word lists: what stands left of its bar, and right of it, each as stems."""
    text = files("broker.catalog").joinpath(name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            left, _, right = line.partition("|")
            yield [_phrase(one) for one in left.split()], [_phrase(one) for one in right.split()]


def _phrase(written: str) -> str:
    return " ".join(stems(written)) if written.isascii() else written


@cache
def _table() -> Mapping[str, Mapping[str, float]]:
    table: dict[str, dict[str, float]] = {}
    for technical, everyday in lines("search_thesaurus.txt"):
        for said, likeness in ((technical, _TECHNICAL), (everyday, _EVERYDAY)):
            for phrase in said:
                found = table.setdefault(phrase, {})
                for other in technical:
                    if other != phrase:
                        found[other] = max(likeness, found.get(other, 0.0))
    return table


@cache
def _beginnings() -> Mapping[str, frozenset[int]]:
    """The first stem of a phrase → how many stems phrases have that begin so."""
    lengths: dict[str, set[int]] = {}
    for phrase in _table():
        parts = phrase.split(" ")
        # One or two Chinese characters are words, and looked up as such.
        if len(parts) > 1 or not (phrase.isascii() or len(phrase) <= 2):
            lengths.setdefault(parts[0], set()).add(len(parts))
    return {first: frozenset(found) for first, found in lengths.items()}
