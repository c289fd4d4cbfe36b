"""Source info of loaded files → the comment of each element, by the element's full name."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from broker.descriptors.sources import Loaded

MAX_COMMENT = 16_384
"""How many characters of one comment are kept."""

# Two numbers for each level, and protobuf's parsers refuse more than 100 levels.
_MAX_PATH = 200

# The fields that hold named elements, by number: what the pairs in a location's path mean.
# https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto, SourceCodeInfo
_ELEMENTS: Mapping[str, Mapping[int, str]] = {
    "FileDescriptorProto": {4: "message_type", 5: "enum_type", 6: "service", 7: "extension"},
    "DescriptorProto": {2: "field", 3: "nested_type", 4: "enum_type", 6: "extension", 8: "oneof_decl"},
    "EnumDescriptorProto": {2: "value"},
    "ServiceDescriptorProto": {2: "method"},
}

_Path = tuple[int, ...]
_Element = tuple[str, Any]
"""An element's full name and its proto."""


def comments_of(loaded: Loaded) -> dict[str, str]:
    """Map full names to raw comments: the leading one, else the trailing one; never a detached one.

    An enum value is named under its enum, `weather.v1.Units.UNITS_METRIC`, though its scope is that of the
    enum: so no two elements share a name. What is said of elements that do not exist is left out.

    >>> from google.protobuf.descriptor_pb2 import FileDescriptorSet
    >>> files = FileDescriptorSet()
    >>> file = files.file.add(name="weather.proto", package="weather.v1")
    >>> _ = file.message_type.add(name="Location")
    >>> _ = file.source_code_info.location.add(path=[4, 0], leading_comments=" A place.")
    >>> comments_of(Loaded(files=files, services=(), trusted=True))
    {'weather.v1.Location': ' A place.'}
    """
    comments: dict[str, str] = {}
    for file in loaded.files.file:
        families = _Families(file)
        for location in file.source_code_info.location:
            text = location.leading_comments or location.trailing_comments
            if text and (element := families.element(tuple(location.path))) is not None:
                comments[element[0]] = text[:MAX_COMMENT]
    return comments


class _Families:
    """The named elements of one file by path, as its source info gives it; found as they are asked for."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._root: _Element = (file.package, file)
        self._families: dict[_Path, Sequence[_Element]] = {}

    def element(self, path: _Path) -> _Element | None:
        """Return the element at `path`; None: there is none, or it has no name."""
        if not path:
            return None
        family = self._families.get(path[:-1])
        if family is None:
            family = self._families[path[:-1]] = self._family(path[:-1])
        return family[path[-1]] if 0 <= path[-1] < len(family) else None

    def _family(self, path: _Path) -> Sequence[_Element]:
        """Return all elements of one kind in one parent: `path` is the parent's, then the kind's number."""
        if len(path) % 2 == 0 or len(path) > _MAX_PATH:
            return ()
        parent = self.element(path[:-1]) if len(path) > 1 else self._root
        if parent is None:
            return ()
        name, proto = parent
        kind = _ELEMENTS.get(proto.DESCRIPTOR.name, {}).get(path[-1])
        prefix = f"{name}." if name else ""
        return () if kind is None else [(prefix + child.name, child) for child in getattr(proto, kind)]
