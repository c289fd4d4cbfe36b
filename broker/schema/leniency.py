"""A value in a form that its kind does not have → what it can only mean, or None where that is not certain.

Tried after the exact form. Nothing here loses or guesses anything: no rounding, no units, no time zones.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from broker.schema.arguments import Reading
from broker.schema.problems import plain

# Longer than any number that fits into 64 bits, however it is written.
_MAX_NUMBER = 400
_TOO_LARGE = 2**100


def whole_number(text: str) -> int | None:
    """The integer that a decimal number stands for; None when it has a fraction.

    >>> whole_number("1e3"), whole_number("2.0"), whole_number("2.5")
    (1000, 2, None)
    """
    number = Decimal(text[:_MAX_NUMBER])
    if len(text) > _MAX_NUMBER or number.adjusted() > _MAX_NUMBER:
        # Out of every range; so large a number is not computed.
        return _TOO_LARGE
    return int(number) if number.to_integral_value() == number else None


_TRUTHS = {"true": True, "false": False}


def truth(value: Any, reading: Reading) -> bool | None:
    """ "true" and "false", in any case."""
    words = reading.lenient and type(value) is str and len(value) <= 5
    return _TRUTHS.get(value.lower()) if words else None


_URL_SAFE = str.maketrans("-_", "+/")
_DATA_URI = re.compile(r"data:[^,]{0,200};base64,")


def base64_bytes(text: str, reading: Reading) -> bytes | None:
    """Base64 that is URL-safe, or lacks its padding, as ProtoJSON allows; or is in a data: URI."""
    match = _DATA_URI.match(text) if reading.lenient else None
    if match is not None:
        return data_uri(text)
    unpadded = text.rstrip("=") if len(text) % 4 == 0 else text
    return _unpadded_bytes(unpadded.translate(_URL_SAFE))


def _unpadded_bytes(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return None


def data_uri(text: str) -> bytes | None:
    """The bytes of a data: URI in base64; None when the text is no such URI."""
    match = _DATA_URI.match(text)
    try:
        return None if match is None else base64.b64decode(text[match.end() :], validate=True)
    except ValueError:
        return None


def enum_number(word: str, names: Mapping[str, int], prefixes: Sequence[str]) -> int | None:
    """The number of the one value that a word can only mean: in another case or spelling, or less a prefix.

    >>> enum_number("sci-fi", {"GENRE_SCI_FI": 1, "GENRE_CRIME": 2}, ["genre"])
    1
    """
    wanted = plain(word)
    if not wanted:
        return None
    spelled = {number for name, number in names.items() if plain(name) == wanted}
    meant = spelled or {
        number
        for name, number in names.items()
        for prefix in prefixes
        if prefix and plain(name) == prefix + wanted
    }
    return meant.pop() if len(meant) == 1 else None


_WRAPPERS = {"request", "input", "args", "arguments", "params", "body"}


def unwrapped(arguments: dict[str, Any], message_name: str) -> dict[str, Any] | None:
    """The object in a wrapper that some models put around all arguments; None when there is no wrapper.

    >>> unwrapped({"request": {"days": 3}}, "GetForecastRequest")
    {'days': 3}
    """
    if len(arguments) != 1:
        return None
    key, inner = next(iter(arguments.items()))
    wraps = key.lower() in _WRAPPERS or key == message_name
    return inner if wraps and type(inner) is dict else None


def entries(items: list[Any]) -> list[tuple[Any, Any]] | None:
    """The pairs of a map that is written as a list of key/value objects.

    >>> entries([{"key": "a", "value": 1}])
    [('a', 1)]
    """
    fits = all(type(item) is dict and item.keys() == {"key", "value"} for item in items)
    pairs = [(_key(item["key"]), item["value"]) for item in items] if fits else []
    return None if not fits or any(key is None for key, _ in pairs) else pairs


def _key(key: Any) -> str | None:
    """The key as JSON writes it in an object."""
    if type(key) is bool or type(key) is int:
        return str(key).lower()
    return key if isinstance(key, str) else None
