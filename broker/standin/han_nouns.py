"""The Chinese part of a text → the stretches between its function words, which may be names."""

import re
from collections.abc import Iterator

from broker.standin.latin_nouns import Piece
from broker.standin.lexicon import HAN_CONJUNCTIONS, HAN_FUNCTION_WORDS
from broker.standin.offer import Offer
from broker.standin.words import HAN

_RUN = re.compile(f"[{HAN}]+")
_LONGEST_FIRST = sorted(map(re.escape, HAN_FUNCTION_WORDS), key=len, reverse=True)
# Characters that are function words only beside certain others: not within 会议, 检查, 用户.
_GUARDED = (
    rf"(?<![社机省协开])会(?![议员长计])|(?<![{HAN}])(?:查|那|和)(?=[{HAN}])|用(?!户)|"
    f"(?:{'|'.join(word for word in HAN_CONJUNCTIONS if len(word) > 1)})"
)
_BOUNDARY = re.compile(
    f"{'|'.join(word for word in _LONGEST_FIRST if len(word) > 1)}|{_GUARDED}|"
    f"{'|'.join(word for word in _LONGEST_FIRST if len(word) == 1)}"
)
_CONJUNCTION = re.compile(f"[{''.join(word for word in HAN_CONJUNCTIONS if len(word) == 1)}]")


def han_pieces(masked: str, offer: Offer) -> list[Piece]:
    """What is left of the Chinese text without function words and without the tool's own words.

    >>> from broker.standin.offer import read_offers
    >>> text = "请告诉我共和国和橡树的高度"
    >>> [offer] = read_offers([{"function": {"name": "f", "description": "树木高度"}}])
    >>> [text[piece.start : piece.end] for piece in han_pieces(text, offer)]
    ['共和国', '橡树']
    """
    pieces = []
    for run in _RUN.finditer(masked):
        for start, end in _between(run[0], _BOUNDARY):
            for left, right in _parted(run[0][start:end]):
                for low, high in _unexplained(run[0][start + left : start + right], offer.han):
                    at = run.start() + start + left
                    pieces.append(Piece(start=at + low, end=at + high, han=True))
    return pieces


def _between(text: str, boundary: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where the stretches between the boundaries are."""
    start = 0
    for match in boundary.finditer(text):
        if match.start() > start:
            yield start, match.start()
        start = match.end()
    if len(text) > start:
        yield start, len(text)


def _parted(text: str) -> Iterator[tuple[int, int]]:
    """Where the stretches between conjunctions are; within 共和国, 和 is none: one side is too short."""
    start = 0
    for match in _CONJUNCTION.finditer(text):
        if match.start() - start >= 2 and len(text) - match.end() >= 2:
            yield start, match.start()
            start = match.end()
    yield start, len(text)


def _unexplained(text: str, known: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where the stretches are of which no two neighbouring characters are known."""
    covered = [False] * len(text)
    for at in range(len(text) - 1):
        if text[at : at + 2] in known:
            covered[at] = covered[at + 1] = True
    start = None
    for at, known_here in enumerate([*covered, True]):
        if known_here and start is not None:
            yield start, at
            start = None
        elif not known_here and start is None:
            start = at
