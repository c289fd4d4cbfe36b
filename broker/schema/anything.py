"""google.protobuf.Any ↔ {"@type": …} and the fields of the message it holds, of the backend's own pool."""

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

from broker.descriptors.pool import Descriptors
from broker.schema.arguments import Reading, enter
from broker.schema.json_text import try_json_text
from broker.schema.notes import Understood
from broker.schema.problems import Refused, expected, quoted
from broker.schema.scalars import Decode, Encode, encode_base64
from broker.schema.well_known import build, is_well_known

_PREFIX = "type.googleapis.com/"
_KEYS = ("@type", "type_url")
"""ProtoJSON's key, and the field's own name: some providers refuse a schema with the former."""
_MAX_RAW = 1024
PHRASE = 'an object with "@type", the URL of its type'


def any_decoder(descriptors: Descriptors, decoder_of: Callable[[Descriptor], Decode]) -> Decode:
    """Reads an object that says its own type; `decoder_of` gives the decoder of a type's value."""

    def decode(value: Any, reading: Reading) -> dict[str, Any]:
        if type(value) is not dict:
            try_json_text(decode, value, reading, dict)
            raise expected(PHRASE, value)
        if not value:
            return {}
        key = _KEYS[1] if reading.lenient and _KEYS[0] not in value else _KEYS[0]
        url = value.get(key)
        if type(url) is not str or not url:
            raise Refused(
                f'"@type" is missing: the URL of the type, like "{_PREFIX}google.protobuf.Duration".'
            )
        message = _type_of(descriptors, url)
        if message is None or descriptors.withholds_type(message):
            raise Refused(f"{quoted(url)} is no type that this backend knows.")
        body = {name: item for name, item in value.items() if name != key}
        type_url = url if "/" in url else _PREFIX + url

        def packed(held: Any) -> dict[str, Any]:
            built = build(descriptors.message_class(message), message.full_name, held)
            return {"type_url": type_url, "value": type(built).SerializeToString(built, deterministic=True)}

        try:
            return packed(_held(message, body, reading))
        except Understood as inner:
            raise Understood(packed(inner.value), inner.notes) from None

    def _held(message: Descriptor, body: dict[str, Any], reading: Reading) -> Any:
        content: Any = body
        if is_well_known(message.full_name) or (message.full_name == _EMPTY and body == {"value": {}}):
            if body.keys() != {"value"}:
                raise Refused(f'{message.full_name} is written as {{"@type": …, "value": …}}.')
            content = body["value"]
        enter(reading)
        try:
            return decoder_of(message)(content, reading)
        finally:
            reading.depth -= 1

    return decode


_EMPTY = "google.protobuf.Empty"


def raw(message: Any) -> dict[str, Any]:
    """What is written of an Any that cannot be opened: the first bytes that it holds, in base64."""
    written = {"@type": message.type_url, "value": encode_base64(message.value[:_MAX_RAW])}
    cut = len(message.value) - _MAX_RAW
    return written if cut <= 0 else {**written, "truncated": f"{cut:,} more bytes"}


def any_encoder(
    descriptors: Descriptors, encoder_of: Callable[[Descriptor], Encode] | None, unopened: Encode = raw
) -> Encode:
    """Writes what an Any holds; `unopened` writes one whose type or bytes cannot be read.

    `encoder_of` gives the encoder of a type's value; None: this Any lies too deep in others to be opened.
    """
    openers: dict[str, _Opener] = {}  # by the name of the type

    def encode(message: Any) -> Any:
        url, name = message.type_url, message.type_url.rpartition("/")[2]
        if not url and not message.value:
            return {}
        if name not in openers:
            descriptor = _type_of(descriptors, url)
            if descriptor is not None and descriptors.withholds_type(descriptor):
                return {"@type": url}
            if descriptor is None or encoder_of is None:
                return unopened(message)
            openers[name] = _opener(descriptors, descriptor, encoder_of)
        try:
            return {"@type": url, **openers[name](message.value)}
        except DecodeError:
            return unopened(message)

    return encode


_Opener = Callable[[bytes], dict[str, Any]]
"""The bytes that an Any holds → what stands beside its "@type"; raises DecodeError."""


def _opener(
    descriptors: Descriptors, message: Descriptor, encoder_of: Callable[[Descriptor], Encode]
) -> _Opener:
    parse, encode = descriptors.message_class(message).FromString, encoder_of(message)
    if is_well_known(message.full_name):
        return lambda data: {"value": encode(parse(data))}
    return lambda data: encode(parse(data))


def _type_of(descriptors: Descriptors, url: str) -> Descriptor | None:
    try:
        return descriptors.pool.FindMessageTypeByName(url.rpartition("/")[2])
    except KeyError:
        return None
