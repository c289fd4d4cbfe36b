"""A message type → the function that turns such a message into JSON values, in which nothing is ever lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter, itemgetter
from typing import Any, Protocol

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.schema import canonical, kinds, well_known
from broker.schema.anything import any_encoder, raw
from broker.schema.map_keys import map_key_encoder
from broker.schema.media import body_encoder, is_http_body
from broker.schema.scalars import Encode, Kind

_MAX_ANY = 2
"""Anys inside Anys that are opened: each may be as deep as protobuf allows, Python's stack is not."""

_to_list = itemgetter(slice(None))


class _EncodeObject(Protocol):
    """Message → its fields, put into a dict of the caller's or into one of its own."""

    def __call__(self, value: Any, encoded: dict[str, Any] | None = None) -> dict[str, Any]: ...


class Encoder:
    """Makes the encoder of each message type of one pool, once, when it is first needed."""

    def __init__(self, descriptors: Descriptors, canonical: bool = False, files: bool = True) -> None:
        """`canonical`: as ProtoJSON specifies it, see `compile`.

        `files`: as models read files in responses; else with their bytes, as requests are written.
        """
        self._descriptors = descriptors
        self._canonical = canonical
        self._files = files and not canonical
        self._compiled: dict[str, Callable[[Message], dict[str, Any]]] = {}
        self._objects: dict[tuple[str, int], _EncodeObject] = {}

    def compile(self, message: Descriptor) -> Callable[[Message], dict[str, Any]]:
        """Message → JSON object, with the .proto's field names; never raises for what a message may hold.

        The root shows the fields that are zero, so that a temperature of 0 reaches the model; messages in it
        show what is set. What is not written as an object, like google.protobuf.Value, is {"value": ...}.

        Canonical: with the JSON names, the root shows what is set too; raises Unencodable for a message that
        holds what ProtoJSON has no form for.
        """
        compiled = self._compiled.get(message.full_name)
        if compiled is None:
            compiled = self._compiled[message.full_name] = self._root(message)
        return compiled

    def _root(self, message: Descriptor) -> Callable[[Message], dict[str, Any]]:
        if well_known.is_well_known(message.full_name):
            encode_value = self._value(message, 0)
            return lambda value: {"value": encode_value(value)}
        if self._canonical:
            return self._object(message, 0)
        if self._files and is_http_body(message):
            return self._value(message, 0)
        known = [field for field in message.fields if not self._hidden(field)]
        files = [field for field in known if self._is_file(field)]
        shown = [field for field in known if not field.has_presence and field not in files]
        optional = [field for field in known if field.has_presence]
        return self._with_files(files, self._shown(message, shown, optional))

    def _is_file(self, field: FieldDescriptor) -> bool:
        """Whether it is one file, of which nobody can see whether it was set: no file is no empty file."""
        single = not (field.has_presence or field.is_repeated)
        return self._files and single and self._descriptors.field_options(field).media_type is not None

    def _with_files(
        self, files: Sequence[FieldDescriptor], encode: Callable[[Message], dict[str, Any]]
    ) -> Callable[[Message], dict[str, Any]]:
        if not files:
            return encode
        slots = [(field.name, self._single(field, 0)) for field in files]

        def encode_files(value: Message) -> dict[str, Any]:
            encoded = encode(value)
            for name, convert in slots:
                data = getattr(value, name)
                if data:
                    encoded[name] = data if convert is None else convert(data)
            return encoded

        return encode_files

    def _shown(
        self, message: Descriptor, shown: Sequence[FieldDescriptor], optional: Sequence[FieldDescriptor]
    ) -> Callable[[Message], dict[str, Any]]:
        """Writes the fields in `shown` be they zero or not; those in `optional`, and extensions, when set."""
        get = _getter([field.name for field in shown])
        slots = [(field.name, self._field(field, 0)) for field in shown]
        if_set = [(field.name, self._field(field, 0)) for field in optional]
        add_extensions = self._object(message, 0) if message.is_extendable else None
        # A field may be named HasField, so the method is taken from the class.
        is_set = self._descriptors.message_class(message).HasField

        def encode(value: Message) -> dict[str, Any]:
            encoded = {
                name: item if convert is None else convert(item)
                for (name, convert), item in zip(slots, get(value))  # noqa: B905 - each asked and answered
            }
            for name, convert in if_set:
                if is_set(value, name):
                    item = getattr(value, name)
                    encoded[name] = item if convert is None else convert(item)
            return encoded if add_extensions is None else add_extensions(value, encoded)

        return encode

    def _value(self, message: Descriptor, anys: int) -> Encode:
        """The encoder of a type's value, wherever it stands below `anys` Anys."""
        if message.full_name == well_known.ANY:
            encoder_of = (lambda held: self._value(held, anys + 1)) if anys < _MAX_ANY else None
            return any_encoder(self._descriptors, encoder_of, canonical.unopened if self._canonical else raw)
        if self._canonical and message.full_name in canonical.ENCODERS:
            return canonical.ENCODERS[message.full_name]
        if self._files and is_http_body(message):
            return body_encoder(message, lambda field: self._field(field, anys))
        kind = well_known.WELL_KNOWN.get(message.full_name)
        if kind is not None and kind.encode is not None:
            return kind.encode
        return self._object(message, anys)

    def _object(self, message: Descriptor, anys: int) -> _EncodeObject:
        key = (message.full_name, anys)
        if key not in self._objects:
            self._objects[key] = self._compile(message, anys)
        return self._objects[key]

    def _compile(self, message: Descriptor, anys: int) -> _EncodeObject:
        # A field may be named ListFields, so the method is taken from the class.
        list_fields = self._descriptors.message_class(message).ListFields
        slots: dict[FieldDescriptor, tuple[str, Encode | None]] = {}
        hidden = [self._key(field) for field in message.fields if self._hidden(field)]

        def encode(value: Message, encoded: dict[str, Any] | None = None) -> dict[str, Any]:
            encoded = {} if encoded is None else encoded
            for field, item in list_fields(value):
                try:
                    name, convert = slots[field]
                except KeyError:  # but once for each field
                    name, convert = slots[field] = (self._key(field), self._field(field, anys))
                    if field.is_extension and self._hidden(field):
                        hidden.append(name)
                encoded[name] = item if convert is None else convert(item)
            for name in hidden:
                encoded.pop(name, None)
            return encoded

        return encode

    def _field(self, field: FieldDescriptor, anys: int) -> Encode | None:
        if kinds.is_map(field):
            entry = kinds.entry_fields(field)
            return _map_encoder(self._single(entry["value"], anys), map_key_encoder(entry["key"].type))
        convert = self._single(field, anys)
        if not field.is_repeated:
            return convert
        return _to_list if convert is None else _list_encoder(convert)

    def _single(self, field: FieldDescriptor, anys: int) -> Encode | None:
        if field.message_type is not None:
            return self._value(field.message_type, anys)
        options = self._descriptors.field_options(field)
        kind = kinds.kind_of(field, options if self._files else replace(options, media_type=None))
        return kind.encode if isinstance(kind, Kind) else None

    def _hidden(self, field: FieldDescriptor) -> bool:
        return self._descriptors.field_options(field).hidden

    def _key(self, field: FieldDescriptor) -> str:
        if field.is_extension:
            return f"[{field.full_name}]"
        return str(field.json_name) if self._canonical else field.name


def _getter(names: Sequence[str]) -> Callable[[Message], Sequence[Any]]:
    """Message → what its fields of these names hold."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: [getattr(value, name) for name in names]


def _list_encoder(convert: Encode) -> Encode:
    # No comprehension: its frame would be one more for each level of a deep message.
    return lambda items: list(map(convert, items))


def _map_encoder(convert: Encode | None, encode_key: Encode) -> Encode:
    # Sorted, since each process has an order of its own for maps.
    # Not `items()`: that of maps is Python code, and slower.
    if convert is None:
        return lambda entries: {encode_key(key): entries[key] for key in sorted(entries)}
    return lambda entries: {encode_key(key): convert(entries[key]) for key in sorted(entries)}
