"""A service that answers with files and odd values, and a broker in front of it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import google.api
import grpc.aio
import jsonschema
import pytest
from google.protobuf.descriptor import Descriptor

from broker import assembly
from broker.config.settings import Settings
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded, Protoset
from broker.dispatch import Broker
from broker.tool import ToolCall, ToolResult
from tests.servers import files

ROOT = Path(__file__).parents[2]
PREFIX = "files_v1_FileService_"

Answer = Callable[..., Awaitable[ToolResult]]


@pytest.fixture(scope="session")
def protoset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tests/protos/files, compiled once."""
    path = tmp_path_factory.mktemp("protosets") / "files.binpb"
    roots = [ROOT / "tests/protos", ROOT / "protos", Path(google.api.__path__[0]).parents[1]]
    compiled = asyncio.run(compile_protos(["files/v1/files.proto"], roots))
    path.write_bytes(compiled.SerializeToString())
    return path


@pytest.fixture(scope="session")
def descriptors(protoset: Path) -> Descriptors:
    loaded: Loaded = asyncio.run(Protoset(protoset).load())
    return link(loaded)


@pytest.fixture(scope="session")
def every_type(protoset: Path) -> tuple[Descriptors, list[Descriptor]]:
    """All message types of our edge protos, and the pool that they are of."""
    protos = ROOT / "tests/protos"
    names = ["files/v1/files.proto", "probe/v1/probe.proto", *(path.name for path in protos.glob("schema_*"))]
    roots = [protos, ROOT / "protos", Path(google.api.__path__[0]).parents[1]]
    files = asyncio.run(compile_protos(names, roots))
    linked = link(Loaded(files=files, services=[], trusted=True))
    found = [
        linked.pool.FindFileByName(file.name).message_types_by_name[message.name]
        for file in files.file
        if not file.name.startswith("google/protobuf/descriptor")
        for message in file.message_type
    ]
    for message in found:  # grows while it is read
        found += [each for each in message.nested_types if not each.GetOptions().map_entry]
    return linked, found


@pytest.fixture
def new(descriptors: Descriptors) -> Callable[..., Any]:
    """Makes a message by its name and fields."""

    def make(name: str, /, **fields: Any) -> Any:
        full_name = name if "." in name else f"files.v1.{name}"
        return descriptors.message_class(descriptors.pool.FindMessageTypeByName(full_name))(**fields)

    return make


@pytest.fixture
async def target(descriptors: Descriptors) -> AsyncIterator[str]:
    """The address of the running service."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((files.handlers(descriptors),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.fixture
async def broker(target: str, protoset: Path) -> AsyncIterator[Broker]:
    backend = {"target": target, "plaintext": True, "descriptors": {"protoset": protoset}}
    settings = Settings.model_validate({"backends": {"files": backend}, "log": {"level": "error"}})
    async with assembly.open(settings) as opened:
        yield opened


@pytest.fixture
def answer(broker: Broker) -> Answer:
    """What a model reads when a method answers with this message, or with these bytes.

    Every answer is checked against the output schema that MCP clients are given.
    """

    async def call(method: str, response: Any, size: int = 0) -> ToolResult:
        wire = response if isinstance(response, bytes) else response.SerializeToString()
        arguments = {"wire": base64.b64encode(wire).decode(), "size": size}
        told = ToolCall(id="call_1", name=PREFIX + method, arguments=json.dumps(arguments))
        result = await broker.call(told)
        tool = broker.catalog.get(told.name)
        assert tool is not None
        definition = broker.catalog.definition(tool, "mcp")
        assert definition is not None
        if result.structured is not None:
            jsonschema.validate(result.structured, definition["outputSchema"])
            assert json.loads(result.content) == result.structured
        return result

    return call
