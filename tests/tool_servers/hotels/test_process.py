"""`java -jar hotels.jar` as a process: how it starts, is found out about, and stops."""

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from hotels.v1 import hotels_pb2, hotels_pb2_grpc

from tests.tool_servers.hotels import server
from tests.tool_servers.hotels.failures import failure

SERVICE = "hotels.v1.HotelService"
HOTEL = hotels_pb2.GetHotelRequest(hotel_id="shanghai-1")

pytestmark = pytest.mark.usefixtures("built")


@pytest.mark.parametrize("name", ["", SERVICE])
async def test_health_is_serving(channel: grpc.aio.Channel, name: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)

    assert (await stub.Check(health_pb2.HealthCheckRequest(service=name))).status == 1


async def test_health_knows_no_other_service(channel: grpc.aio.Channel) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)

    error = await failure(stub.Check(health_pb2.HealthCheckRequest(service="other.v1.Other")))

    assert error.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_service_and_hands_out_its_files(
    channel: grpc.aio.Channel, version: str
) -> None:
    method: Any = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )

    async def requests() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        yield reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)

    listed, found = [answer async for answer in method(requests())]

    names = {service.name for service in listed.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"} <= names
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(file)
        for file in found.file_descriptor_response.file_descriptor_proto
    ]
    assert {"hotels/v1/hotels.proto", "buf/validate/validate.proto"} <= {file.name for file in files}
    hotels = next(file for file in files if file.name == "hotels/v1/hotels.proto")
    comments = [each.leading_comments for each in hotels.source_code_info.location]
    assert any(comment.startswith(" Books one room in a hotel") for comment in comments)
    assert [method.name for method in hotels.service[0].method] == [
        method.name for method in hotels_pb2.DESCRIPTOR.services_by_name["HotelService"].methods
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop_and_exits_with_0(number: signal.Signals) -> None:
    with server.running() as (process, address):
        async with grpc.aio.insecure_channel(address) as channel:
            hotel = await hotels_pb2_grpc.HotelServiceStub(channel).GetHotel(HOTEL)
        process.send_signal(number)
        output, log = process.communicate()

    assert hotel.city == "Shanghai"
    assert process.returncode == 0
    assert output == ""
    assert re.search(r"^\S+Z INFO hotels method=GetHotel code=OK ms=\d+$", log, re.MULTILINE)
    assert "shanghai" not in log


async def test_a_call_in_flight_is_answered_before_it_exits_though_the_health_is_watched() -> None:
    with server.running("--delay", "1", "--grace", "60") as (process, address):
        async with grpc.aio.insecure_channel(address) as channel:
            hotels = hotels_pb2_grpc.HotelServiceStub(channel)
            health: Any = health_pb2_grpc.HealthStub(channel)
            statuses = aiter(health.Watch(health_pb2.HealthCheckRequest()))
            assert (await anext(statuses)).status == health_pb2.HealthCheckResponse.SERVING
            in_flight = asyncio.ensure_future(hotels.GetHotel(HOTEL))
            # Refused without the delay, and after the other has arrived: that one is in flight.
            await failure(hotels.GetHotel(hotels_pb2.GetHotelRequest()))

            process.send_signal(signal.SIGTERM)

            assert (await anext(statuses)).status == health_pb2.HealthCheckResponse.NOT_SERVING
            ended = await failure(anext(statuses))
            assert ended.code() == grpc.StatusCode.UNAVAILABLE
            assert (await in_flight).id == "shanghai-1"
            refused = await failure(hotels.GetHotel(HOTEL))
            assert refused.code() == grpc.StatusCode.UNAVAILABLE
        await asyncio.to_thread(process.wait, 50)

    assert process.returncode == 0


async def test_a_call_that_outlives_the_grace_is_told_that_the_server_stops() -> None:
    with server.running("--delay", "600", "--grace", "0.1") as (process, address):
        async with grpc.aio.insecure_channel(address) as channel:
            hotels = hotels_pb2_grpc.HotelServiceStub(channel)
            in_flight = asyncio.ensure_future(hotels.GetHotel(HOTEL))
            await failure(hotels.GetHotel(hotels_pb2.GetHotelRequest()))

            process.send_signal(signal.SIGTERM)

            cut = await failure(in_flight)
        await asyncio.to_thread(process.wait, 60)

    assert cut.code() == grpc.StatusCode.UNAVAILABLE
    assert cut.details() == "the server is stopping: try again"
    assert process.returncode == 0


async def test_bytes_that_are_no_request_are_refused_without_a_trace_in_the_log() -> None:
    with server.running() as (process, address):
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: hotels\r\n\r\n")
        await reader.read()
        writer.close()
        async with grpc.aio.insecure_channel(address) as channel:
            method: Any = channel.unary_unary(f"/{SERVICE}/GetHotel")
            error = await failure(method(b"\xff\xff"))
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.to_thread(process.communicate, timeout=50)

    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "Invalid protobuf byte sequence")
    assert " method=GetHotel code=INTERNAL " in log
    assert log.count("\n") == 2


async def test_a_call_whose_time_is_over_books_nothing() -> None:
    stay: dict[str, Any] = {"check_in": "2026-03-02", "check_out": "2026-03-04"}
    with server.running("--delay", "0.3") as (_, address):
        async with grpc.aio.insecure_channel(address) as channel:
            hotels = hotels_pb2_grpc.HotelServiceStub(channel)
            search = hotels_pb2.SearchHotelsRequest(city="Shanghai", **stay)
            before = await hotels.SearchHotels(search)
            book = hotels_pb2.BookRoomRequest(
                hotel_id=before.offers[0].hotel.id, guest_name="Wang Fang", **stay
            )

            late = await failure(hotels.BookRoom(book, timeout=0.1))

            # Answered after the booking would have been made.
            after = await hotels.SearchHotels(search)

    assert late.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert after == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--address", "nowhere"), 'hotels: cannot listen on "nowhere": give a HOST:PORT'),
        (("--address", "192.0.2.1:0"), 'hotels: cannot listen on "192.0.2.1:0"'),
        (("--adress", "127.0.0.1:0"), 'hotels: there is no option "--adress": give any of --address'),
        (("--grace", "soon"), 'hotels: --grace "soon" is no number of seconds'),
        (("--today", "tomorrow"), 'hotels: --today "tomorrow" is no day'),
    ],
)
def test_a_wrong_setting_is_exit_status_2_and_one_line_with_the_cure(
    arguments: tuple[str, ...], words: str
) -> None:
    with server.start(*arguments) as process:
        output, errors = process.communicate()

    assert process.returncode == 2
    assert errors.startswith(words)
    assert errors.count("\n") == 1
    assert output == ""


def test_a_taken_address_is_exit_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with server.start("--address", address) as process:
            _, errors = process.communicate()

    assert process.returncode == 2
    assert errors == f'hotels: cannot listen on "{address}": give a HOST:PORT of this machine that is free\n'


def test_help_tells_the_settings() -> None:
    with server.start("--help") as process:
        output, errors = process.communicate()

    assert process.returncode == 0
    assert errors == ""
    for word in ("--address", "--grace", "--delay", "--today", "127.0.0.1:50054"):
        assert word in output
