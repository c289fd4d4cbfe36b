"""The decoder of one value → the decoder of a list or a map of such values."""

from typing import Any

from broker.schema import leniency
from broker.schema.arguments import MAX_ENTRIES, Ignored, Reading, enter
from broker.schema.problems import Problems, Refused, expected, step_of_key
from broker.schema.scalars import Decode


def repeated(convert: Decode, phrase: str, takes_null: bool, exact: type | None) -> Decode:
    """A list; a single value is read as a list of it, since nothing else can be meant.

    `exact`: the type of the values that need no decoder.
    """
    array = f"an array, each element {phrase}"

    def decode(value: Any, reading: Reading) -> list[Any]:
        if type(value) is not list:
            if not reading.lenient:
                raise expected(array, value)
            return [_single(value, reading)]
        if exact is not None and all([type(item) is exact for item in value]):  # noqa: C419 - it is faster
            return value
        items: list[Any] = []
        problems: Problems | None = None
        for index, item in enumerate(value):
            try:
                if item is None and not takes_null:
                    raise Refused("null is no element of an array. Leave it out.")
                items.append(convert(item, reading))
            except Ignored:
                continue
            except Refused as refused:
                problems = Problems() if problems is None else problems
                problems.under(f"[{index}]", refused)
                if problems.full:
                    break
        if problems is not None:
            raise problems.refuse()
        return items

    def _single(value: Any, reading: Reading) -> Any:
        try:
            return convert(value, reading)
        except Refused as refused:
            if type(value) is dict:
                raise  # the one object that was meant, with what is wrong in it
            raise expected(array, value) from refused

    return decode


def mapped(key: Decode, convert: Decode, phrase: str, takes_null: bool, exact: type | None) -> Decode:
    """An object with keys of the sender's; a list of {"key", "value"} is read too.

    `exact`: the type of the values that need no decoder, when the keys need none either.
    """

    def decode(value: Any, reading: Reading) -> dict[Any, Any]:
        pairs = _pairs(value, phrase, reading)
        if (
            exact is not None
            and type(value) is dict
            and all([type(item) is exact for item in value.values()])  # noqa: C419 - it is faster
        ):
            return value
        enter(reading)
        entries: dict[Any, Any] = {}
        problems: Problems | None = None
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
            except Refused as refused:
                problems = Problems() if problems is None else problems
                problems.under(step_of_key(str(name)), refused)
                if problems.full:
                    break
        reading.depth -= 1
        if problems is not None:
            raise problems.refuse()
        return entries

    return decode


def _pairs(value: Any, phrase: str, reading: Reading) -> Any:
    if type(value) is dict:
        pairs: Any = value.items()
    else:
        pairs = leniency.entries(value) if reading.lenient and type(value) is list else None
    if pairs is None:
        raise expected(f"an object, each value {phrase}", value)
    if len(pairs) > MAX_ENTRIES:
        raise Refused(f"the map has {len(pairs):,} entries; send at most {MAX_ENTRIES:,}.")
    return pairs


def redacted(convert: Decode, phrase: str) -> Decode:
    """Never repeats the value in what it says about it, as the option `debug_redact` asks."""

    def decode(value: Any, reading: Reading) -> Any:
        try:
            return convert(value, reading)
        except Refused:
            raise Refused(f"expected {phrase}; the value does not fit, and is not repeated here.") from None

    return decode
