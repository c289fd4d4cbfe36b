"""Bytes of files, and descriptors → messages of descriptor.proto whose classes know no extension.

The generated classes know the extensions of all that this process has imported, ours among them. They refuse
a backend's files, or cut options short, when these use one of those numbers for something else. To the
classes here all extensions are unknown fields.
"""

import functools
from collections.abc import Sequence
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
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

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


def bare_field_options(message: Descriptor) -> Sequence[tuple[FieldDescriptor, Any]]:
    """Return the fields of `message`, each with its options: one copy of the message serves them all."""
    protos = _bare_proto(message).field
    return [(field, protos[field.index].options) for field in message.fields]


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


@functools.cache
def _bare_class(full_name: str) -> type[Message]:
    return GetMessageClass(_bare_pool().FindMessageTypeByName(full_name))


@functools.cache
def _bare_pool() -> DescriptorPool:
    pool = DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    return pool
