"""What stands beside a service, here that of the weather: health, reflection, and how it starts and stops."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
import pytest
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from weather.v1 import weather_pb2, weather_pb2_grpc

from tests.tool_servers.conftest import Serve
from tests.tool_servers.served import failure
from tool_servers.serving.server import ToolServer
from tool_servers.weather import cities
from tool_servers.weather.normals import Normals
from tool_servers.weather.provider import Forecast, SourceFailed, Weather
from tool_servers.weather.service import weather_service

SERVICE = "weather.v1.WeatherService"


class Gated:
    """A provider that answers about Paris at once, and about any other city when it is told to."""

    def __init__(self) -> None:
        self._normals = Normals(cities.load())
        self.asked = asyncio.Event()
        self.release = asyncio.Event()

    async def current(self, name: str, *, timeout: float | None) -> Weather:
        if name != "Paris":
            self.asked.set()
            await self.release.wait()
        return await self._normals.current(name)

    async def forecast(self, name: str, days: int, *, timeout: float | None) -> Forecast:
        return await self._normals.forecast(name, days)


async def check(channel: grpc.aio.Channel, service: str) -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    response = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return int(response.status)


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_is_serving_once_started(serve_service: Serve, service: str) -> None:
    _, channel = await serve_service(weather_service(Gated()))

    assert await check(channel, service) == health_pb2.HealthCheckResponse.SERVING


async def test_health_knows_no_other_service(serve_service: Serve) -> None:
    _, channel = await serve_service(weather_service(Gated()))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(channel, "other.v1.OtherService")

    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


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
    serve_service: Serve, version: str
) -> None:
    _, channel = await serve_service(weather_service(Gated()))

    listed, found = await reflect(
        channel,
        version,
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    )

    names = [service.name for service in listed.list_services_response.service]
    assert {SERVICE, "grpc.health.v1.Health"} <= {*names}
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(file)
        for file in found.file_descriptor_response.file_descriptor_proto
    ]
    weather = next(file for file in files if file.name == "weather/v1/weather.proto")
    assert [method.name for method in weather.service[0].method] == ["GetWeather", "GetForecast"]
    comments = [location.leading_comments for location in weather.source_code_info.location]
    assert " Tells the weather of the world's cities.\n" in comments


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_every_service_that_reflection_lists_can_be_described(
    serve_service: Serve, version: str
) -> None:
    _, channel = await serve_service(weather_service(Gated()))
    (listed,) = await reflect(channel, version, reflection_pb2.ServerReflectionRequest(list_services=""))
    names = [service.name for service in listed.list_services_response.service]

    described = await reflect(
        channel,
        version,
        *(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in names),
    )

    assert len(described) == len(names) > 0
    assert all(response.HasField("file_descriptor_response") for response in described)


async def test_stopping_says_not_serving_refuses_new_calls_and_finishes_those_in_flight(
    serve_service: Serve,
) -> None:
    provider = Gated()
    server, channel = await serve_service(weather_service(provider))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)
    health_stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = health_stub.Watch(health_pb2.HealthCheckRequest())
    statuses = aiter(watch)
    assert (await anext(statuses)).status == health_pb2.HealthCheckResponse.SERVING
    in_flight = asyncio.ensure_future(stub.GetWeather(weather_pb2.Location(name="Berlin")))
    await provider.asked.wait()

    stopping = asyncio.create_task(server.stop(grace=30))

    assert (await anext(statuses)).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()
    assert await first_refusal(stub) == grpc.StatusCode.UNAVAILABLE
    assert not stopping.done()
    provider.release.set()
    assert (await in_flight).location == "Berlin, Germany"
    await stopping


async def first_refusal(stub: Any) -> grpc.StatusCode:
    while True:
        try:
            await stub.GetWeather(weather_pb2.Location(name="Paris"))
        except grpc.aio.AioRpcError as error:
            return error.code()


async def test_a_call_that_outlives_the_grace_is_cut(serve_service: Serve) -> None:
    provider = Gated()
    server, channel = await serve_service(weather_service(provider))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)
    in_flight = asyncio.ensure_future(stub.GetWeather(weather_pb2.Location(name="Berlin")))
    await provider.asked.wait()

    await server.stop(grace=0)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await in_flight
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_a_server_that_was_not_started_can_be_stopped() -> None:
    await ToolServer(weather_service(Gated()), "127.0.0.1:0").stop()


async def test_an_address_that_cannot_be_had_is_refused_by_name(serve_service: Serve) -> None:
    server = ToolServer(weather_service(Gated()), "127.0.0.1:0")
    port = await server.start()
    try:
        with pytest.raises(OSError, match=f"cannot listen on '127.0.0.1:{port}'"):
            await ToolServer(weather_service(Gated()), f"127.0.0.1:{port}").start()
    finally:
        await server.stop(0)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "localhost", "", ":0", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "unix:x"],
)
async def test_what_is_no_host_and_port_is_refused_and_no_other_port_taken(address: str) -> None:
    with pytest.raises(OSError, match=f"cannot listen on '{address}': give a HOST:PORT"):
        await ToolServer(weather_service(Gated()), address).start()


@pytest.mark.parametrize("sent", [b"\xff\xff", b"\x0a\x05ab", b"\x0a\x02\xff\xfe"])
async def test_bytes_that_are_no_request_are_told_as_such_and_logged_as_a_call(
    serve_service: Serve, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    server, channel = await serve_service(weather_service(Gated()))
    get_weather: Any = channel.unary_unary(f"/{SERVICE}/GetWeather")

    with caplog.at_level("INFO"):
        code, message, _ = await failure(get_weather(sent))
        await server.stop()

    assert code == grpc.StatusCode.INTERNAL
    assert "the bytes of the request are not those of its message" in message
    assert "method=GetWeather code=INTERNAL" in caplog.text
    assert "Traceback" not in caplog.text


class Telling(Gated):
    """A provider that fails in the words it is given."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    async def current(self, name: str, *, timeout: float | None) -> Weather:
        raise SourceFailed(grpc.StatusCode.INTERNAL, self.words)


@pytest.mark.parametrize("words", ["w" * 20_000, "天" * 5_000, "a\ud800b" * 2_000])
async def test_a_failure_of_many_words_arrives_with_the_first_of_them(
    serve_service: Serve, words: str
) -> None:
    _, channel = await serve_service(weather_service(Telling(words)))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    code, message, details = await failure(stub.GetWeather(weather_pb2.Location(name="Paris")))

    assert code == grpc.StatusCode.INTERNAL
    assert message.startswith(words[:1])
    assert message.endswith("…")
    assert len(details) == 1
