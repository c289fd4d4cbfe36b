"""Files that a server hands out, answer by answer → a set without missing imports, within bounds."""

from collections.abc import Sequence
from contextlib import suppress

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from broker.descriptors.bare import parse_file, parse_file_set
from broker.descriptors.runtime import runtime_file
from broker.descriptors.sources import quoted
from broker.errors import DescriptorError

_OTHERWISE = "give its .proto files or a protoset instead of reflection"


class Closure:
    """What a server has handed out so far. Each file counts once, however often it comes."""

    def __init__(self, *, max_files: int, max_bytes: int) -> None:
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._files: dict[str, FileDescriptorProto] = {}
        self._aliases: dict[str, str] = {}
        self._services: set[str] = set()
        self._seen: set[bytes] = set()
        self._bytes = 0

    def add(self, answer: Sequence[bytes], *, asked: str | None = None) -> None:
        """Keep the serialized files of an answer; `asked` is the import that was asked for.

        Raises DescriptorError: a bound is passed, or the files are none or contradict each other.
        """
        names = [self._add(data) for data in answer]
        # Some servers know a file by the name that its importers use, and call it otherwise inside.
        if asked is not None and asked not in self._files and names:
            self._aliases[asked] = names[0]

    def add_from_runtime(self, name: str) -> bool:
        """Keep the runtime's file of this name; False: it has none."""
        file = runtime_file(name)
        if file is not None:
            self._files[name] = file
        return file is not None

    def defines(self, service: str) -> bool:
        """Tell whether a file that is there defines the service of this full name."""
        return service in self._services

    def imports(self, name: str) -> bool:
        """Tell whether the import of this name has its file."""
        return name in self._files or name in self._aliases

    def missing(self) -> list[str]:
        """Return the imports that have no file yet, sorted."""
        wanted = {name for file in self._files.values() for name in file.dependency}
        return sorted(name for name in wanted if not self.imports(name))

    def file_set(self) -> FileDescriptorSet:
        """Return the files, sorted by name, with imports that name them as they name themselves."""
        files = parse_file_set(b"")
        files.file.extend(self._files[name] for name in sorted(self._files))
        if self._aliases:
            for file in files.file:
                file.dependency[:] = [self._aliases.get(name, name) for name in file.dependency]
        return files

    def _add(self, data: bytes) -> str:
        with suppress(DecodeError):
            file = parse_file(data)
            if file.name:
                self._keep(file, data)
                return file.name
        raise DescriptorError(f"the server handed out something that is no file descriptor; {_OTHERWISE}")

    def _keep(self, file: FileDescriptorProto, data: bytes) -> None:
        if data in self._seen:
            return
        if file.name in self._files and self._files[file.name] != file:
            raise DescriptorError(
                f"the server has two different files named {quoted(file.name)}; {_OTHERWISE}"
            )
        self._seen.add(data)
        self._bytes += len(data)
        self._files[file.name] = file
        self._services.update(f"{file.package}.{service.name}".lstrip(".") for service in file.service)
        self._check_bounds()

    def _check_bounds(self) -> None:
        if len(self._files) > self._max_files:
            raise DescriptorError(
                f"the server hands out more than {self._max_files} files; raise descriptors.max_files"
            )
        if self._bytes > self._max_bytes:
            raise DescriptorError(
                f"the server hands out more than {self._max_bytes} bytes; raise descriptors.max_bytes"
            )
