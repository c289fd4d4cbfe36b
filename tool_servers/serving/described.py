"""What reflection tells of a service: also the comments of its .proto, which generated code leaves out."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

_POOL = descriptor_pool.Default()
_COMMENTED = "descriptors.binpb"
"""A FileDescriptorSet with comments; `make gen` writes it where it writes the stubs."""


class DescribedPool:
    """The pool of all stubs, for reflection: the files of a set are told as they stand there."""

    def __init__(self, files: Mapping[str, FileDescriptorProto]) -> None:
        self._files = files

    def FindFileByName(self, name: str) -> "_File":
        return _File(_POOL.FindFileByName(name), self._files)

    def FindFileContainingSymbol(self, symbol: str) -> "_File":
        return _File(_POOL.FindFileContainingSymbol(symbol), self._files)

    def __getattr__(self, name: str) -> Any:
        return getattr(_POOL, name)


class _File:
    """As much of a FileDescriptor as reflection looks at."""

    def __init__(self, file: FileDescriptor, files: Mapping[str, FileDescriptorProto]) -> None:
        self.name = file.name
        self._file = file
        self._files = files

    @property
    def dependencies(self) -> list["_File"]:
        return [_File(each, self._files) for each in self._file.dependencies]

    def CopyToProto(self, proto: FileDescriptorProto) -> None:
        commented = self._files.get(self.name)
        if commented is None:
            self._file.CopyToProto(proto)
        else:
            proto.CopyFrom(commented)


def described(file: FileDescriptor) -> DescribedPool:
    """What reflection tells of this file, and of those that were generated with it."""
    data = _beside_stubs(file)
    files = FileDescriptorSet.FromString(data.read_bytes()).file if data.is_file() else ()
    return DescribedPool({each.name: each for each in files})


def _beside_stubs(file: FileDescriptor) -> Path:
    module = sys.modules[file.name.removesuffix(".proto").replace("/", ".") + "_pb2"]
    stub = Path(module.__file__ or "")
    return stub.parents[file.name.count("/")] / _COMMENTED
