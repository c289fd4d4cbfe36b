"""What a client of the weather service sees, over real gRPC."""

import asyncio
import datetime
import logging
from collections.abc import Awaitable, Callable

import grpc.aio
import pytest
from google.rpc import error_details_pb2
from weather.v1 import weather_pb2, weather_pb2_grpc

from tests.tool_servers.conftest import Elsewhere
from tests.tool_servers.served import failure
from tool_servers.serving.server import ToolServer
from tool_servers.weather import cities
from tool_servers.weather.delayed import Delayed
from tool_servers.weather.normals import Normals
from tool_servers.weather.provider import Day, Forecast, Provider, SourceFailed, Weather

Serve = Callable[[Provider], Awaitable[tuple[ToolServer, grpc.aio.Channel]]]

NOON_UTC = datetime.datetime(2026, 7, 15, 12, tzinfo=datetime.UTC)


def normals() -> Normals:
    return Normals(cities.load(), now=lambda: NOON_UTC)


class Scripted:
    """A provider that does what a test tells it, and remembers what it was asked."""

    def __init__(self, act: Callable[[], Awaitable[None]]) -> None:
        self._act = act
        self.timeouts: list[float | None] = []

    async def current(self, name: str, *, timeout: float | None) -> Weather:
        self.timeouts.append(timeout)
        await self._act()
        return Weather(
            location=name,
            time=NOON_UTC,
            temperature=23,
            humidity=50,
            wind_speed=16.09344,
            description="clear sky",
            source="a test",
        )

    async def forecast(self, name: str, days: int, *, timeout: float | None) -> Forecast:
        self.timeouts.append(timeout)
        await self._act()
        day = Day(date=NOON_UTC.date(), low=-40, high=100, precipitation=25.4, description="odd")
        return Forecast(location=name, days=[day] * days, source="a test")


async def at_once() -> None: ...


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("Beijing", "Beijing, China"),
        ("北京", "Beijing, China"),
        ("北京市", "Beijing, China"),
        ("Peking", "Beijing, China"),
        ("上海", "Shanghai, China"),
        ("臺北", "Taipei, Taiwan"),
        ("NYC", "New York, United States"),
        ("  new   york ", "New York, United States"),
        ("sao paulo", "São Paulo, Brazil"),
        ("Paris, France", "Paris, France"),
        ("巴黎，法国", "Paris, France"),
        ("新加坡", "Singapore"),
    ],
)
async def test_a_city_is_understood_in_english_in_chinese_and_by_its_other_names(
    serve: Serve, name: str, location: str
) -> None:
    _, channel = await serve(normals())

    weather = await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(weather_pb2.Location(name=name))

    assert weather.location == location


async def test_weather_from_normals_says_that_it_is_no_observation_and_stands_for_noon(serve: Serve) -> None:
    _, channel = await serve(normals())

    weather = await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(weather_pb2.Location(name="北京"))

    assert weather.source == "climate normals: averages of past years, not an observation"
    assert weather.time.ToDatetime(tzinfo=datetime.UTC).isoformat() == "2026-07-15T04:00:00+00:00"
    assert (weather.temp, weather.humidity, weather.wind_speed) == (28, 69, 8)
    assert weather.units == weather_pb2.UNITS_METRIC
    assert weather.description == "warm, often rain"


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (weather_pb2.UNITS_UNSPECIFIED, (23, 16.09, weather_pb2.UNITS_METRIC)),
        (weather_pb2.UNITS_METRIC, (23, 16.09, weather_pb2.UNITS_METRIC)),
        (weather_pb2.UNITS_IMPERIAL, (73.4, 10, weather_pb2.UNITS_IMPERIAL)),
    ],
)
async def test_weather_comes_in_the_units_asked_for(
    serve: Serve, units: weather_pb2.Units, expected: tuple[float, float, weather_pb2.Units]
) -> None:
    _, channel = await serve(Scripted(at_once))
    request = weather_pb2.Location(name="X", units=units)

    weather = await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(request)

    assert (weather.temp, weather.wind_speed, weather.units) == expected


async def test_a_forecast_comes_in_the_units_asked_for(serve: Serve) -> None:
    _, channel = await serve(Scripted(at_once))
    request = weather_pb2.GetForecastRequest(name="X", days=1, units=weather_pb2.UNITS_IMPERIAL)

    forecast = await weather_pb2_grpc.WeatherServiceStub(channel).GetForecast(request)

    (day,) = forecast.days
    assert (day.temp_min, day.temp_max, day.precipitation) == (-40, 212, 1)
    assert forecast.units == weather_pb2.UNITS_IMPERIAL


@pytest.mark.parametrize(("days", "count"), [(None, 3), (1, 1), (16, 16)])
async def test_a_forecast_has_one_entry_a_day_from_today_in_the_city(
    serve: Serve, days: int | None, count: int
) -> None:
    _, channel = await serve(normals())
    request = weather_pb2.GetForecastRequest(name="Auckland", days=days)

    forecast = await weather_pb2_grpc.WeatherServiceStub(channel).GetForecast(request)

    # Noon in UTC is already the next day in Auckland.
    today = datetime.date(2026, 7, 16)
    assert [day.date for day in forecast.days] == [
        (today + datetime.timedelta(days=ahead)).isoformat() for ahead in range(count)
    ]
    assert forecast.source == "climate normals: averages of past years, not a forecast"
    assert forecast.location == "Auckland, New Zealand"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Shangai", "Shanghai (上海)"),
        ("上每", "Shanghai (上海)"),
        ("Pekin", "Beijing (北京)"),
        ("Paris, Texas", "Paris (巴黎)"),
    ],
)
async def test_an_unknown_city_is_not_found_with_the_nearest_names(
    serve: Serve, name: str, nearest: str
) -> None:
    _, channel = await serve(normals())
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    for call in (
        stub.GetWeather(weather_pb2.Location(name=name)),
        stub.GetForecast(weather_pb2.GetForecastRequest(name=name)),
    ):
        code, message, details = await failure(call)

        assert code == grpc.StatusCode.NOT_FOUND
        assert f'"{name}"' in message
        assert nearest in message
        info, resource = details
        assert isinstance(info, error_details_pb2.ErrorInfo)
        assert (info.reason, info.domain) == ("CITY_NOT_FOUND", "weather.v1.WeatherService")
        assert info.metadata["name"] == name
        assert info.metadata["nearest"].split(", ")[0] == nearest
        assert isinstance(resource, error_details_pb2.ResourceInfo)
        assert (resource.resource_type, resource.resource_name) == ("city", name)


@pytest.mark.parametrize("name", ["Qqqqqqqq", "!!!", ",", "q\x00\nz\x7f", "😀", "x" * 100])
async def test_a_name_like_no_other_is_not_found_without_guesses(serve: Serve, name: str) -> None:
    _, channel = await serve(normals())
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    code, message, (info, _) = await failure(stub.GetWeather(weather_pb2.Location(name=name)))

    assert code == grpc.StatusCode.NOT_FOUND
    assert "no known name looks like it" in message
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.metadata["nearest"] == ""


@pytest.mark.parametrize(
    ("request_message", "fields"),
    [
        pytest.param(weather_pb2.Location(), ["name"], id="no name"),
        pytest.param(weather_pb2.Location(name=" \t "), ["name"], id="blank name"),
        pytest.param(weather_pb2.Location(name="x" * 101), ["name"], id="name too long"),
        pytest.param(weather_pb2.Location.FromString(b"\x0a\x01X\x10\x63"), ["units"], id="unknown unit"),
        pytest.param(
            weather_pb2.GetForecastRequest(name="x" * 101), ["name"], id="name too long to forecast"
        ),
        pytest.param(weather_pb2.GetForecastRequest(name="X", days=0), ["days"], id="no days"),
        pytest.param(weather_pb2.GetForecastRequest(name="X", days=17), ["days"], id="too many days"),
        pytest.param(weather_pb2.GetForecastRequest(name="X", days=-1), ["days"], id="days of the past"),
        pytest.param(
            weather_pb2.GetForecastRequest.FromString(b"\x10\x63\x18\x07"),
            ["name", "days", "units"],
            id="everything wrong",
        ),
    ],
)
async def test_a_bad_request_is_refused_naming_every_bad_field(
    serve: Serve,
    elsewhere: Elsewhere,
    request_message: weather_pb2.Location | weather_pb2.GetForecastRequest,
    fields: list[str],
) -> None:
    provider = Scripted(at_once)
    server, _ = await serve(provider)
    stub = weather_pb2_grpc.WeatherServiceStub(elsewhere(server))
    call: Awaitable[object] = (
        stub.GetWeather(request_message)
        if isinstance(request_message, weather_pb2.Location)
        else stub.GetForecast(request_message)
    )

    code, message, (bad,) = await failure(call)

    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [violation.field for violation in bad.field_violations] == fields
    assert all(violation.description in message for violation in bad.field_violations)
    assert provider.timeouts == []


async def test_a_request_of_many_kilobytes_is_refused(serve: Serve) -> None:
    _, channel = await serve(normals())
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    code, _, _ = await failure(stub.GetWeather(weather_pb2.Location(name="x" * 70_000)))

    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_failing_source_is_told_with_its_code_and_words(serve: Serve) -> None:
    async def fail() -> None:
        raise SourceFailed(grpc.StatusCode.UNAVAILABLE, "the source sleeps; try again later")

    _, channel = await serve(Scripted(fail))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    code, message, (info,) = await failure(stub.GetWeather(weather_pb2.Location(name="X")))

    assert (code, message) == (grpc.StatusCode.UNAVAILABLE, "the source sleeps; try again later")
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.reason == "SOURCE_FAILED"


async def test_a_bug_reaches_the_client_as_an_id_and_the_log_in_full(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError("the password is 1234")

    _, channel = await serve(Scripted(fail))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    code, message, (info,) = await failure(stub.GetWeather(weather_pb2.Location(name="X")))

    assert code == grpc.StatusCode.INTERNAL
    assert "1234" not in message
    assert "RuntimeError" not in message
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.metadata["incident"] in message
    assert f"incident={info.metadata['incident']}" in caplog.text
    assert "the password is 1234" in caplog.text


async def test_overlapping_calls_are_counted(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tool_servers.serving")
    together = asyncio.Barrier(3)

    async def meet() -> None:
        async with together:
            return

    server, channel = await serve(Scripted(meet))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    await asyncio.gather(*(stub.GetWeather(weather_pb2.Location(name=name)) for name in "ABC"))
    await server.stop()

    assert server.max_in_flight == 3
    assert server.in_flight == 0
    lines = [line for line in caplog.messages if line.startswith("method=GetWeather code=OK ms=")]
    assert sorted(line.rpartition(" ")[2] for line in lines) == ["in_flight=1", "in_flight=2", "in_flight=3"]


async def test_calls_one_after_another_do_not_count_as_overlapping(serve: Serve) -> None:
    server, channel = await serve(normals())

    for _ in range(3):
        await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(weather_pb2.Location(name="Paris"))
        # The client may have its answer before the server has noticed that it is sent.
        while server.in_flight:  # noqa: ASYNC110 there is no event for it
            await asyncio.sleep(0)

    assert server.max_in_flight == 1


async def test_a_cancelled_call_is_cancelled_at_the_provider_and_logged_as_such(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tool_servers.serving")
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server, channel = await serve(Scripted(wait))
    call = weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(weather_pb2.Location(name="X"))
    await started.wait()

    call.cancel()

    await asyncio.wait_for(cancelled.wait(), 10)
    await server.stop()
    assert server.in_flight == 0
    assert any(line.startswith("method=GetWeather code=CANCELLED") for line in caplog.messages)


async def test_the_provider_is_told_how_long_the_client_still_waits(serve: Serve) -> None:
    provider = Scripted(at_once)
    _, channel = await serve(provider)
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    await stub.GetWeather(weather_pb2.Location(name="X"), timeout=600)
    await stub.GetForecast(weather_pb2.GetForecastRequest(name="X"))

    limited, unlimited = provider.timeouts
    assert limited is not None
    assert 0 < limited <= 601
    assert unlimited is None


async def test_a_delayed_provider_lets_calls_of_the_normals_overlap(serve: Serve) -> None:
    server, channel = await serve(Delayed(normals(), 0.2))
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    weather, forecast = await asyncio.gather(
        stub.GetWeather(weather_pb2.Location(name="Paris")),
        stub.GetForecast(weather_pb2.GetForecastRequest(name="Paris")),
    )

    assert weather.location == forecast.location == "Paris, France"
    assert server.max_in_flight == 2
