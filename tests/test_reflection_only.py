"""A server that is known by reflection alone, and whose proto imports six files, through every way in."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_reflection.v1alpha import reflection, reflection_pb2

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import ProtoFiles
from broker.v1 import broker_pb2
from broker.v1.broker_pb2_grpc import BrokerServiceStub

PROTOS = Path(__file__).parent / "protos"
BROKER = Path(sys.executable).parent / "broker"
SERVICE = "trips.v1.TripService"
TOOL = "trips_v1_TripService_GetPrice"


@pytest.fixture
async def target() -> AsyncIterator[str]:
    """The address of the server; it speaks reflection v1, and no v1alpha."""
    descriptors = link(await ProtoFiles(("trips/v1/trips.proto",), (PROTOS,)).load())
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((trips(descriptors), reflection_v1(descriptors)))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


def trips(descriptors: Descriptors) -> grpc.GenericRpcHandler:
    method = descriptors.services[0].methods_by_name["GetPrice"]
    request, response = map(descriptors.message_class, (method.input_type, method.output_type))

    async def get_price(asked: Any, context: Any) -> Any:
        return response(total={"currency_code": "EUR", "units": 250}, destination=asked.destination)

    handler: Any = grpc.unary_unary_rpc_method_handler(
        get_price, request.FromString, lambda message: bytes(message.SerializeToString())
    )
    return grpc.method_handlers_generic_handler(SERVICE, {"GetPrice": handler})


def reflection_v1(descriptors: Descriptors) -> grpc.GenericRpcHandler:
    servicer = reflection.aio.ReflectionServicer((SERVICE,), pool=descriptors.pool)
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(
        "grpc.reflection.v1.ServerReflection", {"ServerReflectionInfo": handler}
    )


async def run(*arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    process = await asyncio.create_subprocess_exec(
        BROKER, *arguments, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_tools_shows_the_schema_with_what_is_imported(target: str) -> None:
    (tool,) = json.loads(await run("tools", target, "-plaintext", "--json"))

    properties = tool["function"]["parameters"]["properties"]
    assert tool["function"]["name"] == TOOL
    assert list(properties) == ["destination", "cabin", "passengers", "departure"]
    assert properties["passengers"]["items"]["properties"]["home"]["properties"]["city"]["type"] == "string"
    assert "CABIN_FIRST" in properties["cabin"]["enum"]
    assert tool["function"]["parameters"]["required"] == ["destination"]


async def test_call_calls_it(target: str) -> None:
    arguments = {"destination": {"city": "Lisbon"}, "departure": "2027-05-01T12:00:00Z"}

    price = json.loads(await run("call", "-plaintext", target, TOOL, json.dumps(arguments)))

    assert price["total"] == {"currency_code": "EUR", "units": "250"}
    assert price["destination"] == {"city": "Lisbon"}


async def test_chat_calls_it(target: str) -> None:
    events = await run("chat", "-plaintext", target, "--json", 'GetPrice for destination city "Lisbon"')

    kinds = [json.loads(line) for line in events.splitlines()]
    assert any("Lisbon" in json.dumps(event) and "250" in json.dumps(event) for event in kinds), events


async def test_serve_serves_it(target: str, tmp_path: Path) -> None:
    config = tmp_path / "broker.yaml"
    config.write_text(
        f'server: {{grpc: "127.0.0.1:0", drain_delay: 10ms}}\n'
        f'backends: {{trips: {{target: "{target}", plaintext: true, descriptors: reflection}}}}\n'
    )
    process = await asyncio.create_subprocess_exec(
        BROKER, "serve", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    address = (await asyncio.wait_for(process.stderr.readline(), 60)).decode().split()[-1]
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = BrokerServiceStub(channel)
            listed = await stub.ListTools(broker_pb2.ListToolsRequest())
            call = broker_pb2.ToolCall(id="1", name=TOOL, arguments='{"destination": {"city": "Lisbon"}}')
            called = await stub.CallTool(broker_pb2.CallToolRequest(call=call))
    finally:
        process.terminate()
        await asyncio.wait_for(process.communicate(), 60)

    assert [tool.name for tool in listed.tools] == [TOOL]
    assert json.loads(called.result.content)["total"]["units"] == "250"
    assert process.returncode == 0
