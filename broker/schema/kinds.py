"""A field → its kind: the one table that schema, decode and encode are driven by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor

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
        return enumeration(field.enum_type)
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


def is_required(field: FieldDescriptor, options: FieldOptions, partial: bool) -> bool:
    """Whether a model must give the field.

    `partial`: the message says what to change in a resource, so that what `field_behavior` requires of a
    whole resource is not asked for (https://google.aip.dev/203). proto2's own `required` always is.
    """
    asked = "REQUIRED" in options.behavior and not partial
    return bool(field.is_required or (asked and not is_chosen(field)))


def is_chosen(field: FieldDescriptor) -> bool:
    """Whether the field is one of several of which at most one may be given."""
    oneof = field.containing_oneof
    return oneof is not None and len(oneof.fields) > 1


def is_oneof_required(oneof: OneofDescriptor, options: Sequence[FieldOptions], partial: bool) -> bool:
    """Whether one of the fields must be given: what is required of a member can only mean that.

    `options` are those of the members; `partial` as for `is_required`.
    """
    required = any("REQUIRED" in one.behavior for one in options)
    return required and not partial and len(oneof.fields) > 1


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
