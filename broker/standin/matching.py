"""Parameters and the groups of values that they compete for → which group each parameter takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from broker.standin.conversion import JsonValue, convert, unit_ratio
from broker.standin.parameters import Parameter, Shape, without_examples
from broker.standin.sentence import Sentence
from broker.standin.spans import Group, Kind
from broker.standin.words import has_han, hint_keys, latin_key, split_name

_NAMED, _REMARKED, _ALIKE = 3.0, 1.0, 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """A parameter, and a group that could be its value."""

    parameter: Parameter
    group: Group
    place: int
    """The group's place among those that are competed for."""
    values: tuple[JsonValue, ...]
    hint: float
    """How much speaks for it beyond the kind: the words beside the value, a likeness to the examples."""

    @property
    def score(self) -> float:
        """What matches are compared by."""
        return self.hint + self.group.strength / 2 + (self.group.kind == Kind.QUOTED)

    @property
    def strength(self) -> int:
        """How sure the value is, 0 to 2: any text could be anything, when nothing else speaks for it."""
        anything = self.parameter.shape == Shape.TEXT and self.hint == 0
        return min(self.group.strength, 1) if anything else self.group.strength


def assign(parameters: Sequence[Parameter], groups: Sequence[Group], sentence: Sentence) -> list[Match]:
    """Each parameter gets at most one group, each group at most one parameter; the best matches first."""
    matches = [
        match
        for parameter in parameters
        for match in _matches(parameter, _spread(parameters, groups), sentence)
        if _admissible(match)
    ]
    # The sort is stable: of equals, the earlier parameter takes the earlier group.
    matches.sort(key=lambda match: (-match.score, not match.parameter.needed))
    chosen: dict[Parameter, Match] = {}
    used: set[int] = set()
    for match in matches:
        if match.parameter not in chosen and match.place not in used:
            chosen[match.parameter] = match
            used.add(match.place)
    return list(chosen.values())


def _matches(parameter: Parameter, groups: Sequence[Group], sentence: Sentence) -> Iterator[Match]:
    for place, group in enumerate(groups):
        converted = [convert(parameter, span, sentence) for span in group.spans]
        values = tuple(value for value in converted if value is not None)
        if values:
            hint = _hint(parameter, group)
            yield Match(parameter=parameter, group=group, place=place, values=values, hint=hint)


def _spread(parameters: Sequence[Parameter], groups: Sequence[Group]) -> list[Group]:
    """One group of several, and parameters that need one each: "add 2 and 3". Names stay alternatives."""
    needed = sum(parameter.needed for parameter in parameters)
    if needed <= len(groups) or any(parameter.many for parameter in parameters):
        return list(groups)
    texts = any(parameter.shape == Shape.TEXT for parameter in parameters)
    return [
        replace(group, spans=spans)
        for group in groups
        for spans in (
            [group.spans] if texts and group.kind == Kind.NOUN else [(span,) for span in group.spans]
        )
    ]


def _hint(parameter: Parameter, group: Group) -> float:
    hints = hint_keys(group.lead) | hint_keys(group.unit)
    name = {latin_key(word) for word in split_name(parameter.name)}
    remark = hint_keys(without_examples(parameter.description))
    telling = {key for key in hints & remark if not key.startswith("way:")}
    counted = unit_ratio(parameter, group.unit) is not None
    hint = _NAMED * (counted or bool(hints & name)) + _REMARKED * bool(telling)
    if group.kind == Kind.NOUN and parameter.examples:
        looks = {_look(str(span.value)) for span in group.spans}
        hint += _ALIKE * bool(looks & {_look(example) for example in parameter.examples})
    return hint


def _look(text: str) -> str:
    if has_han(text):
        return "han"
    if text.isupper():
        return "upper"
    return "digits" if any(character.isdigit() for character in text) else "latin"


def _admissible(match: Match) -> bool:
    """An optional parameter takes what is meant for it, and a formatted value that nothing speaks against."""
    parameter, group = match.parameter, match.group
    if parameter.needed:
        return True
    if group.kind == Kind.NOUN and parameter.shape != Shape.ENUM:
        return match.hint >= _NAMED and group.strength > 0
    counted = any(key.startswith("time:") for key in hint_keys(group.unit))
    return match.hint > 0 or not counted or parameter.shape == Shape.DURATION
