"""A sentence and the tool that it may be for → the names in it, joined ones together, and how sure each is.

What a question is about stands last in Chinese ("橡树的高度", "橡树高度多少"), so the last stretch of a
clause is not a value; where nothing parts the two, the last two or four characters are taken for it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from broker.standin.han_nouns import han_pieces
from broker.standin.latin_nouns import AFTER_PREPOSITION, CAPITALISED, Piece, latin_pieces
from broker.standin.lexicon import HAN_PREPOSITIONS, HAN_QUESTIONS
from broker.standin.offer import Offer
from broker.standin.sentence import Sentence
from broker.standin.spans import Group, Kind, Span, coordinated, lead
from broker.standin.words import han_pairs

_CLAUSE = re.compile(r"[。？！；;?!\n]")
_ENDS = re.compile(rf"[\s|]*(?:{'|'.join(HAN_QUESTIONS)}|[，,。？！；;?!\n]|$)")
_ASKED = re.compile(rf"[\s|]*(?:{'|'.join(HAN_QUESTIONS)})")
_LED = re.compile(
    rf"(?:{'|'.join(HAN_PREPOSITIONS)}|\b(?:in|at|for|of|from|to|about|near|on|named|called))[\s|]*$", re.I
)
_MAX_HAN = 12
_MAX_GROUPS = 64
_MIN_SPLIT = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """Pieces that are joined."""

    pieces: tuple[Piece, ...]
    strength: int

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end


def find_nouns(sentence: Sentence, offer: Offer, *, whole: bool = False) -> list[Group]:
    """The names of a sentence in its order; `whole`: it answers a question, so nothing in it is a topic."""
    masked = sentence.masked
    pieces = sorted((*latin_pieces(masked, offer), *han_pieces(masked, offer)), key=lambda piece: piece.start)
    groups = []
    for clause in _clauses(masked, pieces):
        runs = [_run(masked, run) for run in _joined(masked, clause)]
        if sentence.han and not whole:
            runs = _without_topic(masked, runs, offer)
        for at, run in enumerate(runs):
            groups += _group(sentence, run, previous=runs[at - 1].end if at else 0)
    return groups[:_MAX_GROUPS]


def _clauses(masked: str, pieces: Sequence[Piece]) -> list[list[Piece]]:
    clauses: list[list[Piece]] = []
    for piece in pieces:
        if clauses and _CLAUSE.search(masked, clauses[-1][-1].end, piece.start) is None:
            clauses[-1].append(piece)
        else:
            clauses.append([piece])
    return clauses


def _joined(masked: str, pieces: Sequence[Piece]) -> list[list[Piece]]:
    runs: list[list[Piece]] = []
    for piece in pieces:
        if runs and _continues(masked, runs[-1][-1], piece):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _continues(masked: str, before: Piece, piece: Piece) -> bool:
    """Whether a piece is joined to the one before: what follows ， and is asked about begins anew."""
    gap = masked[before.end : piece.start]
    anew = piece.han and "，" in gap and _ASKED.match(masked, piece.end) is not None
    return coordinated(gap) and not anew


def _run(masked: str, pieces: Sequence[Piece]) -> _Run:
    """Beside a capitalised name, an uncapitalised word is no name."""
    best = max(piece.rank for piece in pieces)
    kept = tuple(piece for piece in pieces if best < CAPITALISED or piece.rank == CAPITALISED)
    led = _LED.search(masked, max(0, kept[0].start - _MAX_HAN), kept[0].start) is not None
    if best == CAPITALISED and (led or len(kept) > 1):
        return _Run(pieces=kept, strength=2)
    likely = best == AFTER_PREPOSITION or (best == CAPITALISED and not kept[0].han)
    return _Run(pieces=kept, strength=int(likely))


def _without_topic(masked: str, runs: list[_Run], offer: Offer) -> list[_Run]:
    """A Chinese clause's runs without the one that says what is asked about."""
    if _names_topic(masked[max(0, runs[0].start - _MAX_HAN) : runs[-1].end + _MAX_HAN], offer):
        return [replace(run, strength=2) for run in runs]
    kept: list[_Run] = []
    for run in runs:
        final = _ENDS.match(masked, run.end) is not None
        if final and kept and _may_be_topic(run):
            kept = [replace(before, strength=2) for before in kept]
        elif final and not kept and run.pieces[-1].han:
            kept += _split(masked, run)
        else:
            kept.append(run)
    return kept


def _names_topic(text: str, offer: Offer) -> bool:
    """Whether the tool's own Chinese words are there, and so the topic need not be guessed."""
    return any(pair in offer.han for pair in han_pairs(text))


def _may_be_topic(run: _Run) -> bool:
    return len(run.pieces) == 1 and run.pieces[0].han and run.strength < 2


def _split(masked: str, run: _Run) -> list[_Run]:
    """Parts value and topic where nothing does; a lone short stretch that is asked about is the topic."""
    last, asked = run.pieces[-1], _ASKED.match(masked, run.end) is not None
    if _may_be_topic(run) and masked[: run.start].endswith("|的"):
        return []
    length = last.end - last.start
    others = max((piece.end - piece.start for piece in run.pieces[:-1]), default=0)
    if length >= max(_MIN_SPLIT, others + 2) and (asked or _may_be_topic(run) or others):
        head = replace(last, end=last.start + (2 + length % 2))
        return [_Run(pieces=(*run.pieces[:-1], head), strength=2)]
    return [] if asked and _may_be_topic(run) else [run]


def _group(sentence: Sentence, run: _Run, previous: int) -> list[Group]:
    spans = tuple(
        Span(start=piece.start, end=piece.end, kind=Kind.NOUN, value=sentence.text[piece.start : piece.end])
        for piece in run.pieces
        if not piece.han or 2 <= piece.end - piece.start <= _MAX_HAN
    )
    before = lead(sentence.masked, previous, run.start).rpartition("|")[2]
    return [Group(spans=spans, lead=before, strength=run.strength)] if spans else []
