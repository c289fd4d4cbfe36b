"""A sentence and an enum or a flag → the values that it names, in the enum's words or its description's."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from broker.standin.lexicon import FUNCTION_WORDS, HAN_NEGATIONS, NEGATIONS
from broker.standin.parameters import Parameter
from broker.standin.sentence import Sentence
from broker.standin.spans import Kind, Span
from broker.standin.words import HAN, concept_words, hint_keys, is_vague, latin_key, latin_words, split_name

_WORD = re.compile(rf"[^\W_{HAN}]+")
_HAN_REMARK = re.compile(f"[{HAN}]{{2,8}}")
_REMARK_LENGTH = 120
_YES = re.compile(r"\b(?:yes|true|on|sure|ok)\b|^(?:是|要|好|对|需要)", re.IGNORECASE)
_NO = re.compile(r"\b(?:no|false|off|not)\b|^(?:否|不|没)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    """One value of an enum."""

    name: str
    words: tuple[str, ...]
    """Those that not all of the values begin with."""
    remark: str
    """What the description says of it."""
    others: str
    """What the description says of the other values."""


def find_choices(sentence: Sentence, parameter: Parameter) -> list[Span]:
    """Where a sentence names values of an enum, in its order; the span's value is the enum's own name.

    >>> from datetime import date
    >>> from broker.standin.parameters import Shape
    >>> from broker.standin.sentence import read
    >>> enum = Parameter(path=("finish",), shape=Shape.ENUM, choices=("FINISH_MATT", "FINISH_SATIN"))
    >>> [span.value for span in find_choices(read("Satin or finish_matt", today=date(2026, 3, 1)), enum)]
    ['FINISH_SATIN', 'FINISH_MATT']
    """
    found: list[Span] = []
    choices = sorted(_read(parameter), key=lambda choice: -len(choice.words))  # "extra large" before "large"
    for find in (_by_name, _by_words, _by_notion, _by_remark):
        for choice in choices:
            for start, end in find(sentence.text, choice):
                if not any(span.start < end and start < span.end for span in found):
                    found.append(Span(start=start, end=end, kind=Kind.NOUN, value=choice.name))
    return sorted(found, key=lambda span: span.start)


def find_flag(sentence: Sentence, parameter: Parameter, *, answer: bool = False) -> bool | None:
    """Whether a sentence sets or unsets a flag; `answer`: it is the answer to a question about it.

    >>> from datetime import date
    >>> from broker.standin.parameters import Shape
    >>> from broker.standin.sentence import read
    >>> flag = Parameter(path=("gift_wrap",), shape=Shape.BOOLEAN)
    >>> sentences = [read(text, today=date(2026, 3, 1)) for text in ("with gift wrap", "no gift wrap", "?")]
    >>> [find_flag(sentence, flag) for sentence in sentences]
    [True, False, None]
    """
    text = sentence.text
    if answer and (_NO.search(text) or _YES.search(text)):
        return _NO.search(text) is None
    words = [word for word in split_name(parameter.name) if word not in FUNCTION_WORDS]
    keys = {latin_key(word) for word in words}
    if not keys or not keys <= hint_keys(text):
        return None
    before = latin_words(text.lower().partition(words[0])[0])[-3:]
    negated = any(word in NEGATIONS for word in before)
    notions = [word for key in keys for word in concept_words(key)]
    return not (negated or any(no + word in text for no in HAN_NEGATIONS for word in notions))


def _read(parameter: Parameter) -> list[_Choice]:
    words = {choice: tuple(split_name(choice)) for choice in parameter.choices}
    shared = _shared(list(words.values()))
    remarks = _remarks(parameter)
    return [
        _Choice(
            name=choice,
            words=phrase[shared:],
            remark=remarks.get(choice, "").lower(),
            others=" ".join(remark for other, remark in remarks.items() if other != choice).lower(),
        )
        for choice, phrase in words.items()
        if phrase[shared:] and phrase[-1] != "unspecified"
    ]


def _shared(phrases: Sequence[Sequence[str]]) -> int:
    """How many words all of several phrases begin with; one is left to each."""
    if len(phrases) < 2:
        return 0
    shortest = min(map(len, phrases))
    return next(
        (at for at in range(shortest - 1) if len({phrase[at] for phrase in phrases}) > 1),
        max(0, shortest - 1),
    )


def _remarks(parameter: Parameter) -> dict[str, str]:
    """What the description says behind each choice's name: `RED = 红色; BLUE = 蓝色`."""
    names = "|".join(sorted(map(re.escape, parameter.choices[:100]), key=len, reverse=True))
    parts = re.split(rf"\b({names})\b", parameter.description)
    said = zip(parts[1::2], parts[2::2], strict=True)
    return {name: re.split("[;；\n]", text[:_REMARK_LENGTH])[0] for name, text in said}


def _by_name(text: str, choice: _Choice) -> Iterator[tuple[int, int]]:
    if choice.name.lower() not in FUNCTION_WORDS:
        for match in re.finditer(rf"(?<!\w){re.escape(choice.name)}(?!\w)", text, re.IGNORECASE):
            yield match.span()


def _by_words(text: str, choice: _Choice) -> Iterator[tuple[int, int]]:
    if all(word in FUNCTION_WORDS for word in choice.words):
        return
    words = list(_WORD.finditer(text))
    keys = [latin_key(word[0].lower()) for word in words]
    wanted = [latin_key(word) for word in choice.words]
    for at in range(len(keys) - len(wanted) + 1):
        if keys[at : at + len(wanted)] == wanted:
            yield words[at].start(), words[at + len(wanted) - 1].end()


def _by_notion(text: str, choice: _Choice) -> Iterator[tuple[int, int]]:
    """A choice in English, named in Chinese by a general word."""
    if len(choice.words) != 1:
        return
    for word in concept_words(latin_key(choice.words[0])):
        # One character may be a part of any word: 红 alone is red only in 红的, or between other signs.
        pattern = word if len(word) > 1 else rf"(?<![{HAN}]){word}(?![{HAN}])|{word}(?=的)"
        yield from (match.span() for match in re.finditer(pattern, text))


def _by_remark(text: str, choice: _Choice) -> Iterator[tuple[int, int]]:
    """A word of the description that is said of this choice alone."""
    for word in _WORD.finditer(text):
        lower = word[0].lower()
        if _tells(lower) and lower in latin_words(choice.remark) and lower not in choice.others:
            yield word.span()
    for said in _HAN_REMARK.findall(choice.remark):
        if said not in choice.others:
            yield from (match.span() for match in re.finditer(said, text))


def _tells(word: str) -> bool:
    return len(word) > 2 and word not in FUNCTION_WORDS and not is_vague(latin_key(word))
