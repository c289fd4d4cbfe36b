"""A tree of .proto files, its descriptors, and real servers that describe it by reflection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha._async import ReflectionServicer
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.reflection import Reflection
from broker.descriptors.sources import DescriptorSource, Loaded, ProtoFiles, Protoset

TREE = Path(__file__).parent.parent / "protos" / "descriptors_tree"
REFLECTION = "grpc.reflection.{version}.ServerReflection"

Answer = Callable[[ServerReflectionRequest], ServerReflectionResponse | bytes | None]
Serve = Callable[..., Awaitable[grpc.aio.Channel]]


@pytest.fixture(scope="session")
def tree() -> Path:
    """The root of the .proto files: six of them, a diamond of imports, three syntaxes."""
    return TREE


@pytest.fixture(scope="session")
def compiled() -> Loaded:
    """The tree, compiled once."""
    return asyncio.run(ProtoFiles(["library/v1/library.proto"], [TREE]).load())


@pytest.fixture(scope="session")
def descriptors(compiled: Loaded) -> Descriptors:
    return link(compiled)


@pytest.fixture
def write_protoset(tmp_path: Path) -> Callable[[FileDescriptorSet], Path]:
    def write(files: FileDescriptorSet) -> Path:
        path = tmp_path / "files.binpb"
        path.write_bytes(files.SerializeToString())
        return path

    return write


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves reflection methods under a version's name, and hands out a channel to them."""
    async with AsyncExitStack() as stack:

        async def start(method: Any, version: str = "v1", **options: Any) -> grpc.aio.Channel:
            server = grpc.aio.server()
            handler = grpc.stream_stream_rpc_method_handler(
                method, ServerReflectionRequest.FromString, _serialized
            )
            server.add_generic_rpc_handlers(
                [
                    grpc.method_handlers_generic_handler(
                        REFLECTION.format(version=version), {"ServerReflectionInfo": handler}
                    )
                ]
            )
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            stack.push_async_callback(server.stop, None)
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=list(options.items()))
            stack.push_async_callback(channel.close)
            return channel

        yield start


@pytest.fixture
def serve_answers(serve: Serve) -> Serve:
    """Serves a function of the question; None ends the call."""

    async def start(answer: Answer, **options: Any) -> grpc.aio.Channel:
        async def converse(requests: AsyncIterator[ServerReflectionRequest], context: Any) -> Any:
            async for request in requests:
                response = answer(request)
                if response is None:
                    return
                yield response

        return await serve(converse, **options)

    return start


@pytest.fixture
def serve_descriptors(serve: Serve) -> Serve:
    """Serves descriptors as Python's own reflection service does."""

    async def start(
        descriptors: Descriptors, services: Sequence[str] | None = None, **options: Any
    ) -> grpc.aio.Channel:
        names = [service.full_name for service in descriptors.services] if services is None else services
        return await serve(ReflectionServicer(names, pool=descriptors.pool).ServerReflectionInfo, **options)

    return start


@pytest.fixture
def reflection() -> Callable[..., Reflection]:
    """A Reflection with generous bounds."""

    def make(channel: grpc.aio.Channel, **bounds: Any) -> Reflection:
        return Reflection(channel, **({"max_files": 100, "max_bytes": 1_000_000, "timeout": 30.0} | bounds))

    return make


@pytest.fixture(params=["protos", "protoset", "reflection v1", "reflection v1alpha"])
async def source(
    request: pytest.FixtureRequest,
    compiled: Loaded,
    descriptors: Descriptors,
    write_protoset: Callable[[FileDescriptorSet], Path],
    serve_descriptors: Serve,
    reflection: Callable[..., Reflection],
) -> DescriptorSource:
    """The same tree from every kind of source."""
    match str(request.param).split():
        case ["protos"]:
            return ProtoFiles(["library/v1/library.proto"], [TREE])
        case ["protoset"]:
            return Protoset(write_protoset(compiled.files))
        case [_, version]:
            return reflection(await serve_descriptors(descriptors, version=version))
    raise AssertionError(request.param)


def _serialized(response: ServerReflectionResponse | bytes) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()
