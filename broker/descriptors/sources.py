"""A place where descriptors are kept, .proto files or a protoset → the descriptors."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError

from broker.descriptors.bare import parse_file_set
from broker.descriptors.protoc import compile_protos
from broker.errors import DescriptorError

MAX_PROTOSET = 512 * 1024 * 1024
"""How many bytes a protoset may have; all of googleapis, with comments, has a sixth of it."""

_MAX_QUOTED = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """Descriptors as they were found: not linked yet."""

    files: FileDescriptorSet = field(repr=False)  # asyncio writes out the result of a main task
    """Of a class that knows no extension: options that are extensions are among its unknown fields."""
    services: Sequence[str]
    """Full names of the services on offer."""
    trusted: bool
    """False: the files come from a server, not from the operator."""


class DescriptorSource(Protocol):
    """A place where descriptors are kept."""

    async def load(self) -> Loaded:
        """Fetch the descriptors; DescriptorError: they cannot be had, and what to do about it."""
        ...


@dataclass(frozen=True, slots=True)
class ProtoFiles:
    """.proto files, compiled when they are loaded. On offer are their own services, not their imports'."""

    files: Sequence[str]
    """Named as `import` names them, or paths of files within the import paths."""
    import_paths: Sequence[Path] = ()
    """The folders that imports are relative to; none: the folders of the files themselves."""

    async def load(self) -> Loaded:
        """Compile the files; DescriptorError holds protoc's own lines."""
        names, folders = self._named() if self.import_paths else self._in_their_own_folders()
        files = await compile_protos(names, folders)
        return Loaded(files=files, services=_services(files, set(names)), trusted=True)

    def _named(self) -> tuple[list[str], list[Path]]:
        for folder in self.import_paths:
            if not folder.is_dir():
                raise DescriptorError(f"the import path {str(folder)!r} is no folder; give one that exists")
        folders = [folder.absolute() for folder in self.import_paths]
        return [_import_name(file, folders) for file in self.files], folders

    def _in_their_own_folders(self) -> tuple[list[str], list[Path]]:
        paths = dict.fromkeys(Path(file).absolute() for file in self.files)
        for path in paths:
            if not path.is_file():
                raise DescriptorError(f"there is no file {str(path)!r}; mend its path, or give import_paths")
        names = [path.name for path in paths]
        if len(set(names)) < len(names):
            raise DescriptorError(
                f"two of the files {', '.join(map(repr, self.files))} have one name in different folders; "
                "give import_paths, and name the files from there"
            )
        return names, list(dict.fromkeys(path.parent for path in paths))


def _import_name(file: str, folders: Sequence[Path]) -> str:
    path = Path(file)
    if not path.is_absolute() and any((folder / path).is_file() for folder in folders):
        return path.as_posix()
    for folder in folders:
        if path.absolute().is_file() and path.absolute().is_relative_to(folder):
            return path.absolute().relative_to(folder).as_posix()
    within = ", ".join(repr(str(folder)) for folder in folders)
    raise DescriptorError(
        f"there is no file {file!r} in the import paths {within}; name it as an import would, or add its root"
    )


@dataclass(frozen=True, slots=True)
class Protoset:
    """A file with a FileDescriptorSet, as protoc or `buf build` writes it. All its services are on offer."""

    path: Path

    async def load(self) -> Loaded:
        """Read the file."""
        files = await asyncio.to_thread(self._read)
        names = {file.name for file in files.file}
        return Loaded(files=files, services=_services(files, names), trusted=True)

    def _read(self) -> FileDescriptorSet:
        with suppress(DecodeError):
            files = parse_file_set(self._bytes())
            if files.file and all(file.name for file in files.file):
                return files
        raise self._refused("it holds no FileDescriptorSet")

    def _bytes(self) -> bytes:
        try:
            if self.path.stat().st_size > MAX_PROTOSET:
                raise self._refused(f"it has more than {MAX_PROTOSET} bytes")
            return self.path.read_bytes()
        except OSError as error:
            raise self._refused(str(error.strerror)) from error

    def _refused(self, fact: str) -> DescriptorError:
        return DescriptorError(
            f"the protoset {str(self.path)!r} cannot be used: {fact}; make it with protoc --include_imports "
            "--include_source_info --descriptor_set_out, or with buf build"
        )


def _services(files: FileDescriptorSet, names: Collection[str]) -> tuple[str, ...]:
    return tuple(
        f"{file.package}.{service.name}" if file.package else service.name
        for file in files.file
        if file.name in names
        for service in file.service
    )


def quoted(text: str) -> str:
    """Quote a name that an untrusted file or server gives, for an error message.

    >>> quoted("a\\n.proto")
    "'a\\\\n.proto'"
    """
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…")
