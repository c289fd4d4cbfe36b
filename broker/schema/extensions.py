"""Extensions of proto2 and editions, written as "[pkg.name]" → fields of a message, and values in it."""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.schema.well_known import build


def find_extension(descriptors: Descriptors, message: Descriptor, key: str) -> FieldDescriptor | None:
    """The extension of the message that a key like "[pkg.name]" names."""
    if not (key.startswith("[") and key.endswith("]")):
        return None
    try:
        field = descriptors.pool.FindExtensionByName(key[1:-1])
    except KeyError:
        return None
    extendee = field.containing_type
    own = extendee is not None and extendee.full_name == message.full_name
    return field if own and not descriptors.field_options(field).withheld else None


def extended(
    descriptors: Descriptors, message: Descriptor, fields: dict[str, Any]
) -> dict[str, Any] | Message:
    """The message of what was decoded, built at once when there are extensions: a constructor takes none."""
    if not any(name.startswith("[") for name in fields):
        return fields
    own = {name: value for name, value in fields.items() if not name.startswith("[")}
    built = descriptors.message_class(message)(**own)
    for name, value in fields.items():
        if name.startswith("["):
            _set(descriptors, built, descriptors.pool.FindExtensionByName(name[1:-1]), value)
    return built


def _set(descriptors: Descriptors, message: Message, extension: FieldDescriptor, value: Any) -> None:
    # The generated stubs know extensions by their handles; in a private pool the descriptor is the handle.
    extensions: Any = message.Extensions
    held = extension.message_type
    if held is None and not extension.is_repeated:
        extensions[extension] = value
        return
    items = value if extension.is_repeated else [value]
    if held is not None:
        message_class = descriptors.message_class(held)
        items = [build(message_class, held.full_name, item) for item in items]
    if extension.is_repeated:
        extensions[extension].extend(items)
    else:
        type(items[0]).CopyFrom(extensions[extension], items[0])
