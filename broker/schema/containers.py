"""The decoder of one value → the decoder of a list or a map of such values."""

from typing import Any

from broker.schema import leniency
from broker.schema.arguments import MAX_ENTRIES, Ignored, Reading, enter, hides
from broker.schema.findings import Findings, read_as
from broker.schema.json_text import try_json_text
from broker.schema.notes import Leniency, Understood, then
from broker.schema.problems import Refused, expected, step_of_key
from broker.schema.scalars import Decode


def array_of(phrase: str) -> str:
    """A list in words, from those for its elements."""
    return f"an array, each element {phrase}"


def map_of(phrase: str) -> str:
    """A map in words, from those for its values."""
    return f"an object, each value {phrase}"


def repeated(convert: Decode, phrase: str, takes_null: bool, exact: type | None) -> Decode:
    """A list; a single value is read as a list of it, since nothing else can be meant.

    `exact`: the type of the values that need no decoder.
    """
    array = array_of(phrase)
    in_list = then(convert, lambda item: [item])

    def decode(value: Any, reading: Reading) -> list[Any]:
        if type(value) is not list:
            if not reading.lenient:
                raise expected(array, value)
            try_json_text(decode, value, reading, list)
            read_as(Leniency.SINGLE_AS_LIST, "one value taken as a list of it", _single, value, reading)
        if exact is not None and all([type(item) is exact for item in value]):  # noqa: C419 - it is faster
            return value
        items: list[Any] = []
        found: Findings | None = None
        for index, item in enumerate(value):
            try:
                if item is None and not takes_null:
                    raise Refused("null is no element of an array. Leave it out.")
                items.append(convert(item, reading))
            except Ignored:
                continue
            except Understood as inner:
                found = Findings() if found is None else found
                items.append(found.understood(f"[{index}]", inner))
            except Refused as refused:
                found = Findings() if found is None else found
                found.refused(f"[{index}]", refused)
                if found.full:
                    break
        return items if found is None else found.conclude(items)

    def _single(value: Any, reading: Reading) -> Any:
        try:
            return in_list(value, reading)
        except Refused as refused:
            if type(value) is dict:
                raise  # the one object that was meant, with what is wrong in it
            raise expected(array, value, hidden=hides(value, reading)) from refused

    return decode


def bounded(convert: Decode, least: int | None, most: int | None) -> Decode:
    """A list with so many elements; None: any number."""

    def decode(value: Any, reading: Reading) -> list[Any]:
        items: list[Any] = convert(value, reading)
        if least is not None and len(items) < least:
            raise Refused(f"the array has {len(items):,} elements; send at least {least:,}.")
        if most is not None and len(items) > most:
            raise Refused(f"the array has {len(items):,} elements; send at most {most:,}.")
        return items

    return decode


def mapped(key: Decode, convert: Decode, phrase: str, takes_null: bool, exact: type | None) -> Decode:
    """An object with keys of the sender's; a list of {"key", "value"} is read too.

    `exact`: the type of the values that need no decoder, when the keys need none either.
    """

    def decode(value: Any, reading: Reading) -> dict[Any, Any]:
        if type(value) is str:
            try_json_text(decode, value, reading, dict, list)
        pairs = _pairs(value, phrase, reading)
        if (
            exact is not None
            and type(value) is dict
            and all([type(item) is exact for item in value.values()])  # noqa: C419 - it is faster
        ):
            return value
        enter(reading)
        entries: dict[Any, Any] = {}
        found: Findings | None = None
        for name, item in pairs:
            try:
                if item is None and not takes_null:
                    raise Refused("null is no value of a map. Leave the key out.")
                known = key(name, reading)
                if known in entries:
                    raise Refused("the key is given twice. Give it once.")
                entries[known] = convert(item, reading)
            except Ignored:
                continue
            except Understood as inner:
                found = Findings() if found is None else found
                entries[known] = found.understood(step_of_key(str(name)), inner)
            except Refused as refused:
                found = Findings() if found is None else found
                found.refused(step_of_key(str(name)), refused)
                if found.full:
                    break
        reading.depth -= 1
        return entries if found is None else found.conclude(entries)

    return decode


def _pairs(value: Any, phrase: str, reading: Reading) -> Any:
    if type(value) is dict:
        pairs: Any = value.items()
    else:
        pairs = leniency.entries(value) if reading.lenient and type(value) is list else None
    if pairs is None:
        raise expected(map_of(phrase), value, hidden=hides(value, reading))
    if len(pairs) > MAX_ENTRIES:
        raise Refused(f"the map has {len(pairs):,} entries; send at most {MAX_ENTRIES:,}.")
    return pairs


def redacted(convert: Decode, phrase: str) -> Decode:
    """Never repeats the value in what it says about it, as the option `debug_redact` asks."""

    def decode(value: Any, reading: Reading) -> Any:
        try:
            return convert(value, reading)
        except Understood as inner:
            text = f"taken as {phrase}; the value is not repeated here"
            raise Understood(inner.value, [("", leniency, text) for _, leniency, _ in inner.notes]) from None
        except Refused:
            raise Refused(f"expected {phrase}; the value does not fit, and is not repeated here.") from None

    return decode
