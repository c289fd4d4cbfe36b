"""What a question asks to be done → the verbs that methods have for it: "get rid of" is Delete, or Remove."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice

from broker.catalog.search_synonyms import lines
from broker.catalog.search_words import stems

_MAX_VERBS = 3
"""Verbs of a question that count."""
_FADING = 0.4
"""How much a verb counts beside the one before it: the first is what is wanted, the rest tells of it."""
_MAX_APART = 3
"""How far apart the words of a verb may stand: "turn the lamp off"."""
_MANNERS = frozenset(stems("aggregated async batch bulk"))
"""What may stand before the verb of a method: BatchGetDocuments."""
_OTHER = 0.3
"""How well a method fits whose verb is in none of our lines, as Translate: better than with a wrong verb."""


def verb_of(method: str) -> str:
    """The stem of the verb of a method.

    >>> verb_of("BatchDeletePhotos")
    'delet'
    """
    return next((part for part in stems(method) if part not in _MANNERS), "")


def wanted_verbs(question: Sequence[str]) -> dict[str, float]:
    """The stems of the verbs that do what a question (its `stems`) asks for, and how well each does (0 to 1).

    >>> wanted_verbs(stems("Please throw the photos away"))["delet"]
    1.0
    """
    wanted: dict[str, float] = {}
    for place, said in enumerate(islice(_said(question), _MAX_VERBS)):
        for verb in _table()[said]:
            wanted.setdefault(verb, _FADING**place)
    return wanted


def fit(verb: str, wanted: Mapping[str, float]) -> float:
    """How well a method with this verb does what is wanted (0 to 1)."""
    return wanted.get(verb, 0.0) if verb in _verbs() else _OTHER


def _said(question: Sequence[str]) -> Iterator[str]:
    """What a question has of the right sides of our lines, in its order."""
    table = _table()
    passed = -1
    for at, first in enumerate(question):
        if at > passed:
            pairs = (f"{first} {second}" for second in question[at + 1 : at + 1 + _MAX_APART])
            found = [(apart, pair) for apart, pair in enumerate(pairs, 1) if pair in table]
            if found and found[0][0] == 1:
                passed = at + 1
            if found or first in table:
                yield found[0][1] if found else first


@cache
def _table() -> Mapping[str, frozenset[str]]:
    """What people say → the verbs of methods."""
    table: dict[str, set[str]] = {}
    for verbs, said in lines("search_verbs.txt"):
        for one in said:
            table.setdefault(one, set()).update(verbs)
    return {one: frozenset(verbs) for one, verbs in table.items()}


@cache
def _verbs() -> frozenset[str]:
    return frozenset().union(*_table().values())
