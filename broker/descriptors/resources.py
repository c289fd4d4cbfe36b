"""Options of google.api → resources, their names' patterns, and the fields that name them.

https://google.aip.dev/122, https://google.aip.dev/123
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from broker.descriptors.bare import Unknown, joined, parts, texts, unknown_fields

RESOURCE = 1053
"""The number of google.api.resource, and of google.api.resource_definition."""
REFERENCE = 1055
"""The number of google.api.resource_reference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """The message is a resource."""

    type: str
    """As in "library.example.com/Book"."""
    patterns: tuple[str, ...] = ()
    """Of its names: "publishers/{publisher}/books/{book}"."""
    name_field: str = "name"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """The field names a resource."""

    type: str
    """That of the resource; "*": any."""
    child: bool = False
    """True: the field names the parent of a resource of this type."""


def read_resource(unknown: Unknown) -> Resource | None:
    """Read the resource that a message is, from what stands in its options."""
    return _resource(joined(unknown, RESOURCE)) if RESOURCE in unknown else None


def read_reference(unknown: Unknown) -> Reference | None:
    """Read the resource that a field names, from what stands in its options."""
    said = parts(joined(unknown, REFERENCE))
    for number, child in ((1, False), (2, True)):
        for name in texts(said, number):
            return Reference(type=name, child=child)
    return None


def patterns_of(files: FileDescriptorSet) -> dict[str, tuple[str, ...]]:
    """Map the types of resources to the patterns of their names, as messages and files define them.

    `files` are of a class that knows no extension.
    """
    patterns: dict[str, tuple[str, ...]] = {}
    for file in files.file:
        for resource in (*_defined(file.options), *_resources(file.message_type)):
            if resource.type and resource.patterns:
                patterns[resource.type] = resource.patterns
    return patterns


def _defined(file_options: Any) -> Iterator[Resource]:
    for data in unknown_fields(file_options).get(RESOURCE, ()):
        if isinstance(data, bytes):
            yield _resource(data)


def _resources(messages: Any) -> Iterator[Resource]:
    for message in messages:
        resource = read_resource(unknown_fields(message.options)) if message.HasField("options") else None
        if resource is not None:
            yield resource
        if message.nested_type:
            yield from _resources(message.nested_type)


def _resource(data: bytes) -> Resource:
    said = parts(data)
    return Resource(
        type=next(texts(said, 1), ""),
        patterns=tuple(texts(said, 2)),
        name_field=next(texts(said, 3), "name"),
    )
