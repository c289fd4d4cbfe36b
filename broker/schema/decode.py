"""A message type → the function that turns a model's JSON text into such a message."""

from collections.abc import Callable, Collection, Container, KeysView
from typing import Any, Protocol

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.schema import arguments, descriptions, kinds, leniency, update_mask, well_known
from broker.schema.anything import PHRASE, any_decoder
from broker.schema.arguments import Reading
from broker.schema.containers import array_of, bounded, map_of, mapped, redacted, repeated
from broker.schema.extensions import extended, find_extension
from broker.schema.findings import read_as
from broker.schema.google_types import LITERALS
from broker.schema.kinds import Use
from broker.schema.map_keys import map_key_decoder
from broker.schema.notes import Leniency, Understood, then
from broker.schema.objects import Layout, Slot, object_decoder
from broker.schema.problems import Refused, missing, plain, quoted
from broker.schema.redaction import type_has_secrets
from broker.schema.requirements import is_oneof_required, required_fields
from broker.schema.scalars import Decode, Kind
from broker.schema.validation import Check


class DecodeText(Protocol):
    """JSON text → message; notes on what was not exact are left in `reading`."""

    def __call__(self, text: str, reading: Reading | None = None, /) -> Message:
        """Raises InvalidArguments."""
        ...


class Decoder:
    """Makes the decoder of each message type of one pool, once, when it is first needed."""

    def __init__(
        self,
        descriptors: Descriptors,
        max_text: int = arguments.MAX_TEXT,
        reading: type[Reading] = Reading,
        checker: Callable[[Descriptor, Descriptors], Check | None] = lambda _, __: None,
    ) -> None:
        """`reading`: how much is read beyond ProtoJSON; by default, all that can only mean one thing.

        `checker`: what looks at the messages of a type when they are read; it may find nothing to look at.
        """
        self._descriptors = descriptors
        self._max_text = max_text
        self._reading = reading
        self._checker = checker
        self._compiled: dict[str, DecodeText] = {}
        self._messages: dict[tuple[str, Use], Decode] = {}

    def compile(self, message: Descriptor) -> DecodeText:
        """JSON text → message; raises InvalidArguments with every problem, each with its path.

        What was not exact is noted in the reading that the function is given, if it is given one. A type
        that is not written as an object, like google.protobuf.Value, is read from {"value": ...}.
        """
        compiled = self._compiled.get(message.full_name)
        if compiled is None:
            decode, check = self._compile(message), self._checker(message, self._descriptors)
            compiled = decode if check is None else _checked(decode, check)
            self._compiled[message.full_name] = compiled
        return compiled

    def _compile(self, message: Descriptor) -> DecodeText:
        message_class, max_text = self._descriptors.message_class(message), self._max_text
        new_reading = self._reading
        named = frozenset(plain(field.name) for field in message.fields)
        is_value = well_known.is_well_known(message.full_name)
        read = self._value_root(message) if is_value else self._message(message, use=Use.WHOLE)
        secret = type_has_secrets(message)

        def decode(text: str, reading: Reading | None = None) -> Message:
            reading = new_reading() if reading is None else reading
            reading.hides_text = secret
            loaded = arguments.load(text, reading, max_text)
            try:
                value = read(loaded, reading)
            except Understood as inner:
                value = _noted(inner, reading)
            except Refused as refused:
                wrapper = leniency.unwrapped(loaded, message.name) if reading.lenient else None
                if wrapper is None or plain(wrapper[0]) in named:
                    raise arguments.refusal(text, refused, reading) from None
                value = _unwrapped(read, wrapper, reading, text, refused)
            # Each key has a colon: where there are but as many, as in most calls, none was lost.
            if text.count(":") != len(loaded) and arguments.may_have_lost(text, loaded):
                arguments.refuse_repeated_keys(text, secret)
            return message_class(**value) if type(value) is dict else value

        return decode

    def _value_root(self, message: Descriptor) -> Decode:
        """Reads what is no object of fields from {"value": ...}, so that every root is a plain object."""
        message_class, name = self._descriptors.message_class(message), message.full_name
        read = object_decoder(lambda: _value_layout(self._value(message, use=Use.WHOLE), name), _VALUE_PHRASE)
        empty: Any = [] if name == well_known.LIST_VALUE else {}

        return then(read, lambda fields: well_known.build(message_class, name, fields.get("value", empty)))

    def _value(self, message: Descriptor, use: Use) -> Decode:
        """The decoder of a type's value, wherever it stands."""
        if message.full_name == well_known.ANY:
            return any_decoder(self._descriptors, lambda held: self._value(held, use=Use.WHOLE))
        kind = well_known.WELL_KNOWN.get(message.full_name)
        return self._message(message, use) if kind is None else kind.decode

    def _message(self, message: Descriptor, use: Use) -> Decode:
        key = (message.full_name, use)
        decode = self._messages.get(key)
        if decode is None:
            literal = LITERALS.get(message.full_name)
            decode = object_decoder(lambda: self._layout(message, use), _object_phrase(message), literal)
            self._messages[key] = decode
        return decode

    def _layout(self, message: Descriptor, use: Use) -> Layout:
        fields = self._descriptors.fields(message)
        options = {field.name: self._descriptors.field_options(field) for field in fields}
        asked = self._required(message, use)
        slots = {one.name: self._slot(one, one.name, kinds.use_below(one, use)) for one in fields}
        extendable = message.is_extendable
        oneofs = [one for one in message.oneofs if len(one.fields) > 1 and _members(one, slots)]
        members = {oneof.name: _members(oneof, slots) for oneof in oneofs}
        required = {field.name: self._describe(field) for field in fields if field.name in asked}
        return Layout(
            # Where the two cross, the name in the .proto wins.
            slots={**{field.json_name: slots[field.name] for field in fields}, **slots},
            spelled=_spelled(slots) if self._reading.lenient else {},
            offered=tuple(name for name in slots if kinds.is_offered(options[name], name in required)),
            required=required,
            members=members,
            required_oneofs={
                oneof.name: members[oneof.name]
                for oneof in oneofs
                if self._reading.lenient and is_oneof_required(oneof, self._descriptors, use)
            },
            constrained=bool(required or oneofs),
            takes_null=frozenset(field.name for field in message.fields if self._takes_null(field)),
            blank=frozenset(name for name in slots if name not in required and self._is_blank(message, name)),
            lenient=self._reading.lenient,
            # Some models cannot call without an argument, and invent one.
            ignores_unknown=self._reading.ignores_unknown or (self._reading.lenient and not slots),
            reserved=lambda: _reserved(message),
            extension=lambda key: self._extension(message, key),
            extend=(lambda fields: extended(self._descriptors, message, fields)) if extendable else None,
        )

    def _required(self, message: Descriptor, use: Use) -> Collection[str]:
        if self._reading.lenient:
            return required_fields(message, self._descriptors, use)
        # What annotations say is beyond ProtoJSON.
        return [field.name for field in message.fields if field.is_required]

    def _slot(self, field: FieldDescriptor, name: str, use: Use) -> Slot:
        kind, phrase = self._kind(field), self._phrase(field)
        exact = kind.exact if isinstance(kind, Kind) else None
        if kinds.is_map(field):
            convert, exact = self._map(field, use), None
        elif field.is_repeated:
            null = isinstance(kind, Kind) and kind.takes_null
            convert, exact = repeated(self._single(field, use), phrase, null, exact), None
        else:
            convert = self._single(field, use)
        resource = update_mask.resource_of(field) if self._reading.lenient else None
        if resource is not None:
            convert = update_mask.checked(resource, self._descriptors)
        options = self._descriptors.field_options(field)
        if options.min_items is not None or options.max_items is not None:
            convert = bounded(convert, options.min_items, options.max_items)
        return name, redacted(convert, self._whole_phrase(field)) if options.debug_redact else convert, exact

    def _map(self, field: FieldDescriptor, use: Use) -> Decode:
        entry = kinds.entry_fields(field)
        key, value = entry["key"], entry["value"]
        single, null = self._map_value(value, use), self._takes_null(value)
        kind = self._kind(value) if key.type == FieldDescriptor.TYPE_STRING else None
        exact = kind.exact if isinstance(kind, Kind) else None
        return mapped(map_key_decoder(key.type), single, self._phrase(value), null, exact)

    def _map_value(self, field: FieldDescriptor, use: Use) -> Decode:
        message, convert = field.message_type, self._single(field, use)
        if message is None or message.full_name not in (well_known.STRUCT, well_known.LIST_VALUE):
            return convert
        # A constructor takes plain JSON for these two in a field and in a list, but not in a map.
        name, message_class = message.full_name, self._descriptors.message_class(message)
        return then(convert, lambda value: well_known.build(message_class, name, value))

    def _single(self, field: FieldDescriptor, use: Use) -> Decode:
        kind = self._kind(field)
        return kind.decode if isinstance(kind, Kind) else self._value(kind, use)

    def _kind(self, field: FieldDescriptor) -> Kind | Descriptor:
        return kinds.kind_of(field, self._descriptors.field_options(field))

    def _phrase(self, field: FieldDescriptor) -> str:
        kind = self._kind(field)
        return kind.phrase if isinstance(kind, Kind) else _object_phrase(kind)

    def _whole_phrase(self, field: FieldDescriptor) -> str:
        if kinds.is_map(field):
            return map_of(self._phrase(kinds.entry_fields(field)["value"]))
        return array_of(self._phrase(field)) if field.is_repeated else self._phrase(field)

    def _takes_null(self, field: FieldDescriptor) -> bool:
        """Whether null is a value of the field; for a list or a map it is as if nothing were given."""
        kind = self._kind(field)
        return isinstance(kind, Kind) and kind.takes_null and not field.is_repeated

    def _is_blank(self, message: Descriptor, name: str) -> bool:
        return self._reading.lenient and kinds.is_no_text(message.fields_by_name[name])

    def _describe(self, field: FieldDescriptor) -> str:
        comment = descriptions.clean(self._descriptors.comments.get(field.full_name, ""))
        return missing(self._whole_phrase(field), descriptions.first_sentence(comment))

    def _extension(self, message: Descriptor, key: str) -> Slot | None:
        field = find_extension(self._descriptors, message, key)
        return None if field is None else self._slot(field, key, use=Use.WHOLE)


def _checked(decode: DecodeText, check: Check) -> DecodeText:
    """The decoder that refuses what breaks the rules, too."""

    def decode_and_check(text: str, reading: Reading | None = None) -> Message:
        request = decode(text, reading)
        check(request)
        return request

    return decode_and_check


def _noted(inner: Understood, reading: Reading) -> Any:
    """What was understood, the notes on it kept in the reading."""
    reading.notes = [*reading.notes, *inner.notes]
    return inner.value


def _unwrapped(read: Decode, wrapper: tuple[str, Any], reading: Reading, text: str, whole: Refused) -> Any:
    """What is in the wrapper that some models put around all arguments."""
    key, inner = wrapper
    note = f"the object in {quoted(key)} taken as all arguments"
    try:
        loaded = inner if type(inner) is dict else arguments.inner_json(inner, reading, dict)
        if loaded is None:
            raise whole
        read_as(Leniency.WRAPPED_ARGUMENTS, note, read, loaded, reading)
    except Understood as understood:
        return _noted(understood, reading)
    except Refused as refused:
        raise arguments.refusal(text, refused, reading) from None


_VALUE_PHRASE = 'an object like {"value": …}'


def _value_layout(convert: Decode, full_name: str) -> Layout:
    return Layout(
        slots={"value": ("value", convert, None)},
        spelled={},
        offered=("value",),
        required={},
        members={},
        required_oneofs={},
        constrained=False,
        takes_null=frozenset({"value"} if full_name == well_known.VALUE else ()),
        blank=frozenset(),
        lenient=False,
        ignores_unknown=False,
        reserved=lambda: (),
        extension=lambda _: None,
        extend=None,
    )


def _reserved(message: Descriptor) -> Collection[str]:
    proto = DescriptorProto()
    message.CopyToProto(proto)
    return proto.reserved_name


def _members(oneof: OneofDescriptor, known: Container[str]) -> KeysView[str]:
    return dict.fromkeys(field.name for field in oneof.fields if field.name in known).keys()


def _spelled(slots: dict[str, Slot]) -> dict[str, Slot]:
    names: dict[str, list[str]] = {}
    for name in slots:
        names.setdefault(plain(name), []).append(name)
    return {spelling: slots[same[0]] for spelling, same in names.items() if len(same) == 1}


def _object_phrase(message: Descriptor) -> str:
    return PHRASE if message.full_name == well_known.ANY else f"an object ({message.name})"
