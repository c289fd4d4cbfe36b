"""What all tool servers have in common, whatever language they are in: each as `make servers` starts it."""

import ast
import datetime
import importlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodOptions, ServiceDescriptorProto
from google.protobuf.json_format import ParseDict
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tests.conversations.backends import Backend, running
from tests.tool_servers.experts.asked import stand_in
from tests.tool_servers.test_servers import SERVERS
from tests.tool_servers.toolchains import BUILT, ROOT

SOON = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=2)).date().isoformat()
MAIL = {"subject": "Hello", "body": "Hello", "recipients": [{"address": "ada@example.com"}]}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "weather": ("GetForecast", {"name": "北京"}),
    "stocks": ("GetQuote", {"query": "茅台"}),
    "flights": ("SearchFlights", {"origin": "北京", "destination": "上海", "date": SOON}),
    "hotels": ("GetHotel", {"hotel_id": "shanghai-1"}),
    "customers": ("RunQuery", {"sql": "SELECT count(*) FROM customers"}),
    "mail": ("SendMail", {"draft": MAIL}),
    "knowledge": ("SearchDocuments", {"query": "weather"}),
    "charts": ("DrawChart", {"kind": 1, "title": "x", "labels": ["a"], "series": [{"values": [1]}]}),
    "experts": ("Ask", {"question": "Is it right?"}),
    "extract": ("SaveRecord", {"person": {"name": "王芳"}}),
}
"""A call of each that it answers with what it has by itself."""
ONCE = {"HoldFlight", "BookFlight", "BookRoom", "SendMail"}
"""What a second call does a second time: nobody may send one unasked."""
AGAIN = {
    ("flights", "CancelBooking"),
    ("hotels", "CancelBooking"),
    ("customers", "UpdateCustomer"),
    ("extract", "SaveRecord"),
}
"""What changes something, and nothing more when it is called again."""


def service_of(name: str) -> ServiceDescriptor:
    """As its stubs know it."""
    module = importlib.import_module(f"{name}.v1.{name}_pb2")
    (service,) = module.DESCRIPTOR.services_by_name.values()
    assert isinstance(service, ServiceDescriptor)
    return service


@asynccontextmanager
async def started(name: str, folder: Path) -> AsyncIterator[Backend]:
    """Without any setting, but where the stand-in is that the experts ask, as the Procfile does."""
    if name == "experts":
        async with stand_in() as url, running(name, folder, EXPERT_BASE_URL=url) as backend:
            yield backend
    else:
        async with running(name, folder) as backend:
            yield backend


async def reflected(channel: grpc.aio.Channel, version: str, symbol: str) -> ServiceDescriptorProto:
    """A service as the server describes it."""
    ask: Any = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
    (found,) = [response async for response in ask(iter([request]))]
    files = map(FileDescriptorProto.FromString, found.file_descriptor_response.file_descriptor_proto)
    return next(each for file in files for each in file.service if symbol == f"{file.package}.{each.name}")


async def call(channel: grpc.aio.Channel, name: str) -> Any:
    wanted, arguments = CALLS[name]
    stubs = importlib.import_module(f"{name}.v1.{name}_pb2_grpc")
    messages = importlib.import_module(f"{name}.v1.{name}_pb2")
    service = service_of(name)
    request = getattr(messages, service.methods_by_name[wanted].input_type.name)()
    return await getattr(getattr(stubs, f"{service.name}Stub")(channel), wanted)(
        ParseDict(arguments, request)
    )


@pytest.mark.parametrize("name", SERVERS)
async def test_it_answers_by_itself_tells_its_health_and_its_methods_and_stops_when_it_is_told(
    name: str, tmp_path: Path
) -> None:
    service = service_of(name)
    described = ServiceDescriptorProto()
    service.CopyToProto(described)
    async with started(name, tmp_path) as backend:
        async with grpc.aio.insecure_channel(backend.address) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            for asked in ("", service.full_name):
                told = await health.Check(health_pb2.HealthCheckRequest(service=asked))
                assert told.status == health_pb2.HealthCheckResponse.SERVING
            for version in ("v1", "v1alpha"):
                assert await reflected(channel, version, service.full_name) == described
            answer = await call(channel, name)
        await backend.stop()

    assert answer.ByteSize() > 0
    assert backend.process.returncode == 0
    assert backend.received(CALLS[name][0]) == 1


@pytest.mark.parametrize("name", SERVERS)
def test_each_method_says_whether_it_may_be_called_again(name: str) -> None:
    described = ServiceDescriptorProto()
    service_of(name).CopyToProto(described)

    for method in described.method:
        level = MethodOptions.IdempotencyLevel.Name(method.options.idempotency_level)
        if method.name in ONCE:
            assert level == "IDEMPOTENCY_UNKNOWN", method.name
        else:
            changes = (name, method.name) in AGAIN
            assert level == ("IDEMPOTENT" if changes else "NO_SIDE_EFFECTS"), method.name


def imported(path: Path) -> set[str]:
    """The packages that a file in Python imports."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    names = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_none_imports_the_broker() -> None:
    files = [*(ROOT / "tool_servers").glob("*.py"), *(ROOT / "tool_servers").glob("*/*.py")]

    assert {path.parent.name for path in files} >= {"weather", "experts", "serving", "tool_servers"}
    assert [path for path in files if "broker" in imported(path)] == []


@pytest.mark.parametrize("name", [name for name in SERVERS if name not in BUILT])
def test_the_stubs_of_none_need_the_broker(name: str) -> None:
    # The checkout is on the path, and with it the broker.
    without = f"import sys; sys.path = [each for each in sys.path if each not in ('', {str(ROOT)!r})]"
    stubs = f"import {name}.v1.{name}_pb2_grpc; import importlib.util"
    package = "importlib.util.find_spec('broker.errors') is None"

    done = subprocess.run(
        [sys.executable, "-c", f"{without}; {stubs}; assert {package}"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "gen" / "python")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def kept() -> list[Path]:
    """The files that are committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name]


def test_neither_the_stubs_of_a_tool_server_nor_protos_of_others_are_committed() -> None:
    files = kept()

    stubs = [file for file in files if file.name.endswith(("_pb2.py", "_pb2_grpc.py", ".pb.go", "_pb.ts"))]
    assert {file.parent.as_posix() for file in stubs} == {"broker/v1"}
    protos = [file for file in files if file.suffix == ".proto" and file.parts[0] != "tests"]
    assert [file for file in protos if file.parts[:2] in (("protos", "google"), ("protos", "buf"))] == []
    assert {file.parts[0] for file in protos} == {"protos", "benchmarks"}
    assert [file for file in files if file.name.startswith("mvnw") or ".mvn" in file.parts] == []


def test_no_lock_file_tells_a_registry() -> None:
    locks = [file for file in kept() if file.name == "package-lock.json"]

    assert Path("tool_servers/flights/package-lock.json") in locks
    for lock in locks:
        packages = json.loads((ROOT / lock).read_text())["packages"]
        assert [name for name, package in packages.items() if "resolved" in package] == []
