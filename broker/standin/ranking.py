"""The tools on offer and what the user wants → the tool that fits best, and how well."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from broker.standin.filling import CERTAIN, Filling, fill
from broker.standin.offer import Offer
from broker.standin.sentence import Sentence
from broker.standin.words import is_vague, topic_keys

_MAX_FILLED = 64
_PLAIN = 1.0
"""What a key must weigh to show what a tool is about: as much as a word of its description."""
_GIVEN, _OPTIONAL, _MISSING, _LEFTOVER = 1.0, 0.5, 2.0, 1.0
_ELLIPSIS = re.compile(
    r"(?:and|what about|how about|那|还有)\b|(?:那|还有)|.*呢[？?]?$", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A tool with what a sentence gives it."""

    offer: Offer
    filling: Filling
    about: float
    """How much the words of the sentence say about the tool."""
    plain: bool
    """Whether one of them says it plainly, and not only "today" or "show me"."""

    @property
    def total(self) -> float:
        """What candidates are compared by."""
        filling = self.filling
        given = _GIVEN * filling.certain + _OPTIONAL * filling.optional
        return self.about + given - _MISSING * len(filling.missing) - _LEFTOVER * filling.leftover


def rank(offers: Sequence[Offer], sentence: Sentence, answers: Mapping[str, Sentence]) -> list[Candidate]:
    """The best first; of equals, the first on offer. The 64 that the words speak most of are tried."""
    keys = topic_keys(sentence.text)
    by_words = sorted(offers, key=lambda offer: -_about(offer, keys))[:_MAX_FILLED]
    candidates = [_candidate(offer, keys, fill(offer, sentence, answers)) for offer in by_words]
    return sorted(candidates, key=lambda candidate: -candidate.total)


def rank_ellipsis(offers: Sequence[Offer], sentence: Sentence, context: str) -> list[Candidate]:
    """For "and the elm?": what it is about was said before, and only the values are new."""
    if _ELLIPSIS.match(sentence.text) is None:
        return []
    keys = topic_keys(sentence.text) | topic_keys(context)
    candidates = [
        _candidate(offer, keys, fill(offer, sentence, {}, whole=True)) for offer in offers[:_MAX_FILLED]
    ]
    fitting = [
        one for one in candidates if one.about > 0 and any(one.filling.arguments) and not one.filling.missing
    ]
    return sorted(fitting, key=lambda candidate: -candidate.total)


def fits(candidate: Candidate, sentence: Sentence) -> bool:
    """Whether it is worth a call or a question.

    Words that speak of the tool are enough. A Chinese sentence shares none with an English description: then
    the values have to fit, all of them, and at least one certainly.
    """
    if candidate.plain:
        return True
    whole = not candidate.filling.missing and candidate.filling.strength == CERTAIN
    return (whole and (sentence.han or candidate.about > 0)) or (sentence.han and candidate.about > 0)


def _candidate(offer: Offer, keys: frozenset[str], filling: Filling) -> Candidate:
    plain = any(offer.weights.get(key, 0.0) >= _PLAIN and not is_vague(key) for key in keys)
    return Candidate(offer=offer, filling=filling, about=_about(offer, keys), plain=plain)


def _about(offer: Offer, keys: frozenset[str]) -> float:
    return sum(offer.weights.get(key, 0.0) for key in keys)
