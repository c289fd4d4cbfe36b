"""Name → what an installed runtime has under it: .proto files, and the shapes of the well-known types."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from broker.descriptors.bare import parse_file

# Those whose messages have a JSON form of their own.
_WELL_KNOWN = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")
_OTHERS = ("api", "compiler/plugin", "descriptor", "source_context", "type")
_NAMES = {f"google/protobuf/{name}.proto": name for name in (*_WELL_KNOWN, *_OTHERS)}


def runtime_file(name: str) -> FileDescriptorProto | None:
    """Return the file that the runtime has under this import name; None: it has none.

    >>> runtime_file("google/protobuf/empty.proto").message_type[0].name
    'Empty'
    >>> runtime_file("weather/v1/weather.proto") is None
    True
    """
    return parse_file(_descriptor(_NAMES[name]).serialized_pb) if name in _NAMES else None


def validate_files() -> Iterator[bytes]:
    """Yield buf/validate/validate.proto and its imports, serialized, each after those that it imports.

    They are protovalidate's own, of the extra [validate]; raises ImportError where that is not installed.
    """
    # Its messages are of another runtime than protobuf's, with descriptors of their own.
    wanted = import_module("protovalidate").ViolationPb.desc().file
    seen: dict[str, bytes] = {}

    def visit(file: Any) -> None:
        for imported in file.dependencies:
            visit(imported)
        seen.setdefault(file.name, file.proto.to_binary())

    visit(wanted)
    yield from seen.values()


def well_known_types() -> Iterator[Descriptor]:
    """Yield the messages that have a JSON form of their own, from Any to UInt64Value."""
    for name in _WELL_KNOWN:
        yield from _descriptor(name).message_types_by_name.values()


def shape(message: Descriptor) -> frozenset[tuple[object, ...]]:
    """Return what code that knows `message` relies on: its fields, with their types and oneofs."""
    return frozenset(_field_shape(field) for field in message.fields)


def _descriptor(name: str) -> FileDescriptor:
    descriptor: FileDescriptor = import_module(f"google.protobuf.{name.replace('/', '.')}_pb2").DESCRIPTOR
    return descriptor


def _field_shape(field: FieldDescriptor) -> tuple[object, ...]:
    of = field.message_type or field.enum_type
    oneof = field.containing_oneof
    return (
        field.name,
        field.number,
        field.type,
        field.is_repeated,
        None if of is None else of.full_name,
        field.message_type is not None and field.message_type.GetOptions().map_entry,
        None if oneof is None else oneof.name,
    )
