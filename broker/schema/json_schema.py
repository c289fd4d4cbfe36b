"""A message type → the neutral form of its JSON: what fields there are, not yet in any provider's dialect.

A form holds the fields of one message only; a field that is a message names its type, and whoever renders the
form asks for that type's form in its turn. So the form knows nothing of depth, of `$ref`, or of recursion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.schema import descriptions, enums, kinds, well_known
from broker.schema.media import FILE_PROPERTIES, is_http_body
from broker.schema.scalars import SCALARS, Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A value whose JSON Schema is known without its surroundings; `{}` fits any value."""

    schema: Mapping[str, Any]
    hint: str | None = None
    """What must be said of the value in words."""
    dynamic: bool = False
    """Whether no closed schema can describe it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nested:
    """A message that is written as an object; `partial`: of which only what shall change is given."""

    message: Descriptor
    partial: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list."""

    item: "Leaf | Nested"
    bounds: Mapping[str, int] = field(default_factory=dict)
    """How many elements it may have, in the keywords of JSON Schema."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """A map; its keys are strings in JSON, whatever they are in the .proto."""

    key: Kind
    value: "Leaf | Nested"


Shape = Leaf | Nested | Items | Entries


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """One field."""

    name: str
    shape: Shape
    required: bool = False
    comment: str = ""
    """Cleaned and whole."""
    notes: tuple[str, ...] = ()
    """What else a model must be told, in sentences that no budget cuts."""
    default: Any = None
    """The default that proto2 declares, as JSON; None: none."""
    oneof: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Oneof:
    """Fields of which at most one may be given."""

    name: str
    members: tuple[str, ...]
    """The names of those that are offered: two or more."""
    required: bool = False
    """Whether one of them must be given."""
    comment: str = ""

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return f"{'Exactly' if self.required else 'At most'} one of: {', '.join(self.members)}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A message as an object: its fields in the order of the .proto."""

    message: Descriptor
    properties: tuple[Property, ...]
    oneofs: tuple[Oneof, ...] = ()


def input_schema(message: Descriptor, descriptors: Descriptors, partial: bool = False) -> Form:
    """The form of a request, or of a message in it.

    A type that is not written as an object, like google.protobuf.Value, is {"value": ...}. `partial`: the
    message lies in a request that names what to change in a resource (https://google.aip.dev/203).
    """
    if well_known.is_well_known(message.full_name):
        return _wrapped(message, required=True, output=False)
    below = partial or kinds.is_partial_update(message)
    pairs = [(field, descriptors.field_options(field)) for field in message.fields]
    properties = tuple(
        _input_property(field, options, descriptors, partial, below)
        for field, options in pairs
        if kinds.is_offered(options, kinds.is_required(field, options, partial))
    )
    return Form(
        message=message, properties=properties, oneofs=_oneofs(message, properties, descriptors, partial)
    )


def _oneofs(
    message: Descriptor, properties: Sequence[Property], descriptors: Descriptors, partial: bool
) -> tuple[Oneof, ...]:
    members: dict[str, list[str]] = {}
    for one in properties:
        if one.oneof is not None:
            members.setdefault(one.oneof, []).append(one.name)
    return tuple(
        Oneof(
            name=oneof.name,
            members=tuple(members[oneof.name]),
            required=kinds.is_oneof_required(
                oneof, list(map(descriptors.field_options, oneof.fields)), partial
            ),
            comment=descriptions.clean(descriptors.comments.get(oneof.full_name, "")),
        )
        for oneof in message.oneofs
        if len(members.get(oneof.name, ())) > 1
    )


def output_schema(message: Descriptor, descriptors: Descriptors) -> Form:
    """The form of a response, or of a message in it: nothing is required, and nothing is explained."""
    if well_known.is_well_known(message.full_name):
        return _wrapped(message, required=False, output=True)
    pairs = [(field, descriptors.field_options(field)) for field in message.fields]
    if is_http_body(message):
        return _file_form(message, pairs)
    return Form(
        message=message,
        properties=tuple(
            Property(name=field.name, shape=_shape(field, options, output=True))
            for field, options in pairs
            if not options.hidden and "INPUT_ONLY" not in options.behavior
        ),
    )


def _file_form(message: Descriptor, pairs: Sequence[tuple[FieldDescriptor, FieldOptions]]) -> Form:
    """A file as `encode_file` writes it, and what else its message says."""
    file = {name: Property(name=name, shape=Leaf(schema=schema)) for name, schema in FILE_PROPERTIES.items()}
    others = (
        Property(name=field.name, shape=_shape(field, options, output=True))
        for field, options in pairs
        if field.name not in {*file, "data"}
    )
    return Form(message=message, properties=(*file.values(), *others))


def _wrapped(message: Descriptor, required: bool, output: bool) -> Form:
    leaf = _message_leaf(message, output)
    return Form(message=message, properties=(Property(name="value", shape=leaf, required=required),))


def _input_property(
    field: FieldDescriptor, options: FieldOptions, descriptors: Descriptors, partial: bool, below: bool
) -> Property:
    required = kinds.is_required(field, options, partial)
    oneof = field.containing_oneof
    return Property(
        name=field.name,
        shape=_shape(field, options, output=False, partial=below, required=required),
        required=required,
        comment=descriptions.clean(descriptors.comments.get(field.full_name, "")),
        notes=tuple(_notes(field, options)),
        default=_default(field, options),
        oneof=None if oneof is None else oneof.name,
    )


def _notes(field: FieldDescriptor, options: FieldOptions) -> list[str]:
    notes = []
    if options.example is not None:
        notes.append(f"E.g. {options.example}")
    if kinds.is_map(field):
        key = kinds.kind_of(kinds.entry_fields(field)["key"], options)
        if isinstance(key, Kind) and key.exact is not str:
            notes.append(f"Each key is {key.phrase}.")
    return notes


def _default(field: FieldDescriptor, options: FieldOptions) -> Any:
    if not field.has_default_value or field.is_repeated:
        return None
    kind = kinds.kind_of(field, options)
    encode = kind.encode if isinstance(kind, Kind) else None
    return field.default_value if encode is None else encode(field.default_value)


def _shape(
    field: FieldDescriptor,
    options: FieldOptions,
    output: bool,
    partial: bool = False,
    required: bool = False,
) -> Shape:
    if kinds.is_map(field):
        entry = kinds.entry_fields(field)
        value = _single(entry["value"], FieldOptions(), output, partial, required=False)
        return Entries(key=SCALARS[entry["key"].type], value=value)
    single = _single(field, options, output, partial, required and not field.is_repeated)
    return Items(item=single, bounds={} if output else _bounds(options)) if field.is_repeated else single


def _bounds(options: FieldOptions) -> dict[str, int]:
    bounds = {"minItems": options.min_items, "maxItems": options.max_items}
    return {keyword: bound for keyword, bound in bounds.items() if bound is not None}


def _single(
    field: FieldDescriptor, options: FieldOptions, output: bool, partial: bool, required: bool
) -> Leaf | Nested:
    kind = kinds.kind_of(field, options)
    if not isinstance(kind, Kind):
        is_any = kind.full_name == well_known.ANY
        return _message_leaf(kind, output) if is_any else Nested(message=kind, partial=partial)
    if output:
        return Leaf(schema=kind.output, dynamic=kind.dynamic)
    if field.enum_type is not None and not kind.takes_null:
        schema, hint = enums.schema(enums.offered(field.enum_type, unspecified=not required))
        return Leaf(schema=schema, hint=hint)
    return Leaf(schema=kind.input, hint=kind.hint, dynamic=kind.dynamic)


_ANY_INPUT = {"type": "object", "properties": {"type_url": {"type": "string"}}, "required": ["type_url"]}


def _message_leaf(message: Descriptor, output: bool) -> Leaf:
    kind = well_known.WELL_KNOWN.get(message.full_name)
    if kind is not None:
        return Leaf(schema=kind.output if output else kind.input, hint=kind.hint, dynamic=kind.dynamic)
    if output:
        return Leaf(schema={"type": "object"}, dynamic=True)
    # ProtoJSON's own key, "@type", is one that Anthropic refuses in a schema; both are read.
    hint = 'A message of any type: its "type_url", like type.googleapis.com/package.Message, and its fields.'
    return Leaf(schema=_ANY_INPUT, hint=hint, dynamic=True)
