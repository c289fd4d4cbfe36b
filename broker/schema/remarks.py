"""A field's and a message's annotations → what a model must be told of them, in sentences."""

from collections.abc import Collection, Iterator
from itertools import chain

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.descriptors.resources import Reference
from broker.descriptors.rules import Group
from broker.schema import enums, kinds, update_mask
from broker.schema.constraints import customs, named
from broker.schema.descriptions import clean, first_sentence, readable
from broker.schema.field_rules import legacy_words
from broker.schema.kinds import Use
from broker.schema.scalars import Kind

_MAX_PATTERNS = 3
_MAX_PATTERN = 150
_MAX_PATHS = 30
_MAX_VALUES = 12
_MAX_VALUES_TEXT = 400
_FORMATS = {"IPV4_OR_IPV6": "An IP address, v4 or v6."}


def remarks(field: FieldDescriptor, descriptors: Descriptors, use: Use) -> Iterator[str]:
    """What no budget cuts of a field's description."""
    options = descriptors.field_options(field)
    if options.example is not None:
        yield f"E.g. {options.example}"
    if kinds.is_map(field):
        key = kinds.kind_of(kinds.entry_fields(field)["key"], options)
        if isinstance(key, Kind) and key.exact is not str:
            yield f"Each key is {key.phrase}."
    yield from _resource_name(field, options, descriptors)
    yield from _paths(field, descriptors)
    yield from _behavior(options, use)
    if options.format in _FORMATS:
        yield _FORMATS[options.format]
    if options.referenced_types:
        yield f"The type is one of {named(options.referenced_types)}."
    yield from legacy_words(field, options)


def _behavior(options: FieldOptions, use: Use) -> Iterator[str]:
    if "IMMUTABLE" in options.behavior and use is Use.CHANGES:
        yield "Immutable after creation."
    if "NON_EMPTY_DEFAULT" in options.behavior:
        yield "When left out, the service chooses a value."


def _resource_name(field: FieldDescriptor, options: FieldOptions, descriptors: Descriptors) -> Iterator[str]:
    patterns = _patterns(field, options.reference, descriptors)[:_MAX_PATTERNS]
    if patterns and field.type == FieldDescriptor.TYPE_STRING:
        each = "Resource names" if field.is_repeated else "Resource name"
        yield f"{each}: {' or '.join(readable(one, _MAX_PATTERN) for one in patterns)}."


def _paths(field: FieldDescriptor, descriptors: Descriptors) -> Iterator[str]:
    """What an update mask can name."""
    resource = update_mask.resource_of(field)
    paths = [] if resource is None else update_mask.writable(resource, descriptors)
    if paths:
        more = ", …" if len(paths) > _MAX_PATHS else "."
        yield f"Writable fields: {', '.join(paths[:_MAX_PATHS])}{more}"


def _patterns(field: FieldDescriptor, reference: Reference | None, descriptors: Descriptors) -> list[str]:
    if reference is None:
        message = field.containing_type
        own = None if message is None else descriptors.message_options(message).resource
        is_name = own is not None and field.name == own.name_field
        return [] if own is None or not is_name else list(own.patterns)
    patterns = descriptors.resource_patterns.get(reference.type, ())
    # A parent's name is that of its child without the last collection and id.
    parents = [one.rsplit("/", 2)[0] for one in patterns if one.count("/") > 2]
    return list(dict.fromkeys(parents if reference.child else patterns))


def value_words(enum: EnumDescriptor, descriptors: Descriptors, withheld: Collection[str] = ()) -> str:
    """What comments say of the values of an enum; nothing where that is too much."""
    said: dict[str, str] = {}
    names = [] if enums.enumeration(enum).takes_null else enums.offered(enum, False, withheld)
    for name in names:
        comment = clean(descriptors.comments.get(f"{enum.full_name}.{name}", ""))
        if len(said) > _MAX_VALUES:
            return ""
        if comment:
            said[name] = first_sentence(comment).rstrip(".")
    text = f"Values: {'; '.join(f'{name} = {words}' for name, words in said.items())}."
    return text if said and len(said) <= _MAX_VALUES and len(text) <= _MAX_VALUES_TEXT else ""


def message_words(message: Descriptor, descriptors: Descriptors) -> Iterator[str]:
    """What rules say of a message as a whole."""
    rules = descriptors.message_options(message).rules
    if rules is not None:
        known = {field.name for field in descriptors.fields(message)}
        yield from chain.from_iterable(_group(group, known) for group in rules.groups)
        yield from customs(rules.custom)


def _group(group: Group, known: Collection[str]) -> Iterator[str]:
    fields = [name for name in group.fields if name in known]
    if fields:
        yield f"{'Exactly' if group.required else 'At most'} one of: {named(fields)}."
