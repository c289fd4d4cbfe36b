"""Rules of enums, points in time, lengths of time, field masks and Any → what they say."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from broker.descriptors.rules import Rules
from broker.schema.constraints import MAX_ENUM, Piece, named
from broker.schema.times import encode_duration, encode_timestamp


def enum_pieces(rules: Rules, offered: Mapping[str, int], names: Mapping[int, str]) -> Iterator[Piece]:
    """What the rules of an enum say: which of the names that are offered remain.

    `offered`: those names with their numbers; `names`: the names of all numbers.
    """
    const = rules.number("const")
    refused = {one for one in rules.several("not_in") if isinstance(one, int)}
    allowed = [*(() if const is None else (const,)), *rules.several("in")]
    if not allowed and not refused:
        return
    taken = set(allowed) - refused if allowed else names.keys() - refused
    kept = [name for name, number in offered.items() if number in taken]
    kept = kept if kept else [name for number, name in names.items() if number in taken]
    zero = 0 not in taken
    if kept and len(kept) <= MAX_ENUM:
        yield Piece(keywords={"type": "string", "enum": kept}, refuses_zero=zero)
    elif refused and not allowed:
        yield Piece(
            words=f"Not {named([names.get(one, one) for one in sorted(refused)])}.", refuses_zero=zero
        )
    else:
        yield Piece(words=f"One of {named(kept)}.", refuses_zero=zero)


def duration_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of a length of time say."""
    yield from _ordered(rules, _duration, ("More than", "At least", "Less than", "At most"))


def timestamp_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of a point in time say."""
    yield from _ordered(rules, _timestamp, ("After", "At or after", "Before", "At or before"))
    if rules.flag("lt_now"):
        yield Piece(words="In the past.")
    if rules.flag("gt_now"):
        yield Piece(words="In the future.")
    within = rules.values.get("within")
    if (shown := _duration(within)) is not None:
        yield Piece(words=f"At most {shown} from now.")


def any_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of an Any say."""
    yield from _membership("The type_url is one of {}.", "The type_url is not one of {}.", rules)


def mask_pieces(rules: Rules) -> Iterator[Piece]:
    """What the rules of a field mask say."""
    paths = getattr(rules.values.get("const"), "paths", None)
    if paths is not None:
        yield Piece(words=f"Always {named(list(paths))}.")
    yield from _membership("Paths out of {}.", "No path out of {}.", rules)


def _membership(among: str, not_among: str, rules: Rules) -> Iterator[Piece]:
    for name, words in (("in", among), ("not_in", not_among)):
        if values := rules.several(name):
            yield Piece(words=words.format(named(values)))


def _ordered(
    rules: Rules, show: Callable[[Any], str | None], phrases: tuple[str, str, str, str]
) -> Iterator[Piece]:
    if (const := show(rules.values.get("const"))) is not None:
        yield Piece(words=f"Always {const}.")
    for name, words in (("in", "One of {}."), ("not_in", "Not {}.")):
        if values := _all(rules.several(name), show):
            yield Piece(words=words.format(named(values)))
    said = [
        f"{phrase} {value}"
        for name, phrase in zip(("gt", "gte", "lt", "lte"), phrases, strict=True)
        if (value := show(rules.values.get(name))) is not None
    ]
    if said:
        either = " or " if _inverted(rules) else " and "
        yield Piece(words=f"{either.join([said[0], *(one[0].lower() + one[1:] for one in said[1:])])}.")


def _inverted(rules: Rules) -> bool:
    """Whether the upper bound lies below the lower one: what lies between them is refused."""
    lower, upper = _instant(rules, "gt", "gte"), _instant(rules, "lt", "lte")
    return lower is not None and upper is not None and upper < lower


def _instant(rules: Rules, *names: str) -> tuple[int, int] | None:
    value: Any = next((rules.values[name] for name in names if name in rules.values), None)
    return (value.seconds, value.nanos) if hasattr(value, "nanos") else None


def _all(values: Sequence[Any], show: Callable[[Any], str | None]) -> list[str]:
    return [shown for one in values if (shown := show(one)) is not None]


def _duration(value: Any) -> str | None:
    return None if not hasattr(value, "nanos") else str(encode_duration(value.seconds, value.nanos))


def _timestamp(value: Any) -> str | None:
    return None if not hasattr(value, "nanos") else str(encode_timestamp(value.seconds, value.nanos))
