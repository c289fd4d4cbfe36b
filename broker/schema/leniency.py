"""A value in a form that its kind does not have → what it can only mean, or None where that is not certain.

Tried after the exact form. Nothing here loses or guesses anything: no rounding, no units, no time zones.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from broker.schema.arguments import MAX_ATTACHED, Reading
from broker.schema.problems import Refused, listed, plain, quoted

# Longer than any number that fits into 64 bits, however it is written.
_MAX_NUMBER = 400
_TOO_LARGE = 2**100


def whole_number(text: str) -> int | None:
    """The integer that a decimal number stands for; None when it has a fraction.

    >>> whole_number("1e3"), whole_number("2.0"), whole_number("2.5")
    (1000, 2, None)
    """
    if len(text) > _MAX_NUMBER:
        return _TOO_LARGE
    try:
        number = Decimal(text)
    except InvalidOperation:  # its exponent has more than 18 digits
        return None if "e-" in text.lower() else _TOO_LARGE
    if number.adjusted() > _MAX_NUMBER:
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


def base64_bytes(text: str) -> bytes | None:
    """Base64 that is URL-safe, or lacks its padding, as ProtoJSON allows."""
    unpadded = text.rstrip("=") if len(text) % 4 == 0 else text
    return _unpadded_bytes(unpadded.translate(_URL_SAFE))


_HANDLE = re.compile(r"image:[0-9]{1,9}")


def attachment(text: str, reading: Reading) -> bytes | None:
    """What a handle stands for; None when the text is no handle. Raises Refused for one that is not known."""
    data = reading.attachments.get(text)
    if data is None:
        if _HANDLE.fullmatch(text) is None:
            return None
        known = list(reading.attachments)
        raise Refused(
            f"there is no {quoted(text)}; there are: {listed(known, text)}."
            if known
            else f"there is no {quoted(text)}, and no other image. Send the bytes as base64."
        )
    reading.attached += len(data)
    if reading.attached > MAX_ATTACHED:
        raise Refused(f"more than {MAX_ATTACHED:,} bytes are attached to this call; attach fewer or smaller.")
    return data


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


_MAX_WORD = 200


def enum_spellings(names: Sequence[str], enum_name: str) -> list[Mapping[str, set[str]]]:
    """What a name may be spelled as → the names; first with only case set aside, then without a prefix too.

    A prefix is the enum's own name, as in COLOR_RED, or what all its names begin with.
    """
    whole: dict[str, set[str]] = {}
    short: dict[str, set[str]] = {}
    common = common_prefix(names)
    for name in names:
        whole.setdefault(name.lower(), set()).add(name)
        steps = [place for place, letter in enumerate(name) if letter == "_"]
        own = [place + 1 for place in steps if plain(name[:place]) == plain(enum_name)]
        for prefix in {*own, common} - {0, len(name)}:
            short.setdefault(name[prefix:].lower(), set()).add(name)
    return [whole, short]


def enum_name(
    word: str, spellings: Sequence[Mapping[str, set[str]]], numbers: Mapping[str, int]
) -> str | None:
    """The name of the one value that a word can only mean: in another case, with spaces or hyphens for
    underscores, or less a prefix; None where there are several, or none.

    >>> numbers = {"GENRE_SCI_FI": 1, "GENRE_CRIME": 2}
    >>> enum_name("sci-fi", enum_spellings(list(numbers), "Genre"), numbers)
    'GENRE_SCI_FI'
    """
    if len(word) > _MAX_WORD:
        return None
    lower = word.lower()
    for spelled in (lower, lower.replace(" ", "_").replace("-", "_")):
        for names in (each.get(spelled, set()) for each in spellings):
            if len({numbers[name] for name in names}) == 1:
                return min(names)
            if names:
                return None
    return None


def common_prefix(names: Sequence[str]) -> int:
    """The length of what all names begin with, up to and with an underscore."""
    first, last = min(names), max(names)  # what these two share, all between them share
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first[:same].rfind("_") + 1


_WRAPPERS = {"request", "input", "args", "arguments", "params", "body"}


def unwrapped(arguments: dict[str, Any], message_name: str) -> tuple[str, Any] | None:
    """The key and the content of what some models wrap around all arguments; None when there is no wrapper.

    >>> unwrapped({"request": {"days": 3}, "_meta": {}}, "GetForecastRequest")
    ('request', {'days': 3})
    """
    items = [item for item in arguments.items() if item[0] != "_meta"]
    if len(items) != 1:
        return None
    key, inner = items[0]
    wraps = key.lower() in _WRAPPERS or plain(key[:200]) == plain(message_name)
    return (key, inner) if wraps and type(inner) in (dict, str) else None


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
