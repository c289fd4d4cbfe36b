"""What stands beside the stock service: health, reflection, settings, and how it starts and stops."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from stocks.v1 import stocks_pb2, stocks_pb2_grpc

from tests.tool_servers.stocks.process import Stub, running, start

SERVICE = "stocks.v1.StockService"


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_is_serving_once_started(channel: grpc.aio.Channel, service: str) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)

    response = await stub.Check(health_pb2.HealthCheckRequest(service=service))

    assert response.status == health_pb2.HealthCheckResponse.SERVING


async def reflect(
    channel: grpc.aio.Channel, version: str, *requests: reflection_pb2.ServerReflectionRequest
) -> list[Any]:
    method: Any = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )

    async def messages() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        for request in requests:
            yield request

    return [response async for response in method(messages())]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_services_and_hands_out_every_file(
    channel: grpc.aio.Channel, version: str
) -> None:
    listed, found = await reflect(
        channel,
        version,
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    )

    names = {service.name for service in listed.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= names
    files = {
        file.name: file
        for file in (
            descriptor_pb2.FileDescriptorProto.FromString(data)
            for data in found.file_descriptor_response.file_descriptor_proto
        )
    }
    assert {"buf/validate/validate.proto", "google/api/field_behavior.proto"} <= {*files}
    stocks = files["stocks/v1/stocks.proto"]
    comments = [each.leading_comments for each in stocks.source_code_info.location]
    assert any(comment.startswith(" Tells the price of a stock") for comment in comments)
    (service,) = stocks.service
    assert {method.name: method.options.idempotency_level for method in service.method} == {
        "GetQuote": descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS,
        "GetHistory": descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS,
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop_and_exits_with_0(number: signal.Signals) -> None:
    async with running() as (process, channel):
        request = stocks_pb2.GetQuoteRequest(query="茅台")
        quote = await stocks_pb2_grpc.StockServiceStub(channel).GetQuote(request)

        process.send_signal(number)
        output, log = await process.communicate()

    assert quote.stock.ticker == "600519.SS"
    assert process.returncode == 0
    assert output == b""
    assert b"method=GetQuote code=OK ms=" in log
    assert "茅台" not in log.decode()
    assert b"msg=stopped" in log


async def others_have_arrived(stub: Stub) -> None:
    """Returns when the calls before are in flight: this one is refused at once, after they have come."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetQuote(stocks_pb2.GetQuoteRequest(), timeout=60)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_in_flight_is_answered_before_it_exits() -> None:
    async with running("--delay", "0.5") as (process, channel):
        stub = stocks_pb2_grpc.StockServiceStub(channel)
        health_stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = health_stub.Watch(health_pb2.HealthCheckRequest())
        statuses = aiter(watch)
        assert (await anext(statuses)).status == health_pb2.HealthCheckResponse.SERVING
        requests = [stocks_pb2.GetQuoteRequest(query=query) for query in ("V", "KO")]
        calls = [asyncio.ensure_future(stub.GetQuote(request)) for request in requests]
        await others_have_arrived(stub)

        process.send_signal(signal.SIGTERM)
        # Both are told to the client: that it stops, and then that the watch is over.
        assert (await anext(statuses)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError):
            await anext(statuses)
        quotes = await asyncio.gather(*calls)
        await process.communicate()

    assert [quote.stock.ticker for quote in quotes] == ["V", "KO"]
    assert process.returncode == 0


async def test_a_call_that_outlives_the_grace_is_cut() -> None:
    async with running("--delay", "3600", "--grace", "0") as (process, channel):
        stub = stocks_pb2_grpc.StockServiceStub(channel)
        call = asyncio.ensure_future(stub.GetQuote(stocks_pb2.GetQuoteRequest(query="V")))
        await others_have_arrived(stub)

        process.send_signal(signal.SIGTERM)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        await process.communicate()

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--adress", "127.0.0.1:0"), "flag provided but not defined: -adress; see stocks --help"),
        (("--address", "nowhere"), '--address "nowhere" is no HOST:PORT'),
        (("--grace", "-1"), "--grace -1 is out of range: give seconds from 0 to 3600"),
        (("--now", "noon"), '--now "noon" is no time: give one as 2026-03-04T12:00:00Z'),
        (("--data", "/nowhere"), "/nowhere: no such file or directory; give a folder of CSV files"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line_with_the_cure(
    arguments: tuple[str, ...], words: str
) -> None:
    process = await start(*arguments)

    output, errors = await process.communicate()

    assert process.returncode == 2
    assert words in errors.decode()
    assert errors.decode().count("\n") == 1
    assert output == b""


async def test_a_taken_address_is_exit_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = await start("--address", address)
        _, errors = await process.communicate()

    assert process.returncode == 2
    assert f'cannot listen on "{address}"' in errors.decode()


async def test_a_bad_file_is_exit_status_2_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "AAPL.csv"
    path.write_text("date,open,high,low,close,volume\n2026-11-19,1,1,1,1,1\n2026-11-20,1,1,1,null,1\n")
    process = await start("--data", str(tmp_path))

    _, errors = await process.communicate()

    assert process.returncode == 2
    expected = f'stocks: {path}:3: close: "null" is no positive number; write it as 12.34\n'
    assert errors.decode() == expected


async def test_help_tells_the_settings() -> None:
    process = await start("--help")

    output, errors = await process.communicate()

    assert (process.returncode, errors) == (0, b"")
    for word in ("--address", "--data", "--grace", "--delay", "--now", "127.0.0.1:50052"):
        assert word in output.decode()
