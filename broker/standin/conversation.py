"""Chat messages → what the user wants now, what was asked back and answered, and what tools have answered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from broker.standin.wording import asked

MAX_PROMPT = 4_000
_MAX_QUESTIONS = 8
_MAX_OUTCOMES = 128
_SPACES = re.compile(r"[^\S\n]+")

Message = Mapping[str, Any]
Call = tuple[str, str]
"""A tool's name and its arguments as canonical JSON, to know a call again by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a tool answered."""

    tool: str
    arguments: Mapping[str, Any]
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The state of a conversation at the moment of answering."""

    prompt: str
    """The last thing the user said, at most 4,000 characters."""
    first: str
    """What the user wanted before questions were asked back; the prompt itself when none was."""
    tool: str | None
    """The tool that the questions were about."""
    answers: Mapping[str, str]
    """The answers to questions, by the path of the parameter that was asked for."""
    context: str
    """What the user said before, for a prompt that leaves out what it is about."""
    outcomes: tuple[Outcome, ...]
    """What tools have answered since the prompt."""

    @property
    def made(self) -> frozenset[Call]:
        """The calls that were made since the prompt."""
        return frozenset(identify(one.tool, one.arguments) for one in self.outcomes)


def identify(tool: str, arguments: Mapping[str, Any]) -> Call:
    """The identity of a call: the same tool with the same arguments, in whatever order."""
    return tool, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS).decode()


def read_turn(messages: Sequence[object]) -> Turn:
    """Reads a conversation; what is no message, and what the operator said, is passed over.

    >>> turn = read_turn([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}])
    >>> turn.prompt, turn.outcomes
    ('Hi', ())
    """
    said = [
        one
        for one in messages
        if isinstance(one, Mapping) and one.get("role") in ("user", "assistant", "tool")
    ]
    last = max((at for at, one in enumerate(said) if one["role"] == "user"), default=-1)
    prompts = [text_of(one) for one in said[: last + 1] if one["role"] == "user"]
    prompt = prompts[-1] if prompts else ""
    first, tool, answers = _questions(said[: last + 1])
    return Turn(
        prompt=prompt,
        first=prompt if tool is None else first,
        tool=tool,
        answers=answers,
        context=prompts[-2] if len(prompts) > 1 else "",
        outcomes=tuple(_outcomes(said[last + 1 :])),
    )


def text_of(message: Message) -> str:
    """A message's text, cut, its parts joined, runs of spaces made one.

    >>> text_of({"content": [{"type": "text", "text": "an  oak"}, {"type": "image_url"}]})
    'an oak'
    """
    content = message.get("content")
    parts = (
        [part.get("text") for part in content if isinstance(part, Mapping)]
        if isinstance(content, list)
        else [content]
    )
    text = "\n".join(part[:MAX_PROMPT] for part in parts if isinstance(part, str))
    return _SPACES.sub(" ", text[:MAX_PROMPT]).strip()


def _questions(said: Sequence[Message]) -> tuple[str, str | None, dict[str, str]]:
    """Walks back over question and answer: what was wanted first, of which tool, and the answers."""
    answers: dict[str, str] = {}
    tool, at = None, len(said) - 1
    while at >= 2 and len(answers) < _MAX_QUESTIONS:
        question = asked(text_of(said[at - 1])) if said[at - 1]["role"] == "assistant" else None
        if question is None or said[at - 2]["role"] != "user" or question[0] != (tool or question[0]):
            break
        tool = question[0]
        answers.setdefault(question[1], text_of(said[at]))
        at -= 2
    return (text_of(said[at]) if said else ""), tool, answers


def _outcomes(said: Sequence[Message]) -> list[Outcome]:
    calls: dict[str, tuple[str, Mapping[str, Any]]] = {}
    outcomes = []
    for message in said:
        if message["role"] == "tool":
            tool, arguments = calls.get(str(message.get("tool_call_id")), ("", {}))
            content = message.get("content")
            text = content if isinstance(content, str) else text_of(message)
            outcomes.append(Outcome(tool=tool, arguments=arguments, content=text))
        for call in message.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, Mapping) else None
            if isinstance(function, Mapping):
                calls[str(call.get("id"))] = (
                    str(function.get("name")),
                    _arguments(function.get("arguments")),
                )
    return outcomes[:_MAX_OUTCOMES]


def _arguments(text: object) -> Mapping[str, Any]:
    try:
        arguments = orjson.loads(text) if isinstance(text, str) else {}
        orjson.dumps(arguments)  # it reads deeper than it writes
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return {}
    return arguments if isinstance(arguments, dict) else {}
