"""A message type → the neutral form of its JSON: what fields there are, not yet in any provider's dialect.

A form holds the fields of one message only; a field that is a message names its type, and whoever renders the
form asks for that type's form in its turn. So the form knows nothing of depth, of `$ref`, or of recursion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.schema import descriptions, enums, kinds, well_known
from broker.schema.constraints import Constraints
from broker.schema.field_rules import NO_RULES, FieldConstraints, constraints
from broker.schema.kinds import Use
from broker.schema.remarks import message_words, remarks, value_words
from broker.schema.requirements import is_oneof_required, required_fields
from broker.schema.scalars import SCALARS, Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A value whose JSON Schema is known without its surroundings; `{}` fits any value."""

    schema: Mapping[str, Any]
    hint: str | None = None
    """What must be said of the value in words."""
    constraints: Mapping[str, Any] = field(default_factory=dict)
    """What of the schema is said by rules."""
    place: str = ""
    """What stands before a rule in words: "Each item: " in a list."""
    dynamic: bool = False
    """Whether no closed schema can describe it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nested:
    """A message that is written as an object."""

    message: Descriptor
    use: Use = Use.WHOLE


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list."""

    item: "Leaf | Nested"


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
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """Rules of a list or map itself."""
    comment: str = ""
    """Cleaned and whole."""
    notes: tuple[str, ...] = ()
    """What else a model must be told, in sentences that no budget cuts."""
    values: str = ""
    """What the values of its enum are, where their comments say so."""
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
    rules: tuple[str, ...] = ()
    """What holds for the message as a whole, in words."""


def input_schema(message: Descriptor, descriptors: Descriptors, use: Use = Use.WHOLE) -> Form:
    """The form of a request, or of a message in it.

    A type that is not written as an object, like google.protobuf.Value, is {"value": ...}.
    """
    if well_known.is_well_known(message.full_name):
        return _wrapped(message, required=True, output=False)
    partial = use is Use.CHANGES
    required = required_fields(message, descriptors, partial)
    properties = tuple(
        _input_property(one, descriptors, use, one.name in required)
        for one in message.fields
        if _is_offered(descriptors.field_options(one), one.name in required, use)
    )
    return Form(
        message=message,
        properties=properties,
        oneofs=_oneofs(message, properties, descriptors, partial),
        rules=tuple(message_words(descriptors.message_options(message).rules)),
    )


def _is_offered(options: FieldOptions, required: bool, use: Use) -> bool:
    named_by_request = use is Use.NEW and "IDENTIFIER" in options.behavior
    return kinds.is_offered(options, required) and not named_by_request


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
            required=is_oneof_required(oneof, descriptors, partial),
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
    return Form(
        message=message,
        properties=tuple(
            Property(name=field.name, shape=_shape(field, options, output=True))
            for field, options in pairs
            if not options.hidden and "INPUT_ONLY" not in options.behavior
        ),
    )


def _wrapped(message: Descriptor, required: bool, output: bool) -> Form:
    leaf = _message_leaf(message, output)
    return Form(message=message, properties=(Property(name="value", shape=leaf, required=required),))


def _input_property(one: FieldDescriptor, descriptors: Descriptors, use: Use, required: bool) -> Property:
    options = descriptors.field_options(one)
    oneof, rules = one.containing_oneof, constraints(one, options)
    shape = _shape(one, options, output=False, use=kinds.use_below(one, use), required=required)
    many = isinstance(shape, Items | Entries)
    return Property(
        name=one.name,
        shape=shape if rules is NO_RULES else ruled(shape, rules),
        required=required,
        keywords=rules.whole.keywords if many else {},
        comment=descriptions.clean(descriptors.comments.get(one.full_name, "")),
        notes=(*remarks(one, descriptors, use), *(() if rules is NO_RULES else rules.words)),
        values="" if one.enum_type is None else value_words(one.enum_type, descriptors),
        default=_default(one, options),
        oneof=None if oneof is None else oneof.name,
    )


def ruled(shape: Shape, rules: FieldConstraints) -> Shape:
    """The shape with the rules of its values."""
    match shape:
        case Items(item=Leaf() as item):
            return Items(item=_constrained(item, rules.each, "Each item: "))
        case Entries(value=Leaf() as value):
            return Entries(key=shape.key, value=_constrained(value, rules.each, "Each value: "))
        case Leaf():
            return _constrained(shape, rules.whole, "")
    return shape


def _constrained(leaf: Leaf, said: Constraints, place: str) -> Leaf:
    # A type of their own goes with keywords of their own.
    own = "type" in said.keywords
    schema = {**({} if own else leaf.schema), **said.keywords}
    hint = None if own else leaf.hint
    return replace(leaf, schema=schema, constraints=said.keywords, hint=hint, place=place)


def _default(field: FieldDescriptor, options: FieldOptions) -> Any:
    if not field.has_default_value or field.is_repeated:
        return None
    kind = kinds.kind_of(field, options)
    encode = kind.encode if isinstance(kind, Kind) else None
    return field.default_value if encode is None else encode(field.default_value)


def _shape(
    one: FieldDescriptor,
    options: FieldOptions,
    output: bool,
    use: Use = Use.WHOLE,
    required: bool = False,
) -> Shape:
    if kinds.is_map(one):
        entry = kinds.entry_fields(one)
        value = _single(entry["value"], FieldOptions(), output, use, nonzero=False)
        return Entries(key=SCALARS[entry["key"].type], value=value)
    annotated = "REQUIRED" in options.behavior or one.is_required
    # Only with presence can zero be given.
    nonzero = required and not one.is_repeated and (annotated or not one.has_presence)
    single = _single(one, options, output, use, nonzero)
    return Items(item=single) if one.is_repeated else single


def _single(
    field: FieldDescriptor, options: FieldOptions, output: bool, use: Use, nonzero: bool
) -> Leaf | Nested:
    kind = kinds.kind_of(field, options)
    if not isinstance(kind, Kind):
        is_any = kind.full_name == well_known.ANY
        return _message_leaf(kind, output) if is_any else Nested(message=kind, use=use)
    if output:
        return Leaf(schema=kind.output, dynamic=kind.dynamic)
    if field.enum_type is not None and not kind.takes_null:
        schema, hint = enums.schema(enums.offered(field.enum_type, unspecified=not nonzero))
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
