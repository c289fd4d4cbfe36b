"""Names of .proto files → FileDescriptorSet with comments, by the protoc that grpcio-tools holds."""

import asyncio
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from broker.descriptors.bare import parse_file_set
from broker.descriptors.runtime import validate_files
from broker.errors import DescriptorError
from broker.v1 import annotations_pb2

TIMEOUT = 120.0
"""How long protoc may take, in seconds; all of googleapis takes it 10."""

_MAX_LINES = 50
_READY_MADE = "ready-made.binpb"
_OUT = "out.binpb"
_ARGUMENTS = (
    f"--descriptor_set_in={_READY_MADE}",
    f"--descriptor_set_out={_OUT}",
    "--include_imports",
    "--include_source_info",
)
_VALIDATE = "buf/validate/validate.proto"


async def compile_protos(names: Sequence[str], import_paths: Sequence[Path]) -> FileDescriptorSet:
    """Compile the files that have these import names, and all that they import.

    `import_paths` are absolute, and looked through in their order; then come our own annotations, the
    protos of google/api, google/rpc, google/type and google/protobuf, and, where the extra [validate] is
    installed, buf/validate/validate.proto. Raises DescriptorError, which holds
    protoc's own lines.
    """
    with TemporaryDirectory(prefix="broker-protoc-") as folder:
        paths = [f"-I{path}" for path in (*import_paths, _googleapis())]
        await asyncio.to_thread(_write_ready_made, Path(folder, _READY_MADE), with_validate=False)
        try:
            await _run(*paths, *_ARGUMENTS, *names, folder=folder)
        except _NoValidate:
            # Few protos ask for it, their own copy goes first, and protovalidate takes a while to load.
            await asyncio.to_thread(_write_ready_made, Path(folder, _READY_MADE), with_validate=True)
            await _run(*paths, *_ARGUMENTS, *names, folder=folder)
        return await asyncio.to_thread(_read, Path(folder, _OUT))


class _NoValidate(DescriptorError):
    """No import path has buf/validate/validate.proto."""


def _write_ready_made(path: Path, *, with_validate: bool) -> None:
    files = FileDescriptorSet()
    for file in (*annotations_pb2.DESCRIPTOR.dependencies, annotations_pb2.DESCRIPTOR):
        file.CopyToProto(files.file.add())
    for data in validate_files() if with_validate else ():
        file_proto = FileDescriptorProto.FromString(data)
        if all(file_proto.name != known.name for known in files.file):
            files.file.append(file_proto)
    path.write_bytes(files.SerializeToString())


def _read(path: Path) -> FileDescriptorSet:
    return parse_file_set(path.read_bytes())


async def _run(*arguments: str, folder: str) -> None:
    # In a folder without .proto files, so that protoc takes no name for a path; -P keeps it off sys.path.
    # protoc writes its errors to file descriptor 2, past sys.stderr: hence a process of its own.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "grpc_tools.protoc", *arguments),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            _, errors = await process.communicate()
    except TimeoutError:
        raise DescriptorError(
            f"protoc was not done after {TIMEOUT:g} s; compile the files beforehand and give the protoset"
        ) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise _failure(errors.decode(errors="replace"))


def _failure(output: str) -> DescriptorError:
    """Tell protoc's own lines, without its warnings."""
    lines = [line for line in output.splitlines() if line and ": warning: " not in line]
    cure = "mend what protoc says"
    if "File not found" in output:
        cure = "add the folders that their imports are relative to to import_paths"
    missing = f"{_VALIDATE}: File not found" in output
    if missing:
        cure = f'install what {_VALIDATE} comes with, `pip install "grpc-tool-broker[validate]"`, or {cure}'
    text = "\n".join([f"the .proto files do not compile; {cure}:", *lines[:_MAX_LINES]])
    return _NoValidate(text) if missing and find_spec("protovalidate") is not None else DescriptorError(text)


def _googleapis() -> Path:
    """Return the folder in which googleapis-common-protos keeps google/api and its siblings."""
    spec = find_spec("google.api")
    if spec is None or not spec.submodule_search_locations:
        raise DescriptorError("google/api is not installed; install googleapis-common-protos")
    return Path(next(iter(spec.submodule_search_locations))).parents[1]
