"""Text in English and Chinese → keys: notions of the lexicon, word stems, pairs of Chinese characters."""

import re

from broker.standin.lexicon import CONCEPTS, FUNCTION_WORDS, HAN_FUNCTION_WORDS, VAGUE_SORTS

HAN = "㐀-䶿一-鿿"
"""The range of Chinese characters, for use within a character class."""

_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN_WORD = re.compile(rf"[^\W\d_{HAN}]+(?:['’][^\W\d_{HAN}]+)?")
_NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HAN_FUNCTION = re.compile("|".join(sorted(map(re.escape, HAN_FUNCTION_WORDS), key=len, reverse=True)))

_LATIN_CONCEPT = {word: concept for concept, latin, _ in reversed(CONCEPTS) for word in latin.split()}
_HAN_CONCEPT = {word: concept for concept, _, han in reversed(CONCEPTS) for word in han.split()}
_HAN_CONCEPT_WORD = re.compile(
    "|".join(sorted((word for word in _HAN_CONCEPT if len(word) > 1), key=len, reverse=True))
)


def has_han(text: str) -> bool:
    """Whether there is a Chinese character in a text.

    >>> has_han("an 橡树"), has_han("an oak")
    (True, False)
    """
    return _HAN_RUN.search(text) is not None


def latin_words(text: str) -> list[str]:
    """The words of a text that are not Chinese, in lower case.

    >>> latin_words("What's a Käfer, 甲虫?")
    ["what's", 'a', 'käfer']
    """
    return [word.replace("’", "'").lower() for word in _LATIN_WORD.findall(text)]


def split_name(name: str) -> list[str]:
    """An identifier's words, in lower case.

    >>> split_name("lib_v1_LibraryService_GetHTTPBook")
    ['lib', 'v', '1', 'library', 'service', 'get', 'http', 'book']
    """
    return [part.lower() for part in _NAME_PART.findall(name)]


def stem(word: str) -> str:
    """A word without its English ending.

    >>> [stem(word) for word in ("days", "berries", "harvesting", "booked", "address", "today's")]
    ['day', 'berry', 'harvest', 'book', 'address', 'today']
    """
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def latin_key(word: str) -> str:
    """What an English word is compared by: its notion, or its stem.

    >>> latin_key("tomorrow"), latin_key("tickets"), latin_key("oaks")
    ('time:future', 'of:ticket', 'oak')
    """
    return _LATIN_CONCEPT.get(word) or _LATIN_CONCEPT.get(stem(word)) or stem(word)


def hint_keys(text: str) -> frozenset[str]:
    """Every key of a text, prepositions included: what a few words beside a value say of it.

    >>> sorted(hint_keys("from")), sorted(hint_keys("从")), sorted(hint_keys("天"))
    (['way:from'], ['way:from'], ['time:day'])
    """
    keys = {latin_key(word) for word in latin_words(text)} | _han_concepts(text)
    last = text.rstrip()[-1:]
    if last in _HAN_CONCEPT:
        keys.add(_HAN_CONCEPT[last])
    return frozenset(keys)


def topic_keys(text: str) -> frozenset[str]:
    """The keys that say what a text is about, function words left out.

    >>> sorted(topic_keys("Delete the old oak")), sorted(topic_keys("删除橡树"))
    (['do:delete', 'oak', 'old'], ['do:delete', '橡树'])
    """
    keys = {latin_key(word) for word in latin_words(text) if _says_something(word)}
    keys |= _han_concepts(text) | han_pairs(text)
    return frozenset(key for key in keys if not key.startswith("way:"))


def han_pairs(text: str) -> frozenset[str]:
    """Every two neighbouring Chinese characters of a text, function words left out.

    >>> sorted(han_pairs("请告诉我橡树林"))
    ['树林', '橡树']
    """
    stretches = [piece for run in _HAN_RUN.findall(text) for piece in _HAN_FUNCTION.split(run)]
    return frozenset(piece[at : at + 2] for piece in stretches for at in range(len(piece) - 1))


def is_vague(key: str) -> bool:
    """Whether a key may stand in a sentence about anything: when, from where, show me."""
    return key.partition(":")[0] in VAGUE_SORTS


def concept_words(concept: str) -> tuple[str, ...]:
    """The Chinese words for a notion.

    >>> concept_words("is:red")
    ('红', '红色')
    """
    return next((tuple(han.split()) for name, _, han in CONCEPTS if name == concept), ())


def _han_concepts(text: str) -> frozenset[str]:
    return frozenset(_HAN_CONCEPT[word] for word in _HAN_CONCEPT_WORD.findall(text))


def _says_something(word: str) -> bool:
    # Words of time are function words in a sentence, and yet tell "today" from "coming days".
    return word not in FUNCTION_WORDS or latin_key(word).startswith("time:")
