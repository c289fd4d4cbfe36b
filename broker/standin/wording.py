"""What the planner found → the sentences that it says, in English or Chinese; the first says what it is."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from broker.errors import Code
from broker.standin.offer import Offer
from broker.standin.parameters import Parameter

INTRODUCTION = {
    False: "Rule-based stand-in, not a language model.",
    True: "（基于规则的替身程序，不是语言模型。）",
}
"""The first words of every answer, by whether the user writes Chinese."""

_MAX_TOOLS = 12
_MAX_LINE = 600
_MAX_SCALAR = 200
_MAX_ENTRIES = 3
_MAX_DEPTH = 3
_CODE = re.compile(rf"({'|'.join(code.name for code in Code)})\b")
_ASKED = re.compile(r"[^`]{0,60}`([^`\s]{1,128})`[^`]{0,40}`([^`\s]{1,200})`")


def say_tools(offers: Sequence[Offer], *, han: bool) -> str:
    """What can be done, for a prompt that no tool fits."""
    if not offers:
        return INTRODUCTION[han] + (
            "目前没有可用的工具。" if han else " There are no tools that I could call."
        )
    head = (
        "我按固定规则调用工具。没有工具适合这句话。可用的工具："
        if han
        else (" I follow fixed rules to call tools, and none fits what you said. These are on offer:")
    )
    lines = [f"- {offer.name}{_about(offer.description, han=han)}" for offer in offers[:_MAX_TOOLS]]
    if len(offers) > _MAX_TOOLS:
        rest = len(offers) - _MAX_TOOLS
        lines.append(f"- 另外 {rest} 个" if han else f"- and {rest} more")
    return "\n".join((INTRODUCTION[han] + head, *lines))


def ask(offer: Offer, parameter: Parameter, *, han: bool) -> str:
    """The question for what is missing. `asked` reads it again when the answer comes.

    >>> from broker.standin.offer import read_offers
    >>> from broker.standin.parameters import Shape
    >>> [offer] = read_offers([{"function": {"name": "f"}}])
    >>> print(ask(offer, Parameter(path=("size",), shape=Shape.TEXT, description="How big."), han=False))
    Rule-based stand-in, not a language model. To call `f` I need `size`: How big. What should it be?
    """
    choices = [choice for choice in parameter.choices[:20] if not choice.endswith("UNSPECIFIED")]
    about = _about(parameter.description, han=han)
    if han:
        listed = f"可选：{'、'.join(choices)}。" if choices else ""
        head = f"{INTRODUCTION[han]}调用 `{offer.name}` 还需要 `{parameter.dotted}`"
        return f"{head}{about or '。'}{listed}请问是什么？"
    listed = f" One of: {', '.join(choices)}." if choices else ""
    head = f"{INTRODUCTION[han]} To call `{offer.name}` I need `{parameter.dotted}`"
    return f"{head}{about or '.'}{listed} What should it be?"


def asked(text: str) -> tuple[str, str] | None:
    """The tool and the parameter that a question of `ask` is about; None for any other text.

    >>> asked("Rule-based stand-in, not a language model. To call `f` I need `size`. What should it be?")
    ('f', 'size')
    """
    for introduction in INTRODUCTION.values():
        if text.startswith(introduction) and text.endswith(("What should it be?", "请问是什么？")):
            match = _ASKED.match(text, len(introduction))
            return (match[1], match[2]) if match is not None else None
    return None


def report(results: Sequence[tuple[str, Mapping[str, Any], str]], *, han: bool) -> str:
    """One line for each (tool, arguments, content): what was asked for, and what came back.

    >>> print(report([("f", {"name": "oak"}, '{"height":{"metres":21.5},"age":90}')], han=False))
    Rule-based stand-in, not a language model. The tools answered:
    - oak: height (metres = 21.5), age = 90
    """
    head = INTRODUCTION[han] + ("工具的回答：" if han else " The tools answered:")
    return "\n".join([head, *(f"- {_result(*result, han=han)}" for result in results)])


def _result(tool: str, arguments: Mapping[str, Any], content: str, *, han: bool) -> str:
    label = ("、" if han else ", ").join(_scalars(arguments)) or tool or ("结果" if han else "result")
    colon = "：" if han else ": "
    value = _parsed(content)
    failure = _failure(content, value)
    if failure is not None:
        return _cut(f"{label}{colon}{'失败' if han else 'failed'}{colon}{failure}", _MAX_LINE)
    said = _members(value, 0, han=han) if isinstance(value, dict) else _shown(value, 0, han=han)
    return _cut(f"{label}{colon}{said or ('空' if han else 'empty')}", _MAX_LINE)


def _parsed(content: str) -> Any:
    """The JSON of a result, or its text on one line."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return " ".join(content[: 2 * _MAX_LINE].split())


def _failure(content: str, value: Any) -> str | None:
    """What an unsuccessful result says: text that begins with a status code, or JSON with an `error`."""
    if isinstance(value, str) and _CODE.match(content) is not None:
        return value
    if not isinstance(value, dict) or not value.get("error"):
        return None
    error = value["error"]
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def _scalars(value: Any, depth: int = 0) -> list[str]:
    """The values of arguments, to name a call by; at most three."""
    if isinstance(value, dict | list):
        members = list(value.values()) if isinstance(value, dict) else value
        inner = [] if depth > _MAX_DEPTH else members[: 2 * _MAX_ENTRIES]
        return [text for member in inner for text in _scalars(member, depth + 1)][:_MAX_ENTRIES]
    return [] if value is None else [_cut(_scalar(value), 60)]


def _members(value: Mapping[str, Any], depth: int, *, han: bool) -> str:
    parts = []
    for name, member in value.items():
        if isinstance(member, dict | list):
            parts.append(f"{name} {_shown(member, depth + 1, han=han)}")
        else:
            parts.append(f"{name} = {_scalar(member)}")
    return ("，" if han else ", ").join(parts)


def _shown(value: Any, depth: int, *, han: bool) -> str:
    if depth >= _MAX_DEPTH and isinstance(value, dict | list):
        return "(…)" if isinstance(value, dict) else "[…]"
    if isinstance(value, dict):
        return f"({_members(value, depth, han=han)})"
    if isinstance(value, list):
        shown = "; ".join(_shown(entry, depth + 1, han=han) for entry in value[:_MAX_ENTRIES])
        more = (
            (f"; … 共 {len(value)} 项" if han else f"; … {len(value)} in all")
            if len(value) > _MAX_ENTRIES
            else ""
        )
        return f"[{shown}{more}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    return _cut(value if isinstance(value, str) else orjson.dumps(value).decode(), _MAX_SCALAR)


def _about(description: str, *, han: bool) -> str:
    """`: ` and the first sentence of a description; nothing when there is none."""
    sentence = re.split(r"(?<=[.。])(?:\s|$)(?<!e\.g\.\s)|\n\n", description.strip()[:_MAX_LINE])[0]
    line = " ".join(sentence.replace("`", "'").split())
    return f"{'：' if han else ': '}{_cut(line, _MAX_SCALAR)}" if line else ""


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
