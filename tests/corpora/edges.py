"""Our own edge cases as one corpus: each message is the request and the response of a method of its own."""

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded

NAME = "edges"
SERVICE = "edges.Edges"
_PROTOS = Path(__file__).parents[1] / "protos"
_FILES = (
    "schema_editions.proto",
    "schema_proto2.proto",
    "schema_proto3.proto",
    "schema_strict.proto",
    "edges/behaviors.proto",
    "edges/choices.proto",
    "edges/edition.proto",
    "edges/held.proto",
    "edges/names.proto",
    "edges/no_package.proto",
    "edges/recursion.proto",
)
MEMBERS, VALUES, DEEP = 300, 1_000, 100
_WELL_KNOWN = (
    "Any", "BoolValue", "BytesValue", "DoubleValue", "Duration", "Empty", "FieldMask", "FloatValue",
    "Int32Value", "Int64Value", "ListValue", "StringValue", "Struct", "Timestamp", "UInt32Value",
    "UInt64Value", "Value",
)  # fmt: skip


def files() -> FileDescriptorSet:
    """All of them, compiled or made."""
    files = asyncio.run(compile_protos(_FILES, [_PROTOS]))
    _large(files.file.add())
    _service(files)
    return files


def descriptors() -> Descriptors:
    """All of them, linked; on offer are the service with all methods, and the one without a package."""
    return link(Loaded(files=files(), services=[SERVICE, "Shelter"], trusted=True))


def method_name(full_name: str) -> str:
    """The method that takes a message: `schema_proto3_Node`."""
    return full_name.replace(".", "_")


def _service(files: FileDescriptorSet) -> None:
    """A method for each message, and for each well-known type."""
    names = [name for file in files.file if not file.name.startswith("google/") for name in _messages(file)]
    names += [f"google.protobuf.{name}" for name in _WELL_KNOWN]
    file = files.file.add(name="edges/service.proto", package="edges", syntax="proto3")
    file.dependency.extend(other.name for other in files.file if other.name != file.name)
    service = file.service.add(name="Edges")
    for name in names:
        service.method.add(name=method_name(name), input_type=f".{name}", output_type=f".{name}")


def _messages(file: FileDescriptorProto) -> Iterator[str]:
    yield from _below(file.package, file.message_type)


def _below(scope: str, messages: Iterable[DescriptorProto]) -> Iterator[str]:
    for message in messages:
        if not message.options.map_entry:
            full_name = f"{scope}.{message.name}".lstrip(".")
            yield full_name
            yield from _below(full_name, message.nested_type)


def _large(file: FileDescriptorProto) -> None:
    """A oneof of 300 members, an enum of 1,000 values, and a message 100 deep."""
    file.name, file.package, file.syntax = "edges/large.proto", "edges.large", "proto3"
    _crowd(file.message_type.add(name="Crowd"))
    _spectrum(file.message_type.add(name="Spectrum"))
    for level in range(DEEP):
        holder = file.message_type.add(name=f"Level{level}")
        _field(holder, "name", FieldDescriptorProto.TYPE_STRING)
        if level < DEEP - 1:
            _field(holder, "next", FieldDescriptorProto.TYPE_MESSAGE, f".edges.large.Level{level + 1}")


def _crowd(message: DescriptorProto) -> None:
    message.oneof_decl.add(name="member")
    for number in range(MEMBERS):
        kind = (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT64)[number % 2]
        _field(message, f"member_{number}", kind).oneof_index = 0


def _spectrum(message: DescriptorProto) -> None:
    enum = message.enum_type.add(name="Hue")
    for number in range(VALUES):
        enum.value.add(name=f"HUE_{number}", number=number)
    _field(message, "hue", FieldDescriptorProto.TYPE_ENUM, ".edges.large.Spectrum.Hue")
    hues = _field(message, "hues", FieldDescriptorProto.TYPE_ENUM, ".edges.large.Spectrum.Hue")
    hues.label = FieldDescriptorProto.LABEL_REPEATED


def _field(
    message: DescriptorProto,
    name: str,
    kind: FieldDescriptorProto.Type.ValueType,
    type_name: str | None = None,
) -> FieldDescriptorProto:
    number = len(message.field) + 1
    field = message.field.add(name=name, json_name=name, number=number, type=kind, type_name=type_name)
    field.label = FieldDescriptorProto.LABEL_OPTIONAL
    return field
