"""Documents of weighted fields → an inverted index that ranks them by BM25."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_SATURATION = 2.0
"""k1: how soon a word that is said once more adds little."""

_COVERAGE = 0.5
"""How much it counts that a document says all that is sought: 0, not at all; 1, half is half as good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """How much the words of one part of a document count."""

    weight: float
    length: float
    """b: 0, a long text counts as much as a short one; 1, its words count in proportion to its length."""


Document = Mapping[str, Mapping[str, int]]
"""Name of field → word → how often."""


class Index:
    """An inverted index: word → the documents that have it, with how much it says there.

    Fields are joined before they saturate, so that a word which is everywhere in one document counts once:
    Robertson, Zaragoza, Taylor, "Simple BM25 extension to multiple weighted fields", CIKM 2004.
    """

    def __init__(self, documents: Sequence[Document], fields: Mapping[str, Field]) -> None:
        """The order of `documents` gives them their numbers; each has fields of `fields`."""
        self._size = len(documents)
        self._documents: dict[str, array[int]] = {}
        self._says: dict[str, array[float]] = {}
        means = _mean_lengths(documents, fields)
        for number, document in enumerate(documents):
            for word, frequency in _joined(document, fields, means).items():
                if word not in self._documents:
                    self._documents[word], self._says[word] = array("I"), array("f")
                self._documents[word].append(number)
                self._says[word].append(frequency / (_SATURATION + frequency))

    def rarity(self, word: str) -> float:
        """How much a word tells documents apart (idf); 0 for one that none has."""
        having = len(self._documents.get(word, ()))
        return math.log(1 + (self._size - having + 0.5) / (having + 0.5)) if having else 0.0

    def score(self, query: Iterable[Mapping[str, float]]) -> dict[int, float]:
        """Number of each document that fits → its score.

        `query` has one mapping for each thing sought: the words that say it, and how well each does (0 to 1).
        The best of them counts: a document that says the same in two words is not twice as good. And one that
        says a little of all that is sought comes before one that says a single thing very well.
        """
        scores: dict[int, float] = {}
        covered: dict[int, float] = {}
        sought = 0.0
        for wordings in query:
            rarest = max(map(self.rarity, wordings), default=0.0)
            sought += rarest
            for number, score in self._best(wordings).items():
                scores[number] = scores.get(number, 0.0) + score
                covered[number] = covered.get(number, 0.0) + rarest
        return {number: score * (covered[number] / sought) ** _COVERAGE for number, score in scores.items()}

    def _best(self, wordings: Mapping[str, float]) -> dict[int, float]:
        best: dict[int, float] = {}
        for word, likeness in wordings.items():
            if word not in self._documents:
                continue
            factor = likeness * self.rarity(word)
            for number, says in zip(self._documents[word], self._says[word], strict=True):
                score = factor * says
                if score > best.get(number, 0.0):
                    best[number] = score
        return best


def _mean_lengths(documents: Sequence[Document], fields: Mapping[str, Field]) -> dict[str, float]:
    totals = dict.fromkeys(fields, 0)
    for document in documents:
        for name, counts in document.items():
            totals[name] += sum(counts.values())
    return {name: max(1.0, total / max(1, len(documents))) for name, total in totals.items()}


def _joined(document: Document, fields: Mapping[str, Field], means: Mapping[str, float]) -> dict[str, float]:
    joined: dict[str, float] = {}
    for name, counts in document.items():
        field = fields[name]
        relative = sum(counts.values()) / means[name]
        factor = field.weight / (1 - field.length + field.length * relative)
        for word, count in counts.items():
            joined[word] = joined.get(word, 0.0) + factor * count
    return joined
