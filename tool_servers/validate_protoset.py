"""Writes buf/validate/validate.proto for protoc: `python -m tool_servers.validate_protoset FILE`.

The Python package of protovalidate holds it compiled only, so that protoc reads it by --descriptor_set_in.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from protovalidate import ViolationPb


def main(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files = FileDescriptorSet()
    for data in dict(_files(ViolationPb.desc().file)).values():
        files.file.add().MergeFromString(data)
    path.write_bytes(files.SerializeToString())


def _files(file: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the name of a file and itself, serialized, after those that it imports."""
    for imported in file.dependencies:
        yield from _files(imported)
    yield file.name, file.proto.to_binary()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
