"""A conversation and the tools on offer → text or calls, as a model would answer; by rules alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from broker.standin import wording
from broker.standin.conversation import Turn, identify, read_turn
from broker.standin.offer import Offer, read_offers
from broker.standin.ranking import Candidate, fits, rank, rank_ellipsis
from broker.standin.sentence import read
from broker.standin.tool_choice import ToolChoice, read_tool_choice
from broker.standin.words import has_han


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCall:
    """A call that is to be made."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Either text or calls."""

    text: str | None = None
    calls: tuple[PlannedCall, ...] = ()


def plan(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    *,
    today: date,
    tool_choice: object = None,
    parallel: bool = True,
) -> Plan:
    """Answers a conversation as Chat Completions has it; ValueError for a `tool_choice` that is none.

    `today` is what "tomorrow" is counted from; `parallel=False`: one call at a time. At most 16 calls.

    >>> tool = {"type": "function", "function": {"name": "zoo_FindAnimal", "parameters": {
    ...     "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}}
    >>> plan([{"role": "user", "content": 'Find the animal "Kiwi"'}], [tool], today=date(2026, 3, 1)).calls
    (PlannedCall(name='zoo_FindAnimal', arguments={'name': 'Kiwi'}),)
    """
    turn = read_turn(messages)
    offers = read_offers(tools)
    choice = read_tool_choice(tool_choice, [offer.name for offer in offers])
    best = _choose([offer for offer in offers if offer.name in choice.names], turn, choice, today)
    calls = _calls(best, turn) if best is not None else ()
    if turn.outcomes:
        return Plan(calls=calls[:1]) if calls and not parallel else Plan(text=_report(turn))
    if calls:
        return Plan(calls=calls if parallel else calls[:1])
    return Plan(text=_explain(best, offers, turn))


def _choose(offers: Sequence[Offer], turn: Turn, choice: ToolChoice, today: date) -> Candidate | None:
    """The tool to call or to ask about: for a new prompt, for an answer, or for more of the same."""
    sentence = read(turn.prompt, today=today)
    fresh = rank(offers, sentence, {})
    asked = [offer for offer in offers if offer.name == turn.tool]
    if asked and not (fresh and fresh[0].plain and not fresh[0].filling.missing):
        answers = {path: read(text, today=today) for path, text in turn.answers.items()}
        return rank(asked, read(turn.first, today=today), answers)[0]
    if fresh and (choice.required or fits(fresh[0], sentence)):
        return fresh[0]
    following = rank_ellipsis(offers, sentence, turn.context)
    return following[0] if following else None


def _calls(best: Candidate, turn: Turn) -> tuple[PlannedCall, ...]:
    """The calls that are left to make, none of them twice."""
    if best.filling.missing:
        return ()
    seen = set(turn.made)
    calls = []
    for arguments in best.filling.arguments:
        identity = identify(best.offer.name, arguments)
        if identity not in seen:
            calls.append(PlannedCall(name=best.offer.name, arguments=arguments))
            seen.add(identity)
    return tuple(calls)


def _report(turn: Turn) -> str:
    results = [(one.tool, one.arguments, one.content) for one in turn.outcomes]
    return wording.report(results, han=has_han(turn.prompt))


def _explain(best: Candidate | None, offers: Sequence[Offer], turn: Turn) -> str:
    """Asks for what is missing, or says what there is."""
    if best is not None and best.filling.missing:
        return wording.ask(best.offer, best.filling.missing[0], han=has_han(turn.first))
    return wording.say_tools(offers, han=has_han(turn.prompt))
