"""The Latin part of a text → what may be names: capitalised words, words after a preposition, words left."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from broker.standin.lexicon import DETERMINERS, FUNCTION_WORDS, PREPOSITIONS
from broker.standin.offer import Offer
from broker.standin.words import HAN, has_han, latin_key

LEFT_OVER, AFTER_PREPOSITION, CAPITALISED = range(3)
"""How sure it is that words are a name."""

_TOKEN = re.compile(rf"[^\W\d_{HAN}](?:[^\W{HAN}]|['’&-](?=[^\W{HAN}]))*")
_PARTICLES = frozenset(
    ("de", "la", "le", "du", "da", "do", "dos", "del", "di", "van", "von", "der", "al", "el", "of")
)
_CLAUSE_HEAD = re.compile(r"(?:^|[.!?:\n])\W*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """`text[start:end]`, which may be a name."""

    start: int
    end: int
    han: bool
    rank: int = CAPITALISED


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str
    rank: int | None
    """None for a word that is no part of a name."""


def latin_pieces(masked: str, offer: Offer) -> list[Piece]:
    """Runs of words that may be names, in the order of the text."""
    tokens = _join_particles(masked, _tokens(masked, offer))
    pieces = []
    for run in _runs(masked, tokens):
        rank = max(token.rank or 0 for token in run)
        if rank == LEFT_OVER and _preposition_before(masked, run[0].start):
            rank = AFTER_PREPOSITION
        pieces.append(Piece(start=run[0].start, end=run[-1].end, han=False, rank=rank))
    return pieces


def _tokens(masked: str, offer: Offer) -> list[_Token]:
    matches = list(_TOKEN.finditer(masked))
    following = [*(match[0].lower() for match in matches), ""][1:]
    han = has_han(masked)
    tokens = []
    for match, after in zip(matches, following, strict=True):
        head = _CLAUSE_HEAD.search(masked[max(0, match.start() - 8) : match.start()]) is not None
        rank = _rank(match[0], after, head=head, offer=offer)
        if han and rank is not None:
            rank = CAPITALISED  # in a Chinese sentence, a Latin word is a name however it is written
        tokens.append(_Token(match.start(), match.end(), match[0], rank))
    return tokens


def _rank(word: str, after: str, *, head: bool, offer: Offer) -> int | None:
    lower = word.lower().replace("’", "'")
    key = latin_key(lower)
    if lower in FUNCTION_WORDS and not (word[0].isupper() and not head):
        return None
    capital = word[0].isupper() or any(character.isdigit() for character in word)
    if not capital:
        return None if key in offer.weights else LEFT_OVER
    if lower in FUNCTION_WORDS or key in offer.name_keys:
        return None
    if head and (after in DETERMINERS or key in offer.weights or key.startswith(("do:", "ask:"))):
        return None  # a verb, or what is asked about
    return CAPITALISED


def _runs(masked: str, tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    """Tokens of one rank with only a space between."""
    run: list[_Token] = []
    for token in tokens:
        if token.rank is None:
            continue
        if run and (token.rank != run[-1].rank or masked[run[-1].end : token.start] != " "):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _join_particles(masked: str, tokens: Sequence[_Token]) -> list[_Token]:
    """A particle between two capitalised words belongs to the name: Leonardo da Vinci."""
    joined = list(tokens)
    for at in range(1, len(tokens) - 1):
        before, token, after = tokens[at - 1 : at + 2]
        spaced = masked[before.end : after.start] == f" {token.word} "
        if token.word in _PARTICLES and spaced and before.rank == after.rank == CAPITALISED:
            joined[at] = replace(token, rank=CAPITALISED)
    return joined


def _preposition_before(masked: str, start: int) -> bool:
    """Whether a preposition stands before, with or without an article or a bar between."""
    words = re.findall(r"[A-Za-z']+", masked[max(0, start - 24) : start].lower())
    while words and words[-1] in DETERMINERS:
        words.pop()
    return bool(words) and words[-1] in PREPOSITIONS
