"""Text → the words by which it is found: the same for documents and queries, for SQLite and PostgreSQL."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

_stemmer = snowballstemmer.stemmer("english")
# Scripts that put no blanks between words: Thai to Myanmar, Khmer, Chinese and Japanese; and Korean, where
# blanks stand around more than a word.
_WITHOUT_BLANKS = "\u0e00-\u109f\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
# A Latin word or a number, a letter of those scripts, or a word of any other script.
_PIECES = re.compile(rf"[a-z0-9]+|(?:(?![{_WITHOUT_BLANKS}])[^\W\da-z_])+|[{_WITHOUT_BLANKS}]")
_STOP_WORDS = """
a an and are as at be by can do does for from has have how i if in is it its of on or that the their there
this to was what when where which who why will with you your 的 了 是 在 吗 呢 怎 么 什 我 们 有 和
"""
_STOP = frozenset(_STOP_WORDS.split())


def words(text: str) -> list[str]:
    """Stems of Latin words, and other words by the numbers of their letters, in their order.

    Where words have no blanks between them, as in Chinese, each letter is one. So all is ASCII, which every
    database takes for words. What says nothing (the, 的) is left out.

    >>> words("How are the tool calls approved?")
    ['tool', 'call', 'approv']
    >>> words("审批 café")
    ['u5ba1', 'u6279', 'cafe']
    >>> words("чай")
    ['u447u430u438']
    """
    return [_stem(piece) for piece in _pieces(text) if piece not in _STOP]


def _pieces(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    # What was taken apart is put together again: a letter of Korean is a syllable.
    return iter(_PIECES.findall(unicodedata.normalize("NFC", plain)))


# The same words stand in a folder again and again, and the stemmer is slow.
@lru_cache(maxsize=100_000)
def _stem(piece: str) -> str:
    if not piece.isascii():
        return "".join(f"u{ord(letter):x}" for letter in piece)
    stem: str = _stemmer.stemWord(piece)
    return stem
