"""Rules of one value → the keywords of JSON Schema that say them, and words for what no keyword says.

The schema takes every value that the rules take: what a keyword would say too strictly is said in words.
The rules are those of https://protovalidate.com; what they mean is said in buf/validate/validate.proto.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from broker.descriptors.rules import Custom, Rules
from broker.schema.descriptions import readable
from broker.schema.keywords import in_words

MAX_LISTED = 20
"""Values that are named in words."""
MAX_ENUM = 100
"""Values that a keyword lists."""
_MAX_CUSTOM = 200
_MAX_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """What one rule says."""

    keywords: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    refuses_zero: bool = False
    """Whether the value that a field without presence has when it is not given breaks the rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraints:
    """What all rules of a value say."""

    keywords: Mapping[str, Any] = field(default_factory=dict)
    """With "type": in place of the keywords that the value has by its kind."""
    words: tuple[str, ...] = ()
    refuses_zero: bool = False

    @property
    def in_words(self) -> tuple[str, ...]:
        """All of them as sentences."""
        return (*in_words(self.keywords), *self.words)


NONE = Constraints()
# Whether an empty text fits them is not always known.
_TEXTUAL = frozenset({"pattern", "format"})


def combined(rules: Rules, pieces: Iterable[Piece]) -> Constraints:
    """The pieces of these rules as one, under the condition that the rules themselves set."""
    keywords: dict[str, Any] = {}
    words: list[str] = []
    refuses_zero = False
    for piece in pieces:
        may_refuse = piece.refuses_zero or not _TEXTUAL.isdisjoint(piece.keywords)
        if may_refuse and rules.ignore == "IF_ZERO_VALUE":
            # A keyword would hold for zero, too.
            said = [*in_words(piece.keywords), *filter(None, [piece.words])]
            words += [f"When given: {sentence}" for sentence in said]
            continue
        refuses_zero |= piece.refuses_zero
        keywords.update(piece.keywords)
        words += filter(None, [piece.words])
    return Constraints(keywords=keywords, words=(*words, *customs(rules.custom)), refuses_zero=refuses_zero)


def customs(rules: Sequence[Custom]) -> Iterator[str]:
    """The author's own rules in words: their messages, else their expressions."""
    for rule in rules[:MAX_LISTED]:
        text = readable(rule.message, _MAX_CUSTOM)
        expression = "" if text else readable(rule.expression, _MAX_CUSTOM)
        if text or expression:
            yield text if text else f"Must fit the CEL expression {expression}"


def one_of(values: Sequence[Any], zero: Any) -> Piece:
    """Only these values are taken."""
    refuses_zero = zero not in values
    if len(values) <= MAX_ENUM:
        return Piece(keywords={"enum": list(values)}, refuses_zero=refuses_zero)
    return Piece(words=f"One of {named(values)}.", refuses_zero=refuses_zero)


def none_of(values: Sequence[Any], zero: Any) -> Piece:
    """All but these values are taken."""
    return Piece(words=f"Not {named(values)}.", refuses_zero=zero in values)


def examples(values: Sequence[Any]) -> Piece:
    """Values that fit; they constrain nothing."""
    return Piece(keywords={"examples": list(values[:_MAX_EXAMPLES])})


def named(values: Sequence[Any]) -> str:
    """The first of the values, in a row."""
    shown = ", ".join(readable(str(value), _MAX_CUSTOM) for value in values[:MAX_LISTED])
    more = len(values) - MAX_LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown
