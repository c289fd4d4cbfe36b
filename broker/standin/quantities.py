"""Text → the numbers in it, with what they count: 5 days, twenty-one, 3.5 kg, 三天, 十二."""

import re
from collections.abc import Iterator

from broker.standin.lexicon import (
    FUNCTION_WORDS,
    HAN_DIGITS,
    HAN_MEASURES,
    HAN_POWERS,
    NUMBER_POWERS,
    NUMBER_WORDS,
)
from broker.standin.spans import HAN_NUMERAL, Kind, Span
from broker.standin.words import latin_key

_MEASURE = "|".join(HAN_MEASURES)
_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_.])(?P<number>[-+]?\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,15})?|[-+]?\d{1,40}(?:\.\d{1,15})?)"
    rf"(?P<power>[万亿])?(?:\s*个?(?P<measure>{_MEASURE}|%)|\s?(?P<unit>[A-Za-z]{{1,20}}))?(?![0-9])"
)
_HAN = re.compile(rf"(?<![{''.join(HAN_DIGITS)}第])(?P<number>{HAN_NUMERAL})(?:个?(?P<measure>{_MEASURE}))?")
_WORD = "|".join(sorted((*NUMBER_WORDS, *NUMBER_POWERS), key=len, reverse=True))
_ONE = r"an?(?=\s(?:second|minute|hour|day|night|week|month|year)\b)"
_WORDS = re.compile(
    rf"\b(?P<number>{_ONE}|(?:{'|'.join(NUMBER_WORDS)})(?:(?:\s+and\s+|[\s-]+)(?:{_WORD}))*)\b(?:\s+(?P<unit>[a-z]{{1,20}}))?",
    re.IGNORECASE,
)
_ARTICLES = ("个", "位", "名", "种", "些")


def find_numbers(text: str) -> list[Span]:
    """Every number of a text, in its order.

    >>> [(span.value, span.unit) for span in find_numbers("two tickets, 1,500 g, 三天, 3万")]
    [(2, 'tickets'), (1500, 'g'), (3, '天'), (30000, '')]
    >>> [span.value for span in find_numbers("三思, 百感, GPT4, 一下, 一个")]
    []
    """
    found = [*_digits(text), *_han(text), *_words(text)]
    return sorted(found, key=lambda span: span.start)


def parse_han(numeral: str) -> int:
    """A Chinese number's value.

    >>> [parse_han(text) for text in ("十二", "二十", "一百零五", "三千", "两亿五千万", "二〇二六")]
    [12, 20, 105, 3000, 250000000, 2026]
    """
    if not any(character in HAN_POWERS for character in numeral):
        return int("".join(str(HAN_DIGITS[character]) for character in numeral))
    total = section = digit = 0
    for character in numeral:
        if character in HAN_DIGITS:
            digit = HAN_DIGITS[character]
        elif (power := HAN_POWERS[character]) == 10_000:
            total, section, digit = total + (section + digit) * power, 0, 0
        elif power > 10_000:
            total, section, digit = (total + section + digit) * power, 0, 0
        else:
            section, digit = section + max(digit, 1) * power, 0
    return total + section + digit


def parse_words(words: str) -> int:
    """An English number's value.

    >>> [parse_words(text) for text in ("twelve", "Twenty-one", "two hundred and five", "three thousand")]
    [12, 21, 205, 3000]
    """
    total = section = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in ("a", "an"):
            section += 1
        elif word in NUMBER_WORDS:
            section += NUMBER_WORDS[word]
        elif word == "hundred":
            section *= 100
        elif word in NUMBER_POWERS:
            total, section = total + section * NUMBER_POWERS[word], 0
    return total + section


def _digits(text: str) -> Iterator[Span]:
    for match in _DIGITS.finditer(text):
        digits = match["number"].replace(",", "")
        value: int | float = float(digits) if "." in digits else int(digits)
        if match["power"] is not None:
            value *= HAN_POWERS[match["power"]]
        yield _span(match, value)


def _han(text: str) -> Iterator[Span]:
    whole = re.fullmatch(rf"\W*(?P<number>{HAN_NUMERAL})\W*", text)
    if whole is not None:
        start, end = whole.span("number")
        yield Span(start=start, end=end, kind=Kind.NUMBER, value=parse_han(whole["number"]))
        return
    for match in _HAN.finditer(text):
        if _counts(match["number"], match["measure"]):
            yield _span(match, parse_han(match["number"]))


def _counts(numeral: str, measure: str | None) -> bool:
    """Whether it is a number: 三 alone may begin a name, and 一个 is an article."""
    if measure is None:
        return len(numeral) > 1 and any(character in HAN_POWERS for character in numeral)
    return numeral != "一" or measure not in _ARTICLES


def _words(text: str) -> Iterator[Span]:
    for match in _WORDS.finditer(text):
        if (match["unit"] or "").lower() != "of":
            yield _span(match, parse_words(match["number"]))


def _span(match: re.Match[str], value: int | float) -> Span:
    """The unit belongs to the span when it is one everywhere; "apples" may be a value of its own."""
    measure, word = match.groupdict().get("measure"), match.groupdict().get("unit") or ""
    known = latin_key(word.lower()).startswith("time:")
    if word.lower() in FUNCTION_WORDS and not known:
        word = ""
    end = match.end() if measure is not None or (word and known) else match.end("number")
    end = max(end, match.end("power")) if match.groupdict().get("power") else end
    return Span(start=match.start("number"), end=end, kind=Kind.NUMBER, value=value, unit=measure or word)
