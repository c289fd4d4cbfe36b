"""A schema of one value → the same in the keywords that a provider takes, and the rest of it in words."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from broker.schema.limits import Limits

_LOOKAROUND = re.compile(r"\(\?<?[=!]")


def fit(schema: Mapping[str, Any], limits: Limits) -> tuple[dict[str, Any], list[str]]:
    """What is taken of a schema, and a sentence for each thing that is not.

    >>> from broker.schema.limits import LIMITS
    >>> fit({"type": "string", "minLength": 1, "maxLength": 80}, LIMITS["openai-strict"])
    ({'type': 'string'}, ['1 to 80 characters.'])
    """
    if limits.keywords is None and limits.formats is None and limits.lookaround and not limits.text_enums:
        return dict(schema), []
    refused = {key: value for key, value in schema.items() if not _takes(limits, key, value)}
    if not refused:
        return dict(schema), []
    kept = {key: value for key, value in schema.items() if key not in refused}
    return kept, in_words(refused)


def _takes(limits: Limits, key: str, value: Any) -> bool:
    if limits.keywords is not None and key not in limits.keywords:
        return False
    if key == "enum":
        return not limits.text_enums or all(isinstance(one, str) for one in value)
    if key == "format":
        return limits.formats is None or value in limits.formats
    return key != "pattern" or limits.lookaround or _LOOKAROUND.search(value) is None


_RANGES = (
    ("minLength", "maxLength", ("character", "characters")),
    ("minItems", "maxItems", ("item", "items")),
    ("minProperties", "maxProperties", ("entry", "entries")),
    ("minimum", "maximum", ("", "")),
)
_SENTENCES = {
    "exclusiveMinimum": "More than {}.",
    "exclusiveMaximum": "Less than {}.",
    "multipleOf": "A multiple of {}.",
    "pattern": "Must match {}.",
    "format": "Format: {}.",
    "const": "Always {}.",
    "default": "Default: {}.",
    "examples": "E.g. {}.",
}
# Said by the kind's own hint, or by the shape, or to validators only.
_UNSAID = frozenset(
    {"type", "contentEncoding", "propertyNames", "additionalProperties", "title", "deprecated"}
)


def in_words(refused: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that the keywords say.

    >>> in_words({"type": "string", "minLength": 1, "enum": ["a", "b"]})
    ['At least 1 character.', 'One of a, b.']
    """
    words = []
    for least, most, units in _RANGES:
        if least in refused or most in refused:
            words.append(_range(refused.get(least), refused.get(most), units))
    words += [text.format(_plain(refused[key])) for key, text in _SENTENCES.items() if key in refused]
    if "enum" in refused:
        words.append(_enum(refused["enum"]))
    if refused.get("uniqueItems"):
        words.append("No item twice.")
    return words + _others(refused)


def _range(least: Any, most: Any, units: tuple[str, str]) -> str:
    unit = f" {units[0] if (least if most is None else most) == 1 else units[1]}".rstrip()
    if least is not None and most is not None:
        return f"{least} to {most}{unit}." if least != most else f"Exactly {least}{unit}."
    return f"At least {least}{unit}." if least is not None else f"At most {most}{unit}."


def _enum(values: Sequence[Any]) -> str:
    return f"Always {_plain(values[0])}." if len(values) == 1 else f"One of {_plain(list(values))}."


def _others(refused: Mapping[str, Any]) -> list[str]:
    """What no sentence is made for is said as it stands: nothing that was asked for is lost."""
    known = {*_SENTENCES, *_UNSAID, "uniqueItems", "enum", *(key for row in _RANGES for key in row[:2])}
    return [f"{key}: {json.dumps(value)}." for key, value in refused.items() if key not in known]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return value if isinstance(value, str) else json.dumps(value)


def of_entries(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of a map that is written as a list of its entries."""
    names = {"minProperties": "minItems", "maxProperties": "maxItems"}
    return {names.get(key, key): value for key, value in keywords.items()}
