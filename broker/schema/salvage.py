"""A message that could not be written as JSON → as much of it as can be, and what went wrong.

Only a map of proto2 with a key that is no UTF-8 is known to come here; but a call may have changed the world
by the time its response is written, so that no fault of ours may hide it.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

MAX_WORDS = 20_000
"""Characters that are kept of what is no JSON."""
_MAX_FIELDS = 200
"""So many fields are tried one by one, each in a copy of the message."""


def salvaged(
    encode: Callable[[Message], dict[str, Any]], message: Message, error: Exception
) -> dict[str, Any]:
    """The fields that can be encoded, and the others in protobuf's own text; no field has their names."""
    kept: dict[str, Any] = {}
    lost = type(message)()
    lost.CopyFrom(message)
    for field in _fields(message):
        try:
            encoded = encode(_only(message, field))
        except Exception:  # noqa: BLE001 - this field is what went wrong; it stays in `lost`
            continue
        if field.name in encoded:
            kept[field.name] = encoded[field.name]
            _clear(lost, [field])
    what = f"{type(error).__name__}: {error}"[:300]
    return {
        **kept,
        "@error": f"The call was made; a part of its response could not be written as JSON ({what}).",
        "@response": _in_words(lost)[:MAX_WORDS],
    }


def _fields(message: Message) -> list[FieldDescriptor]:
    """Those that are set, when they are few."""
    # A field may be named ListFields, so the method is taken from the class.
    found = [field for field, _ in type(message).ListFields(message) if not field.is_extension]
    return found if len(found) <= _MAX_FIELDS else []


def _only(message: Message, field: FieldDescriptor) -> Message:
    one = type(message)()
    one.CopyFrom(message)
    _clear(one, (each for each in _fields(message) if each is not field))
    return one


def _clear(message: Message, fields: Iterable[FieldDescriptor]) -> None:
    for field in fields:
        type(message).ClearField(message, field.name)


def _in_words(message: Message) -> str:
    try:
        return str(text_format.MessageToString(message, as_utf8=True))
    except Exception:  # noqa: BLE001 - then its bytes
        return f"base64: {base64.b64encode(message.SerializePartialToString()[:MAX_WORDS]).decode()}"
