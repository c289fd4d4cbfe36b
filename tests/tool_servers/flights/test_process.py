"""The server as a process: health, reflection, how it stops, wrong settings."""

import asyncio
import signal
import socket
from collections.abc import Iterable
from typing import Any

import grpc.aio
import pytest
from flights.v1 import flights_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodOptions
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from tests.tool_servers.flights.serving import Server, running, start

SERVICE = "flights.v1.FlightService"
SEARCH = flights_pb2.SearchFlightsRequest(origin="PEK", destination="SHA", date="2026-03-02")


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_is_serving(server: Server, service: str) -> None:
    health: Any = health_pb2_grpc.HealthStub(server.channel)

    answer = await health.Check(health_pb2.HealthCheckRequest(service=service))

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def reflect(
    server: Server, version: str, requests: Iterable[reflection_pb2.ServerReflectionRequest]
) -> list[reflection_pb2.ServerReflectionResponse]:
    ask = server.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return [response async for response in ask(iter([*requests]))]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_tells_services_options_rules_and_comments(server: Server, version: str) -> None:
    request = reflection_pb2.ServerReflectionRequest
    listed, found, method = await reflect(
        server,
        version,
        [
            request(list_services=""),
            request(file_containing_symbol=SERVICE),
            request(file_containing_symbol=f"{SERVICE}.GetBooking"),
        ],
    )

    names = {service.name for service in listed.list_services_response.service}
    reflection = {f"grpc.reflection.{each}.ServerReflection" for each in ("v1", "v1alpha")}
    assert names == {SERVICE, "grpc.health.v1.Health"} | reflection
    files = [
        FileDescriptorProto.FromString(data) for data in found.file_descriptor_response.file_descriptor_proto
    ]
    flights = files[0]
    methods = {each.name: each.options.idempotency_level for each in flights.service[0].method}
    assert methods == {
        "SearchFlights": MethodOptions.NO_SIDE_EFFECTS,
        "HoldFlight": MethodOptions.IDEMPOTENCY_UNKNOWN,
        "BookFlight": MethodOptions.IDEMPOTENCY_UNKNOWN,
        "GetBooking": MethodOptions.NO_SIDE_EFFECTS,
        "CancelBooking": MethodOptions.IDEMPOTENT,
    }
    # Options and rules are all there: they are those of the stubs, which protoc made.
    comments = flights.source_code_info.location
    assert any(" Finds flights and books seats" in each.leading_comments for each in comments)
    assert stripped(flights) == stripped_stubs()
    assert {"buf/validate/validate.proto", *flights.dependency} <= {file.name for file in files}
    assert method.file_descriptor_response == found.file_descriptor_response


def stripped(file: FileDescriptorProto) -> FileDescriptorProto:
    """The file without comments, and without the JSON names, which the stubs do not hold."""
    file.ClearField("source_code_info")
    for message in file.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return file


def stripped_stubs() -> FileDescriptorProto:
    file = FileDescriptorProto()
    flights_pb2.DESCRIPTOR.CopyToProto(file)
    return stripped(file)


async def test_reflection_finds_files_and_extensions(server: Server) -> None:
    request = reflection_pb2.ServerReflectionRequest
    extension = reflection_pb2.ExtensionRequest(
        containing_type="google.protobuf.FieldOptions", extension_number=1159
    )
    by_name, by_extension, numbers, nowhere, nothing = await reflect(
        server,
        "v1",
        [
            request(file_by_filename="google/type/money.proto"),
            request(file_containing_extension=extension),
            request(all_extension_numbers_of_type="google.protobuf.FieldOptions"),
            request(file_containing_symbol="flights.v1.Nowhere"),
            request(),
        ],
    )

    def name(response: reflection_pb2.ServerReflectionResponse) -> str:
        return FileDescriptorProto.FromString(response.file_descriptor_response.file_descriptor_proto[0]).name

    assert name(by_name) == "google/type/money.proto"
    assert name(by_extension) == "buf/validate/validate.proto"
    assert {1052, 1159} <= {*numbers.all_extension_numbers_response.extension_number}
    assert nowhere.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert nothing.error_response.error_code == grpc.StatusCode.UNIMPLEMENTED.value[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop_and_exits_with_0(node: str, number: signal.Signals) -> None:
    async with running(node) as server:
        await server.stub.SearchFlights(SEARCH)
        with pytest.raises(grpc.aio.AioRpcError):
            await server.stub.GetBooking(flights_pb2.GetBookingRequest(booking_id="SECRET"))

        server.process.send_signal(number)
        output, log = await server.process.communicate()

    assert server.process.returncode == 0
    assert output == b""
    lines = log.decode().splitlines()
    assert len(lines) == 2
    assert " flights: method=SearchFlights code=OK ms=" in lines[0]
    assert " flights: method=GetBooking code=NOT_FOUND ms=" in lines[1]
    assert "SECRET" not in log.decode()


async def test_a_call_in_flight_is_answered_before_it_exits(node: str) -> None:
    async with running(node, "--delay", "0.5") as server:
        health: Any = health_pb2_grpc.HealthStub(server.channel)
        watching = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
        call = asyncio.ensure_future(server.stub.SearchFlights(SEARCH))
        # Answered without delay, and after the other has arrived: that one is in flight.
        with pytest.raises(grpc.aio.AioRpcError):
            await server.stub.SearchFlights(flights_pb2.SearchFlightsRequest())

        server.process.send_signal(signal.SIGTERM)
        told = await watching.read()
        found = await call
        await server.process.communicate()

    assert told.status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert found.flights
    assert server.process.returncode == 0


async def test_new_calls_are_refused_while_one_in_flight_ends(node: str) -> None:
    async with running(node, "--delay", "0.5") as server:
        call = asyncio.ensure_future(server.stub.SearchFlights(SEARCH))
        with pytest.raises(grpc.aio.AioRpcError):
            await server.stub.SearchFlights(flights_pb2.SearchFlightsRequest())
        health: Any = health_pb2_grpc.HealthStub(server.channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        await watching.read()

        server.process.send_signal(signal.SIGTERM)
        await watching.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.stub.SearchFlights(SEARCH)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert (await call).flights


async def test_a_call_that_outlasts_the_grace_period_is_cut_off(node: str) -> None:
    async with running(node, "--delay", "3600", "--grace", "0.05") as server:
        call = asyncio.ensure_future(server.stub.SearchFlights(SEARCH))
        with pytest.raises(grpc.aio.AioRpcError):
            await server.stub.SearchFlights(flights_pb2.SearchFlightsRequest())

        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
        await server.process.communicate()

    assert server.process.returncode == 0


async def test_a_second_signal_ends_it_at_once(node: str) -> None:
    async with running(node, "--delay", "3600", "--grace", "3600") as server:
        health: Any = health_pb2_grpc.HealthStub(server.channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        await watching.read()
        call = asyncio.ensure_future(server.stub.SearchFlights(SEARCH))
        with pytest.raises(grpc.aio.AioRpcError):
            await server.stub.SearchFlights(flights_pb2.SearchFlightsRequest())
        server.process.send_signal(signal.SIGTERM)
        await watching.read()

        server.process.send_signal(signal.SIGINT)
        with pytest.raises(grpc.aio.AioRpcError):
            await call
        await server.process.communicate()

    assert server.process.returncode == -signal.SIGINT


async def test_a_call_whose_caller_has_gone_books_nothing(node: str) -> None:
    async with running(node, "--delay", "0.3") as server:
        found = await server.stub.SearchFlights(SEARCH)
        flight = found.flights[0]
        request = flights_pb2.BookFlightRequest(flight_id=flight.flight_id, passenger_names=["Wang Fang"])
        call = server.stub.BookFlight(request, timeout=0.1)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        # Answered after the booking would have been made.
        again = await server.stub.SearchFlights(SEARCH)

    assert again.flights[0] == flight


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--address", "nowhere"), '--address "nowhere" is no HOST:PORT'),
        (("--adress", "127.0.0.1:0"), "--adress"),
        (("--grace", "soon"), '--grace "soon" is no number of seconds'),
        (("--hold", "0"), '--hold "0"'),
        (("--now", "today"), '--now "today" is no time'),
        (("stray",), "stray"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line_with_the_cure(
    node: str, arguments: tuple[str, ...], words: str
) -> None:
    process = await start(node, *arguments)

    output, errors = await process.communicate()

    assert process.returncode == 2
    assert output == b""
    (line,) = errors.decode().splitlines()
    assert line.startswith("flights: ")
    assert words in line


async def test_a_taken_address_is_exit_status_2(node: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = await start(node, "--address", address)
        output, errors = await process.communicate()

    assert process.returncode == 2
    assert output == b""
    assert errors.decode().splitlines() == [
        f'flights: cannot listen on "{address}": give a HOST:PORT of this machine that is free'
    ]


async def test_help_tells_the_settings(node: str) -> None:
    process = await start(node, "--help")

    output, _ = await process.communicate()

    assert process.returncode == 0
    for word in ("--address", "--grace", "--hold", "--now", "--delay"):
        assert word in output.decode()
