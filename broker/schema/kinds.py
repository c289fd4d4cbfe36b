"""A field → its kind: the one table that schema, decode and encode are driven by."""

import enum
from collections.abc import Mapping
from dataclasses import replace

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from broker.descriptors.options import FieldOptions
from broker.schema.enums import enumeration
from broker.schema.media import FILE_PROPERTIES, encode_file
from broker.schema.scalars import SCALARS, TEXT_BYTES, Kind
from broker.schema.well_known import WELL_KNOWN


def kind_of(field: FieldDescriptor, options: FieldOptions) -> Kind | Descriptor:
    """The kind of one value of the field; for Any, and a message that is written as an object, its type."""
    message = field.message_type
    if message is not None:
        return WELL_KNOWN.get(message.full_name, message)
    if field.enum_type is not None:
        return enumeration(field.enum_type, options.withheld_values)
    if field.type != FieldDescriptor.TYPE_BYTES:
        return SCALARS[field.type]
    kind = TEXT_BYTES if options.bytes_as_text else SCALARS[field.type]
    return kind if options.media_type is None else _file(kind, options.media_type)


def _file(kind: Kind, media_type: str) -> Kind:
    """Written by a model like other bytes, and read by it as a file."""
    return replace(
        kind,
        output={"type": "object", "properties": FILE_PROPERTIES},
        encode=lambda data: encode_file(media_type, data),
        hint=f"{kind.hint or ''} A file: {media_type}.".strip(),
    )


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map, written as an object with keys of the sender's."""
    entry = field.message_type
    return bool(entry is not None and entry.has_options and entry.GetOptions().map_entry)


def entry_fields(field: FieldDescriptor) -> Mapping[str, FieldDescriptor]:
    """The "key" and the "value" of a map's entries."""
    entry = field.message_type
    return {} if entry is None else entry.fields_by_name


def is_no_text(field: FieldDescriptor) -> bool:
    """Whether an empty string is no value of the field, and can only mean that nothing is given.

    That of an enum or of a bool is left to be refused, with what is allowed.
    """
    return field.message_type is not None or field.type in _NUMBERS


_NUMBERS = SCALARS.keys() - {
    FieldDescriptor.TYPE_BOOL,
    FieldDescriptor.TYPE_STRING,
    FieldDescriptor.TYPE_BYTES,
}


def is_chosen(field: FieldDescriptor) -> bool:
    """Whether the field is one of several of which at most one may be given."""
    oneof = field.containing_oneof
    return oneof is not None and len(oneof.fields) > 1


class Use(enum.Enum):
    """What a message in a request is for. https://google.aip.dev/203"""

    WHOLE = "whole"
    CHANGES = "changes"
    """It lies in a request that names what to change: what is not given stays as it is."""
    NEW = "new"
    """It is the resource that the request makes, and names beside it."""


def use_below(field: FieldDescriptor, use: Use) -> Use:
    """What the field's message is for, when its own message is for `use`."""
    request = field.containing_type
    if use is Use.CHANGES or (request is not None and is_partial_update(request)):
        return Use.CHANGES
    return Use.NEW if _is_made(field) else Use.WHOLE


def _is_made(field: FieldDescriptor) -> bool:
    """Whether the request makes what the field holds, under the name that `<field>_id` gives.

    https://google.aip.dev/133
    """
    request = field.containing_type
    named = request is not None and f"{field.name}_id" in request.fields_by_name
    return named and request is not None and request.name.startswith("Create") and not field.is_repeated


def is_named(options: FieldOptions, use: Use) -> bool:
    """Whether the field is the name of a resource that the request gives beside it."""
    return use is Use.NEW and "IDENTIFIER" in options.behavior


def is_partial_update(message: Descriptor) -> bool:
    """Whether the request holds a resource of which only what its update mask names is meant."""
    mask = message.fields_by_name.get("update_mask")
    named = None if mask is None else mask.message_type
    return named is not None and named.full_name == "google.protobuf.FieldMask"


def is_offered(options: FieldOptions, required: bool) -> bool:
    """Whether the schema of a request shows the field; what is not shown is read all the same."""
    if options.hidden or "OUTPUT_ONLY" in options.behavior:
        return False
    return required or not options.deprecated
