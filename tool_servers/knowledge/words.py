"""Text → the words by which it is found: the same for documents and queries, for SQLite and PostgreSQL."""

import re
import unicodedata
from collections.abc import Iterator

import snowballstemmer

_stemmer = snowballstemmer.stemmer("english")
# A Latin word or a number, or one letter of another script.
_PIECES = re.compile(r"[a-z0-9]+|[^\W\da-z_]")
_STOP_WORDS = """
a an and are as at be by can do does for from has have how i if in is it its of on or that the their there
this to was what when where which who why will with you your 的 了 是 在 吗 呢 怎 么 什 我 们 有 和
"""
_STOP = frozenset(_STOP_WORDS.split())


def words(text: str) -> list[str]:
    """Stems of Latin words, and each character of other scripts as `u` and its number, in their order.

    So all is ASCII, which every database takes for words. What says nothing (the, 的) is left out.

    >>> words("How are the tool calls approved?")
    ['tool', 'call', 'approv']
    >>> words("审批 café")
    ['u5ba1', 'u6279', 'cafe']
    """
    return [_stem(piece) for piece in _pieces(text) if piece not in _STOP]


def _pieces(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return iter(_PIECES.findall(plain))


def _stem(piece: str) -> str:
    if not piece.isascii():
        return f"u{ord(piece):x}"
    stem: str = _stemmer.stemWord(piece)
    return stem
