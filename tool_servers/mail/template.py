"""A text and values → the text of one mail. `{{name}}` stands for a value; there is no logic."""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,49})\s*\}\}")
_BRACES = re.compile(r"\{\{.{0,60}")


def names(text: str) -> list[str]:
    """The placeholders of a text, each once, in their order.

    >>> names("Dear {{name}}, {{ years }} years, {{name}}!")
    ['name', 'years']
    """
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def odd(text: str) -> str | None:
    """The first `{{` that is no placeholder; None: there is none.

    >>> odd("Dear {{first name}}")
    '{{first name}}'
    >>> odd("Dear {{name}}, {braces} are no matter")
    """
    found = _BRACES.search(_PLACEHOLDER.sub("", text))
    return None if found is None else found.group().partition("}}")[0] + "}}"


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with all values in place. What stands in a value is not looked at again.

    >>> fill("Dear {{name}}", {"name": "{{x}}"})
    'Dear {{x}}'
    """
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
