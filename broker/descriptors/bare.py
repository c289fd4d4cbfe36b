"""Bytes of files, and descriptors → messages of descriptor.proto whose classes know no extension.

The generated classes know the extensions of all that this process has imported, ours among them. They refuse
a backend's files, or cut options short, when these use one of those numbers for something else. To the
classes here all extensions are unknown fields.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
    OneofDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

AnyDescriptor: TypeAlias = (
    Descriptor
    | EnumDescriptor
    | EnumValueDescriptor
    | FieldDescriptor
    | FileDescriptor
    | MethodDescriptor
    | OneofDescriptor
    | ServiceDescriptor
)

Unknown: TypeAlias = Mapping[int, list[int | bytes]]
"""What stands under each number that a class does not know."""

# VARINT and LEN. https://protobuf.dev/programming-guides/encoding/#structure
_WIRE_TYPES = (0, 2)

_PROTOS: dict[type, str] = {
    Descriptor: "DescriptorProto",
    EnumDescriptor: "EnumDescriptorProto",
    FileDescriptor: "FileDescriptorProto",
    MethodDescriptor: "MethodDescriptorProto",
    ServiceDescriptor: "ServiceDescriptorProto",
}


def parse_file(data: bytes) -> FileDescriptorProto:
    """Parse a file; DecodeError: it is none."""
    return cast(FileDescriptorProto, _bare_class("google.protobuf.FileDescriptorProto").FromString(data))


def parse_file_set(data: bytes) -> FileDescriptorSet:
    """Parse a protoset; DecodeError: it is none."""
    return cast(FileDescriptorSet, _bare_class("google.protobuf.FileDescriptorSet").FromString(data))


def bare_options(descriptor: AnyDescriptor) -> Any:
    """Return the options of any element, as a message whose class has the options' own full name."""
    if isinstance(descriptor, EnumValueDescriptor):
        return _bare_proto(descriptor.type).value[descriptor.index].options
    if isinstance(descriptor, OneofDescriptor):
        return _bare_proto(descriptor.containing_type).oneof_decl[descriptor.index].options
    if isinstance(descriptor, FieldDescriptor):
        return _bare_field(descriptor).options
    return _bare_proto(descriptor).options


def bare_message(message: Descriptor) -> Any:
    """Return the DescriptorProto of `message`: one copy has the options of all its fields and oneofs."""
    return _bare_proto(message)


def bare_enum(enum: EnumDescriptor) -> Any:
    """Return the EnumDescriptorProto of `enum`: one copy has the options of all its values."""
    return _bare_proto(enum)


def unknown_fields(options: Message) -> Unknown:
    """Return what stands under each number, as varints or bytes; groups and fixed numbers are left out."""
    found: dict[int, list[int | bytes]] = {}
    unknown = UnknownFieldSet(options)
    for index in range(len(unknown)):
        one = unknown[index]
        if one.wire_type in _WIRE_TYPES:
            found.setdefault(one.field_number, []).append(one.data)
    return found


def _bare_field(field: Any) -> Any:
    if not field.is_extension:
        return _bare_proto(field.containing_type).field[field.index]
    scope = field.file if field.extension_scope is None else field.extension_scope
    return _bare_proto(scope).extension[field.index]


def _bare_proto(descriptor: Any) -> Any:
    name = next(name for kind, name in _PROTOS.items() if isinstance(descriptor, kind))
    proto: Any = _bare_class(f"google.protobuf.{name}")()
    descriptor.CopyToProto(proto)
    return proto


def joined(unknown: Unknown, number: int) -> bytes:
    """Return the bytes of one message under `number`: bytes that follow each other are merged."""
    return b"".join(value for value in unknown.get(number, ()) if isinstance(value, bytes))


def parts(data: int | bytes) -> Unknown:
    """Return what a serialized message holds under each number, whatever its type; nothing: it is none."""
    if isinstance(data, int) or not data:
        return {}
    try:
        # A class that knows none of the low numbers.
        return unknown_fields(_bare_class("google.protobuf.MethodOptions").FromString(data))
    except DecodeError:
        return {}


def texts(unknown: Unknown, number: int) -> Iterator[str]:
    """Yield the texts under `number` that are not empty."""
    for value in unknown.get(number, ()):
        if isinstance(value, bytes) and value:
            yield value.decode(errors="replace")


@functools.cache
def _bare_class(full_name: str) -> type[Message]:
    return GetMessageClass(_bare_pool().FindMessageTypeByName(full_name))


@functools.cache
def _bare_pool() -> DescriptorPool:
    pool = DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    return pool
