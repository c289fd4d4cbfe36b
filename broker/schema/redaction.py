"""A message → JSON values for those who keep account of it: what is secret is masked, what is long is cut."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

import orjson
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from broker.schema.kinds import entry_fields, is_map
from broker.schema.well_known import WELL_KNOWN

REDACTED = "[redacted]"
"""In place of what the .proto marks with `debug_redact`, however deep it lies."""
CUT = "…"
"""The key, or the item, in place of all that follows."""

_BYTES_VALUE = "google.protobuf.BytesValue"
_Value = Callable[[], Any]
_SCALAR_BYTES = 8
_WHOLE_KEY = 64


def redacted(message: Message, max_bytes: int) -> dict[str, Any]:
    """The fields that are set, by their names in the .proto, as JSON of about `max_bytes` at most.

    Bytes are told by their number alone, and so is what an Any holds, since its type may have secrets too.
    """
    return _Account(max_bytes).message(message)


def has_secrets(message: Message) -> bool:
    """Whether the message is of a type that may hold what must not be told."""
    # A field may be named DESCRIPTOR, so that of the class is taken.
    return type_has_secrets(cast("Descriptor", type(message).DESCRIPTOR))


def type_has_secrets(message: Descriptor) -> bool:
    """Whether a message of this type may hold what must not be told, however deep, but in an Any."""
    seen = {message.full_name}
    waiting = [message]
    for one in waiting:  # grows while it is read
        for field in one.fields:
            if field.has_options and field.GetOptions().debug_redact:
                return True
            held = field.message_type
            if held is not None and held.full_name not in seen:
                seen.add(held.full_name)
                waiting.append(held)
    return False


class _Account:
    """Tells one message, until the bytes for it are used up."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def message(self, message: Message) -> dict[str, Any]:
        # A field may be named ListFields, so the method is taken from the class.
        fields = type(message).ListFields(message)
        return self._object((_name(field), partial(self._field, field, value)) for field, value in fields)

    def _field(self, field: FieldDescriptor, value: Any) -> Any:
        if field.GetOptions().debug_redact:
            return self._text(REDACTED)
        if is_map(field):
            one = entry_fields(field)["value"]
            return self._object((str(key), partial(self._single, one, value[key])) for key in value)
        if field.is_repeated:
            return self._list(partial(self._single, field, item) for item in value)
        return self._single(field, value)

    def _single(self, field: FieldDescriptor, value: Any) -> Any:
        if field.message_type is not None:
            return self._held(field.message_type.full_name, value)
        if field.enum_type is not None:
            return self._enum(field.enum_type, value)
        return self._json(value)

    def _held(self, full_name: str, message: Any) -> Any:
        if full_name == _BYTES_VALUE:
            return self._json(message.value)
        known = WELL_KNOWN.get(full_name)
        if known is None or known.encode is None:
            return self.message(message)
        return self._json(known.encode(message))

    def _enum(self, enum: EnumDescriptor, number: int) -> Any:
        value = enum.values_by_number.get(number)
        if value is None:
            return self._json(number)
        return self._text(REDACTED if value.GetOptions().debug_redact else value.name)

    def _json(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case bytes():
                return self._text(f"{len(value)} bytes")
            case dict():
                return self._object((key, partial(self._json, item)) for key, item in value.items())
            case list():
                return self._list(partial(self._json, item) for item in value)
        self._left -= _SCALAR_BYTES
        return value

    def _object(self, members: Iterable[tuple[str, _Value]]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for key, value in members:
            if self._left <= 0:
                told[CUT] = None
                break
            name = self._key(key)
            told[name] = value()
        return told

    def _list(self, items: Iterable[_Value]) -> list[Any]:
        told: list[Any] = []
        for item in items:
            if self._left <= 0:
                told.append(CUT)
                break
            told.append(item())
        return told

    def _key(self, key: str) -> str:
        if len(key) > _WHOLE_KEY:
            return self._text(key)
        self._left -= len(key)
        return key

    def _text(self, text: str) -> str:
        kept = text[: max(self._left, 0)]
        # What has to be escaped takes up to six times its length.
        while (size := len(orjson.dumps(kept))) > self._left and kept:
            kept = kept[: min(len(kept) // 2, self._left)]
        self._left -= size
        return text if len(kept) == len(text) else f"{kept}{CUT} ({len(text)} characters)"


def _name(field: FieldDescriptor) -> str:
    return f"[{field.full_name}]" if field.is_extension else field.name
