"""A sentence and a tool → which value of the sentence belongs to which parameter of the tool."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from broker.standin.choices import find_choices, find_flag
from broker.standin.conversion import JsonValue
from broker.standin.matching import assign
from broker.standin.nouns import find_nouns
from broker.standin.offer import Offer
from broker.standin.parameters import Parameter, Shape
from broker.standin.sentence import Sentence
from broker.standin.spans import Group, Kind, Span, group, mask

_DATES = (Shape.DATE, Shape.DATE_TIME, Shape.DATE_PARTS)
_NUMBERS = (Shape.DURATION, Shape.DIGITS, Shape.INTEGER, Shape.NUMBER)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What one parameter takes: several values are alternatives, or the entries of a list."""

    values: tuple[JsonValue, ...]
    strength: int
    """As a group's: 0 guessed, 1 likely, 2 certain."""


@dataclass(kw_only=True, slots=True)
class Claims:
    """The parameters of one tool that a sentence gives, and the values that nobody took."""

    offer: Offer
    sentence: Sentence
    whole: bool
    taken: dict[Parameter, Claim] = field(default_factory=dict)
    free: list[Group] = field(default_factory=list)

    def open(self, *shapes: Shape) -> list[Parameter]:
        """The parameters of some shapes that have no value yet."""
        return [one for one in self.offer.parameters if one.shape in shapes and one not in self.taken]

    def give(self, parameters: Sequence[Parameter], groups: Sequence[Group]) -> None:
        """Gives groups to the parameters that they fit best."""
        for match in assign(parameters, groups, self.sentence):
            self.taken[match.parameter] = Claim(values=match.values, strength=match.strength)
            used = {span.start for span in match.group.spans}
            self.free = [one for one in self.free if not used & {span.start for span in one.spans}]


def claim(offer: Offer, sentence: Sentence, *, whole: bool = False) -> Claims:
    """Gives a sentence's values to a tool's parameters, the most telling shapes first."""
    claims = Claims(offer=offer, sentence=sentence, whole=whole, free=list(sentence.groups))
    for step in (_claim_choices, _claim_formats, _claim_dates, _claim_numbers, _claim_flags, _claim_texts):
        step(claims)
    return claims


def _claim_choices(claims: Claims) -> None:
    by_choices: dict[tuple[str, ...], list[Parameter]] = {}
    for parameter in claims.open(Shape.ENUM):
        by_choices.setdefault(parameter.choices, []).append(parameter)
    for parameters in by_choices.values():
        spans = find_choices(claims.sentence, parameters[0])
        claims.give(parameters, group(claims.sentence.text, spans))
        claims.sentence = replace(claims.sentence, masked=mask(claims.sentence.masked, spans))
        claims.free = [one for one in claims.free if not _overlaps(one, spans)]


def _overlaps(one: Group, spans: Iterable[Span]) -> bool:
    return any(span.start < one.spans[-1].end and one.spans[0].start < span.end for span in spans)


def _claim_formats(claims: Claims) -> None:
    for shape, kind in ((Shape.EMAIL, Kind.EMAIL), (Shape.URI, Kind.URI), (Shape.UUID, Kind.UUID)):
        claims.give(claims.open(shape), [one for one in claims.free if one.kind == kind])
    candidates = [
        Span(start=match.start(), end=match.end(), kind=Kind.NOUN, value=match[0])
        for match in re.finditer(r"[A-Za-z0-9#][\w#-]{0,31}", claims.sentence.text, re.ASCII)
    ]
    for parameter in claims.open(Shape.PATTERN):
        fitting = [span for span in candidates if fits(parameter.pattern, str(span.value))]
        claims.give([parameter], group(claims.sentence.text, fitting)[:1])
        if parameter in claims.taken:
            claims.sentence = replace(claims.sentence, masked=mask(claims.sentence.masked, fitting))
            claims.free = [one for one in claims.free if not _overlaps(one, fitting)]


def fits(pattern: str, text: str) -> bool:
    """Whether a text matches a schema's pattern. Nothing fits a pattern that could take long.

    >>> fits("^[A-Z]{2}-[0-9]+$", "AB-12"), fits("^(a+)+$", "aaaa")
    (True, False)
    """
    if len(pattern) > 100 or "(" in pattern or len(re.findall(r"[*+?]|\{", pattern)) > 4:
        return False
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _claim_dates(claims: Claims) -> None:
    parameters = claims.open(*_DATES)
    claims.give(parameters, [one for one in claims.free if one.kind == Kind.DATE])
    claims.give(claims.open(Shape.TIME), [one for one in claims.free if one.kind == Kind.TIME])
    moments = [one for one in parameters if one.shape == Shape.DATE_TIME]
    if any(one in claims.taken for one in moments):
        claims.free = [one for one in claims.free if one.kind != Kind.TIME]
    else:
        claims.give(moments, [one for one in claims.free if one.kind == Kind.TIME])


def _claim_numbers(claims: Claims) -> None:
    claims.give(claims.open(*_NUMBERS), [one for one in claims.free if one.kind == Kind.NUMBER])


def _claim_flags(claims: Claims) -> None:
    for parameter in claims.open(Shape.BOOLEAN):
        value = find_flag(claims.sentence, parameter, answer=claims.whole)
        if value is not None:
            claims.taken[parameter] = Claim(values=(value,), strength=1)


def _claim_texts(claims: Claims) -> None:
    kinds = (Kind.QUOTED, Kind.EMAIL, Kind.URI, Kind.UUID, Kind.NUMBER)
    parameters = claims.open(Shape.TEXT)
    if parameters:
        nouns = find_nouns(claims.sentence, claims.offer, whole=claims.whole)
        if any("," in example for parameter in parameters for example in parameter.examples):
            nouns = [_uncut(claims.sentence, one) for one in nouns]
        claims.give(parameters, [*(one for one in claims.free if one.kind in kinds), *nouns])


def _uncut(sentence: Sentence, one: Group) -> Group:
    """Names with only commas between, as one name: the examples of the parameter have commas too."""
    start, end = one.spans[0].start, one.spans[-1].end
    gaps = {sentence.text[left.end : right.start] for left, right in pairwise(one.spans)}
    whole = Span(start=start, end=end, kind=Kind.NOUN, value=sentence.text[start:end])
    return replace(one, spans=(whole,)) if gaps <= {", "} else one
