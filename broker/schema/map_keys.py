"""The keys of a map ↔ the keys of a JSON object, which are strings whatever they are in the .proto."""

import re
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from broker.schema.arguments import Reading
from broker.schema.problems import Refused
from broker.schema.scalars import SCALARS, Decode, Encode

_MAP_KEY_BOOLS = {"true": True, "false": False}
_MAP_KEY_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


def map_key_decoder(field_type: int) -> Decode:
    """An object's key → the key of a map. ProtoJSON writes every key as a string, integers canonically."""
    kind = SCALARS[field_type]

    def boolean(key: str, _: Reading) -> bool:
        if key in _MAP_KEY_BOOLS:
            return _MAP_KEY_BOOLS[key]
        raise Refused('a key of this map is "true" or "false".')

    def integer(key: str, reading: Reading) -> Any:
        if _MAP_KEY_INTEGER.fullmatch(key):
            return kind.decode(key, reading)
        raise Refused(f"a key of this map is {kind.phrase}, written in digits.")

    if field_type == FieldDescriptor.TYPE_STRING:
        return kind.decode
    return boolean if field_type == FieldDescriptor.TYPE_BOOL else integer


def map_key_encoder(field_type: int) -> Encode:
    """The key of a map → an object's key.

    >>> map_key_encoder(FieldDescriptor.TYPE_BOOL)(True), map_key_encoder(FieldDescriptor.TYPE_INT64)(-5)
    ('true', '-5')
    """
    return _BOOL_KEYS.__getitem__ if field_type == FieldDescriptor.TYPE_BOOL else str


_BOOL_KEYS = {True: "true", False: "false"}
