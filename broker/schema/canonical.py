"""The well-known types whose messages may hold what ProtoJSON has no form for → encoders that refuse it.

Source: https://protobuf.dev/programming-guides/json. What a model reads is never refused: see `encode`.
"""

import math
from collections.abc import Mapping
from typing import Any

from broker.schema import field_masks, times, well_known
from broker.schema.problems import quoted
from broker.schema.scalars import Encode


class Unencodable(ValueError):
    """A message that holds what ProtoJSON has no form for."""


def unopened(message: Any) -> Any:
    """Refuses an Any whose type is unknown, or whose bytes are none of its type."""
    raise Unencodable(f"the Any {quoted(message.type_url)} cannot be opened.")


def _time(encode: Encode) -> Encode:
    def encode_time(message: Any) -> Any:
        text = encode(message)
        if text.startswith(times.INVALID):
            raise Unencodable(text)
        return text

    return encode_time


def _encode_mask(message: Any) -> str:
    text = _encode("FieldMask")(message)
    for camel, path in zip(text.split(","), message.paths, strict=False):
        if not field_masks.reads_back(camel, path):
            raise Unencodable(f"the path {quoted(path)} of a FieldMask could not be read back.")
    return str(text)


def _finite(encode: Encode) -> Encode:
    def encode_finite(message: Any) -> Any:
        _refuse_non_finite(message)
        return encode(message)

    return encode_finite


def _refuse_non_finite(message: Any) -> None:
    """Refuses a Struct, a ListValue or a Value with a number in it that JSON does not have."""
    for field, held in message.ListFields():
        if field.name == "number_value" and not math.isfinite(held):
            raise Unencodable(f"a Value cannot hold {held}.")
        if field.name in ("struct_value", "list_value"):
            _refuse_non_finite(held)
        if field.name in ("fields", "values"):
            for value in held.values() if field.name == "fields" else held:
                _refuse_non_finite(value)


def _encode(name: str) -> Encode:
    encode = well_known.WELL_KNOWN[f"google.protobuf.{name}"].encode
    assert encode is not None
    return encode


ENCODERS: Mapping[str, Encode] = {
    "google.protobuf.Timestamp": _time(_encode("Timestamp")),
    "google.protobuf.Duration": _time(_encode("Duration")),
    "google.protobuf.FieldMask": _encode_mask,
    well_known.STRUCT: _finite(_encode("Struct")),
    well_known.LIST_VALUE: _finite(_encode("ListValue")),
    well_known.VALUE: _finite(_encode("Value")),
}
"""By full name."""
