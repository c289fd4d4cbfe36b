"""The scalar kinds: for each, its JSON Schema, JSON value → Python value, and Python value → JSON value."""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from broker.schema import leniency
from broker.schema.arguments import Reading
from broker.schema.notes import Leniency, then, understood
from broker.schema.problems import Refused, expected, got, quoted

Decode = Callable[[Any, Reading], Any]
"""JSON value → what a message's constructor takes; raises Refused."""
Encode = Callable[[Any], Any]
"""What a message's attribute holds → JSON value; never raises."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """How one kind of value is described, decoded and encoded."""

    phrase: str
    """The kind in words, as in `expected an integer (int32)`."""
    input: Mapping[str, Any]
    """The JSON Schema of what a model shall write."""
    output: Mapping[str, Any]
    """The JSON Schema of all that `encode` makes."""
    decode: Decode
    encode: Encode | None = None
    """None: the attribute's value is the JSON value."""
    hint: str | None = None
    """What a description must say about the form, since the schema cannot."""
    exact: type | None = None
    """JSON values of exactly this type are taken as they are."""
    unsigned: bool = False
    """Whether it is an integer that cannot be negative."""
    takes_null: bool = False
    """Whether null is a value; otherwise it means that nothing is given."""
    dynamic: bool = False
    """Whether values have any shape, so that no closed schema describes them."""


# JSON's own number, but zeros may lead; ASCII digits only.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# From it on, a number with a point or an exponent is not exact: 2**53 is also what 2**53 + 1 is rounded to.
_EXACT = 2**53
# The least magnitude that rounds to infinity: the middle between the largest float and 2**128.
_FLOAT_LIMIT = (2 - 2**-24) * 2.0**127
_SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _integer(name: str, low: int, high: int, schema: Mapping[str, Any] | None = None) -> Kind:
    phrase = f"an integer ({name})"
    wide = high >= 2**32

    def decode(value: Any, _: Reading) -> int:
        number: int = value
        if type(value) is not int:
            # Most 64-bit integers come as digits; int() alone would take "1_000", and digits of any script.
            digits = type(value) is str and len(value) <= 20 and value.isdigit() and value.isascii()
            number = int(value) if digits else _whole(value, phrase)
        if low <= number <= high:
            return number
        shown = number if abs(number) < 2**70 else "the number"
        raise Refused(f"{shown} is out of range for {name}: {low} to {high}.")

    if not wide:
        narrow = {"type": "integer"} if low < 0 else {"type": "integer", "minimum": 0}
        return Kind(phrase=phrase, input=narrow, output=narrow, decode=decode, unsigned=low == 0)
    digits = {"type": "string", "pattern": "^-?[0-9]+$" if low < 0 else "^[0-9]+$"}
    return Kind(
        phrase=phrase,
        input=digits if schema is None else schema,
        output={"type": "string"},
        decode=decode,
        encode=str,
        hint="Integer, as a string of digits.",
        unsigned=low == 0,
    )


def _whole(value: Any, phrase: str) -> int:
    """The integer that a number or a numeric string stands for exactly."""
    if type(value) is str and _NUMBER.fullmatch(value):
        whole = leniency.whole_number(value)
        if whole is None:
            raise expected(phrase, value)
        return whole
    if type(value) is not float or not value.is_integer():
        raise expected(phrase, value)
    if abs(value) >= _EXACT:
        raise Refused(f"a number this large is not exact ({value!r}); write all its digits, as a string.")
    return int(value)


def _floating(name: str, limit: float, encode: Encode) -> Kind:
    phrase = f"a number ({name})"

    def decode(value: Any, _: Reading) -> float:
        if type(value) is float or type(value) is int:
            number = float(value)
        elif type(value) is str and value in _SPELLED:
            return _SPELLED[value]
        elif type(value) is str and _NUMBER.fullmatch(value):
            number = float(value)
        else:
            raise expected(phrase, value)
        if -limit < number < limit:
            return number
        raise Refused(f"{value} is out of range for {name}.")

    output = {"type": ["number", "string"]}  # NaN and the infinities are strings
    exact = float if limit == math.inf else None  # JSON has no number that is not finite
    return Kind(
        phrase=phrase, input={"type": "number"}, output=output, decode=decode, encode=encode, exact=exact
    )


def encode_double(value: float) -> float | str:
    """A number, or the string that ProtoJSON writes for what JSON has no number for.

    >>> encode_double(1.5), encode_double(float("-inf"))
    (1.5, '-Infinity')
    """
    return value if math.isfinite(value) else _non_finite(value)


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def encode_float(value: float) -> float | str:
    """The shortest number that is the same float (32 bits).

    >>> encode_float(struct.unpack("f", struct.pack("f", 0.1))[0])
    0.1
    """
    if not math.isfinite(value):
        return _non_finite(value)
    for form in ("%.6g", "%.7g", "%.8g"):
        short = float(form % value)
        if abs(short) < _FLOAT_LIMIT and _FLOAT.unpack(_FLOAT.pack(short))[0] == value:
            return short
    return float(f"{value:.9g}")


_FLOAT = struct.Struct("<f")


def _decode_bool(value: Any, reading: Reading) -> bool:
    if value is True or value is False:
        return value is True
    meant = leniency.truth(value, reading)
    if meant is None:
        raise expected("true or false", value)
    raise understood(meant, Leniency.BOOL_TEXT, f"{got(value)} taken as {str(meant).lower()}")


def _decode_string(value: Any, reading: Reading) -> str:
    if type(value) is str:
        return value
    if reading.lenient and type(value) is int:
        # Lossless, where 1.10 would not be.
        raise understood(str(value), Leniency.INTEGER_AS_STRING, f'{got(value)} taken as "{value}"')
    raise expected("a string", value)


def _decode_bytes(value: Any, reading: Reading) -> bytes:
    if type(value) is not str:
        raise expected("a base64 string (bytes)", value)
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        meant = leniency.base64_bytes(value)
    if meant is not None:
        return meant
    attached = leniency.attachment(value, reading)
    if attached is not None:
        return attached
    data = leniency.data_uri(value) if reading.lenient else None
    if data is not None:
        raise understood(data, Leniency.DATA_URI, f"a data: URI taken as the {len(data):,} bytes in it")
    raise Refused(f"the string is not base64.{_literal(value)}")


def _literal(text: str) -> str:
    if len(text) > 60 or ":" in text[:8]:
        return " Encode the bytes as base64."
    encoded = base64.b64encode(text.encode()).decode()
    return f' If you meant the text {quoted(text)} send "{encoded}".'


def encode_base64(value: bytes) -> str:
    """Standard base64, padded.

    >>> encode_base64(b"hi")
    'aGk='
    """
    return binascii.b2a_base64(value, newline=False).decode()


def _text_bytes(text: str) -> bytes:
    if text.startswith("data:"):
        data = leniency.data_uri(text)
        if data is not None:
            return data
    return text.encode()


def _encode_text_bytes(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "data:"
    return text if not text.startswith("data:") else f"data:;base64,{encode_base64(value)}"


_STRING = {"type": "string"}

TEXT_BYTES = Kind(
    phrase="a string",
    input=_STRING,
    output=_STRING,
    decode=then(_decode_string, _text_bytes),
    encode=_encode_text_bytes,
)
"""bytes that hold text, as the option `bytes_as_text` says; what is not UTF-8 is written as a data: URI."""

_INT32 = _integer("int32", -(2**31), 2**31 - 1)
_UINT32 = _integer("uint32", 0, 2**32 - 1)
_INT64 = _integer("int64", -(2**63), 2**63 - 1)
_UINT64 = _integer("uint64", 0, 2**64 - 1)

SCALARS: Mapping[int, Kind] = {
    FieldDescriptor.TYPE_DOUBLE: _floating("double", math.inf, encode_double),
    FieldDescriptor.TYPE_FLOAT: _floating("float", _FLOAT_LIMIT, encode_float),
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_BOOL: Kind(
        phrase="true or false",
        input={"type": "boolean"},
        output={"type": "boolean"},
        decode=_decode_bool,
        exact=bool,
    ),
    FieldDescriptor.TYPE_STRING: Kind(
        phrase="a string", input=_STRING, output=_STRING, decode=_decode_string, exact=str
    ),
    FieldDescriptor.TYPE_BYTES: Kind(
        phrase="a base64 string (bytes)",
        input={"type": "string", "contentEncoding": "base64"},
        output=_STRING,
        decode=_decode_bytes,
        encode=encode_base64,
        hint="Base64.",
    ),
}
"""By the number of the field's type; enums and messages have tables of their own."""
