"""A tool and a sentence → the arguments of its calls, and what is missing for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

from broker.standin.claims import Claim, claim
from broker.standin.offer import Offer
from broker.standin.parameters import ITEM, Parameter, Shape
from broker.standin.sentence import Sentence

MAX_CALLS = 16
CERTAIN = 2
"""The greatest strength of a value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filling:
    """What a sentence gives a tool."""

    arguments: tuple[dict[str, Any], ...]
    """One for each call; meaningful when nothing is missing."""
    missing: tuple[Parameter, ...]
    certain: int
    """How many parameters that no call can do without were given for certain."""
    optional: int
    """How many others were given."""
    leftover: int
    """How many values of the sentence the tool has no use for."""
    strength: int
    """How sure the surest value of a needed parameter is, 0 to 2; of any, where none is needed."""


def fill(
    offer: Offer, sentence: Sentence, answers: Mapping[str, Sentence], *, whole: bool = False
) -> Filling:
    """Gives a sentence's values to a tool; `answers` are those to questions, by the path that was asked for.

    `whole`: what the sentence is about was said before, so that all of its names are values.
    """
    claims = claim(offer, sentence, whole=whole)
    taken = dict(claims.taken)
    for parameter in offer.parameters:
        if parameter.dotted in answers:
            taken |= _answered(offer, parameter, answers[parameter.dotted])
    taken = {one: taken[one] for one in offer.parameters if one in taken}
    needed = [one for one in taken if one.needed]
    return Filling(
        arguments=tuple(build(offer.parameters, taken)),
        missing=tuple(_missing(offer.parameters, taken)),
        certain=sum(taken[one].strength == CERTAIN for one in needed),
        optional=len(taken) - len(needed),
        leftover=len(claims.free),
        strength=max((taken[one].strength for one in needed or taken), default=0),
    )


def build(parameters: Sequence[Parameter], taken: Mapping[Parameter, Claim]) -> list[dict[str, Any]]:
    """Arguments for each combination of alternatives, at most 16."""
    listed = {one: claim.values for one, claim in taken.items() if ITEM in one.path}
    single = {one: claim.values for one, claim in taken.items() if ITEM not in one.path}
    calls = []
    for combination in islice(product(*single.values()), MAX_CALLS):
        arguments: dict[str, Any] = {}
        for parameter, value in zip(single, combination, strict=True):
            _place(arguments, parameter.path, (value,))
        for parameter, values in sorted(listed.items(), key=lambda item: -len(item[1])):
            _place(arguments, parameter.path, values)
        for parameter in parameters:
            if parameter.nullable:
                _place_null(arguments, parameter.path)
        calls.append(arguments)
    return calls


def _answered(offer: Offer, parameter: Parameter, answer: Sentence) -> dict[Parameter, Claim]:
    """The answer's value for one parameter: what it holds of the kind, or else all of it."""
    alone = Offer(
        name=offer.name,
        description="",
        parameters=(parameter,),
        weights={},
        name_keys=frozenset(),
        han=frozenset(),
    )
    taken = claim(alone, answer, whole=True).taken
    text = answer.text.strip(" \n.。!！?？,，")
    if not taken and parameter.shape == Shape.TEXT and text:
        return {parameter: Claim(values=(text,), strength=2)}
    return taken


def _missing(parameters: Sequence[Parameter], taken: Mapping[Parameter, Claim]) -> list[Parameter]:
    """What is required and not given; within an optional object only where another of its values is given."""
    given = [one.path for one in taken]

    def reached(holder: tuple[str, ...]) -> bool:
        return any(path[: len(holder)] == holder for path in given)

    return [
        one
        for one in parameters
        if one.required and one not in taken and all(reached(holder) for holder in one.holders)
    ]


def _place(target: dict[str, Any], path: Sequence[str], values: Sequence[Any]) -> None:
    """Puts values at a path; where it goes through a list, one for each entry, the last one for the rest."""
    name, *rest = path
    if not rest:
        target[name] = values[0]
    elif rest == [ITEM]:
        target[name] = list(values)
    elif rest[0] == ITEM:
        entries = target.setdefault(name, [{} for _ in values])
        for at, entry in enumerate(entries):
            _place(entry, [part for part in rest if part != ITEM], (values[min(at, len(values) - 1)],))
    else:
        _place(target.setdefault(name, {}), rest, values)


def _place_null(target: Any, path: Sequence[str]) -> None:
    """What must be there and may be null is null when it is not given."""
    name, *rest = path
    if not isinstance(target, dict):
        return
    if not rest or rest == [ITEM]:
        target.setdefault(name, None)
    elif rest[0] == ITEM:
        for entry in target.get(name) or []:
            _place_null(entry, rest[1:])
    else:
        _place_null(target.get(name), rest)
