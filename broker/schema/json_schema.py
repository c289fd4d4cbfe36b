"""A message type → the neutral form of its JSON, made once for all tools and profiles that show it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.schema import descriptions, enums, kinds, well_known
from broker.schema.constraints import Constraints
from broker.schema.field_rules import NO_RULES, FieldConstraints, constraints
from broker.schema.forms import Entries, Form, Items, Leaf, Nested, Oneof, Property, Shape
from broker.schema.kinds import Use
from broker.schema.media import FILE_PROPERTIES, is_http_body
from broker.schema.remarks import message_words, remarks, value_words
from broker.schema.requirements import is_oneof_required, required_fields
from broker.schema.scalars import SCALARS, Kind

_MAX_KEPT = 4096
"""Forms of one pool. Tools that share types stand side by side, so that few are made again."""

# A catalog that was replaced must not be kept alive by what was made of it.
_kept: WeakKeyDictionary[Descriptors, dict[tuple[str, Use], Form]] = WeakKeyDictionary()


def input_schema(message: Descriptor, descriptors: Descriptors, use: Use = Use.WHOLE) -> Form:
    """The form of a request, or of a message in it.

    A type that is not written as an object, like google.protobuf.Value, is {"value": ...}.
    """
    kept = _kept.setdefault(descriptors, {})
    form = kept.get((message.full_name, use))
    if form is None:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        form = kept[message.full_name, use] = _input_form(message, descriptors, use)
    return form


def _input_form(message: Descriptor, descriptors: Descriptors, use: Use) -> Form:
    if well_known.is_well_known(message.full_name):
        return _wrapped(message, required=True, output=False)
    required = required_fields(message, descriptors, use)
    names = _offered(message, descriptors, use, required)
    required |= {*_only_choices(message, names, descriptors, use)}
    properties = tuple(
        _input_property(one, descriptors, use, one.name in required)
        for one in message.fields
        if one.name in names
    )
    return Form(
        message=message,
        properties=properties,
        oneofs=_oneofs(message, names, descriptors, use),
        rules=tuple(message_words(message, descriptors)),
    )


def _offered(
    message: Descriptor, descriptors: Descriptors, use: Use, required: Collection[str]
) -> frozenset[str]:
    """The names of the fields that the schema shows."""
    return frozenset(
        one.name
        for one in message.fields
        if _is_offered(descriptors.field_options(one), one.name in required, use)
    )


def _is_offered(options: FieldOptions, required: bool, use: Use) -> bool:
    return kinds.is_offered(options, required) and (required or not kinds.is_named(options, use))


def _only_choices(
    message: Descriptor, names: Collection[str], descriptors: Descriptors, use: Use
) -> Iterator[str]:
    """Each field that is the only one on offer of a oneof of which one must be given."""
    for oneof in message.oneofs:
        members = [one.name for one in oneof.fields if one.name in names]
        if len(members) == 1 and is_oneof_required(oneof, descriptors, use):
            yield members[0]


def _oneofs(
    message: Descriptor, names: Collection[str], descriptors: Descriptors, use: Use
) -> tuple[Oneof, ...]:
    members = {
        oneof.name: [one.name for one in oneof.fields if one.name in names] for oneof in message.oneofs
    }
    return tuple(
        Oneof(
            name=oneof.name,
            members=tuple(members[oneof.name]),
            required=is_oneof_required(oneof, descriptors, use),
            comment=descriptions.clean(descriptors.comments.get(oneof.full_name, "")),
        )
        for oneof in message.oneofs
        if len(members[oneof.name]) > 1
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
        values=""
        if one.enum_type is None
        else value_words(one.enum_type, descriptors, options.withheld_values),
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
        value = _single(entry["value"], _of_values(options), output, use, nonzero=False)
        return Entries(key=SCALARS[entry["key"].type], value=value)
    annotated = "REQUIRED" in options.behavior or one.is_required
    # Only with presence can zero be given.
    nonzero = required and not one.is_repeated and (annotated or not one.has_presence)
    single = _single(one, options, output, use, nonzero)
    return Items(item=single, bounds={} if output else _bounds(options)) if one.is_repeated else single


def _of_values(options: FieldOptions) -> FieldOptions:
    """Of what the options of a map say, what is about each of its values."""
    return FieldOptions(withheld_values=options.withheld_values)


def _bounds(options: FieldOptions) -> dict[str, int]:
    bounds = {"minItems": options.min_items, "maxItems": options.max_items}
    return {keyword: bound for keyword, bound in bounds.items() if bound is not None}


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
        schema, hint = enums.schema(enums.offered(field.enum_type, not nonzero, options.withheld_values))
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
