"""Rules of numbers and booleans → what they say."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.descriptors.rules import Rules
from broker.schema.constraints import Piece, examples, none_of, one_of
from broker.schema.scalars import encode_float

_INTEGERS = frozenset({"int32", "sint32", "sfixed32", "uint32", "fixed32"})
_WIDE = frozenset({"int64", "sint64", "sfixed64", "uint64", "fixed64"})
_UNSIGNED = frozenset({"uint64", "fixed64"})
NUMBERS = frozenset({"float", "double"}) | _INTEGERS | _WIDE
"""The kinds of rules that are read here."""
_EXACT = 2**53
"""Beyond it, a number in JSON is not exact for everybody who reads it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bound:
    value: int | float
    strict: bool

    def __str__(self) -> str:
        return str(self.value)


def number_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of a number say; those of 64 bits are written as text, and so are their values."""
    kind = str(rules.kind)
    wide = kind in _WIDE
    const, listed, refused = (
        _shown(kind, values)
        for values in (_single(rules, "const"), rules.several("in"), rules.several("not_in"))
    )
    zero: Any = "0" if wide else 0
    for values in filter(None, (const, listed)):
        piece = one_of(values, zero)
        typed = {"type": "string", **piece.keywords} if wide and piece.keywords else piece.keywords
        yield Piece(keywords=typed, words=piece.words, refuses_zero=piece.refuses_zero)
    if refused:
        yield none_of(refused, zero)
    yield from _bounds(rules, kind, listed=bool(const or listed))
    if found := _shown(kind, rules.several("example")):
        yield examples(found)


def bool_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of a boolean say."""
    const = rules.values.get("const")
    if isinstance(const, bool):
        yield Piece(keywords={"enum": [const]}, refuses_zero=const)


def _single(rules: Rules, name: str) -> Sequence[Any]:
    value = rules.number(name)
    return [] if value is None else [value]


def _shown(kind: str, values: Sequence[Any]) -> list[Any]:
    numbers = [one for one in values if isinstance(one, int | float) and math.isfinite(one)]
    return [_plain(kind, one) for one in numbers] if kind not in _WIDE else [str(one) for one in numbers]


def _plain(kind: str, value: int | float) -> int | float:
    if kind in ("float", "double") and float(value).is_integer() and abs(value) < _EXACT:
        return int(value)
    # What was written as 0.1 in the .proto is 0.10000000149011612 in 32 bits.
    return float(encode_float(value)) if kind == "float" else value


def _bound(rules: Rules, kind: str, strict: str, loose: str) -> _Bound | None:
    for name in (strict, loose):
        value = rules.number(name)
        if value is not None and math.isfinite(value):
            return _Bound(value=_plain(kind, value), strict=name == strict)
    return None


def _bounds(rules: Rules, kind: str, listed: bool) -> Iterator[Piece]:
    lower, upper = _bound(rules, kind, "gt", "gte"), _bound(rules, kind, "lt", "lte")
    if lower is None and upper is None:
        return
    if lower is not None and upper is not None and upper.value < lower.value:
        either = f"{_most(upper)} or {_least(lower).lower()}."
        yield Piece(words=either, refuses_zero=not (_below(upper) or _above(lower)))
        return
    refuses_zero = (lower is not None and not _above(lower)) or (upper is not None and not _below(upper))
    keywords = _keywords(lower, upper, whole=kind not in ("float", "double"))
    if kind in _WIDE:
        keywords = {} if listed else _as_integer(keywords, kind)
    if keywords:
        yield Piece(keywords=keywords, refuses_zero=refuses_zero)
        return
    words = [] if lower is None else [f"{_least(lower)}."]
    words += [] if upper is None else [f"{_most(upper)}."]
    yield Piece(words=" ".join(words), refuses_zero=refuses_zero)


def _keywords(lower: _Bound | None, upper: _Bound | None, whole: bool) -> dict[str, Any]:
    keywords: dict[str, Any] = {}
    if lower is not None:
        strict = lower.strict and not whole
        keywords["exclusiveMinimum" if strict else "minimum"] = lower.value + (lower.strict and whole)
    if upper is not None:
        strict = upper.strict and not whole
        keywords["exclusiveMaximum" if strict else "maximum"] = upper.value - (upper.strict and whole)
    return keywords


def _as_integer(keywords: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The bounds of a number of 64 bits, where all values between them are exact in JSON; else nothing."""
    low = keywords.get("minimum", 0 if kind in _UNSIGNED else None)
    high = keywords.get("maximum")
    if low is None or high is None or low < -_EXACT or high > _EXACT:
        return {}
    return {"type": "integer", "minimum": low, "maximum": high}


def _least(bound: _Bound) -> str:
    return f"{'More than' if bound.strict else 'At least'} {bound}"


def _most(bound: _Bound) -> str:
    return f"{'Less than' if bound.strict else 'At most'} {bound}"


def _above(lower: _Bound) -> bool:
    """Whether zero is above the bound."""
    return lower.value < 0 if lower.strict else lower.value <= 0


def _below(upper: _Bound) -> bool:
    return upper.value > 0 if upper.strict else upper.value >= 0
