"""The Open-Meteo provider against a server that answers in its shapes."""

import datetime
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc.aio
import httpx2
import pytest
from weather.v1 import weather_pb2, weather_pb2_grpc

from tests.tool_servers.weather.open_meteo_server import (
    DAILY,
    NOTHING_FOUND,
    SPRINGFIELDS,
    Answer,
    OpenMeteoServer,
    as_json,
)
from tool_servers.serving.server import ToolServer
from tool_servers.weather import cities
from tool_servers.weather.open_meteo import MAX_RESPONSE_SIZE, OpenMeteo
from tool_servers.weather.provider import Provider, SourceFailed, UnknownCity

Serve = Callable[[Provider], Awaitable[tuple[ToolServer, grpc.aio.Channel]]]


@pytest.fixture
async def open_meteo() -> AsyncIterator[OpenMeteoServer]:
    server = OpenMeteoServer()
    yield server
    await server.stop()


@pytest.fixture
async def provider(open_meteo: OpenMeteoServer) -> AsyncIterator[OpenMeteo]:
    url = await open_meteo.start()
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield OpenMeteo(
            client, cities.load(), forecast_url=f"{url}/v1/forecast", geocoding_url=f"{url}/v1/search"
        )


async def test_current_weather_of_the_largest_place_of_that_name(
    serve: Serve, provider: OpenMeteo, open_meteo: OpenMeteoServer
) -> None:
    _, channel = await serve(provider)
    request = weather_pb2.Location(name="windhoek")

    weather = await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(request)

    assert weather.location == "Windhoek, Namibia"
    assert weather.time.ToDatetime() == datetime.datetime(2026, 3, 1, 12, 15)  # noqa: DTZ001 a Timestamp's is naive
    assert (weather.temp, weather.humidity, weather.wind_speed) == (27.3, 41, 11.2)
    assert weather.description == "light rain showers"
    assert "Open-Meteo" in weather.source
    search, forecast = open_meteo.asked
    assert (search["name"], search["language"]) == ("windhoek", "en")
    assert (forecast["latitude"], forecast["longitude"]) == ("-22.55941", "17.08323")
    assert forecast["timezone"] == "GMT"


async def test_a_forecast_has_the_days_asked_for(
    serve: Serve, provider: OpenMeteo, open_meteo: OpenMeteoServer
) -> None:
    _, channel = await serve(provider)
    request = weather_pb2.GetForecastRequest(name="Windhoek", units=weather_pb2.UNITS_IMPERIAL)

    forecast = await weather_pb2_grpc.WeatherServiceStub(channel).GetForecast(request)

    assert [day.date for day in forecast.days] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    second = forecast.days[1]
    assert (second.temp_min, second.temp_max, second.precipitation) == (59.0, 86.36, 0.09)
    assert [day.description for day in forecast.days] == ["clear sky", "light rain", "WMO weather code 42"]
    assert open_meteo.asked[1]["forecast_days"] == "3"
    assert open_meteo.asked[1]["timezone"] == "auto"
    # The service converts, so that both providers do it alike.
    assert "temperature_unit" not in open_meteo.asked[1]


@pytest.mark.parametrize("name", ["Beijing", "北京"])
async def test_a_city_of_the_table_is_not_searched_for(
    provider: OpenMeteo, open_meteo: OpenMeteoServer, name: str
) -> None:
    weather = await provider.current(name)

    assert weather.location == "Beijing, China"
    (forecast,) = open_meteo.asked
    assert forecast["path"] == "/v1/forecast"
    assert (forecast["latitude"], forecast["longitude"]) == ("39.9", "116.41")


@pytest.mark.parametrize("found", [NOTHING_FOUND, {"results": []}])
async def test_a_place_that_the_search_does_not_find_is_unknown(
    provider: OpenMeteo, open_meteo: OpenMeteoServer, found: object
) -> None:
    open_meteo.search = as_json(found)

    with pytest.raises(UnknownCity) as caught:
        await provider.current("Shangai")

    assert caught.value.nearest[0] == "Shanghai (上海)"


async def test_days_that_the_models_do_not_reach_are_left_out(
    provider: OpenMeteo, open_meteo: OpenMeteoServer
) -> None:
    open_meteo.daily = as_json({"daily": DAILY["daily"] | {"temperature_2m_max": [29.4, 30.2, None]}})

    forecast = await provider.forecast("Windhoek", 3)

    assert [day.date.day for day in forecast.days] == [1, 2]


REASON = {"error": True, "reason": "Cannot initialize WeatherVariable from invalid String value"}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param(
            as_json(REASON, 400), grpc.StatusCode.INTERNAL, REASON["reason"], id="400 with a reason"
        ),
        pytest.param((404, b"<html>"), grpc.StatusCode.INTERNAL, "HTTP 404", id="404"),
        pytest.param(as_json(REASON), grpc.StatusCode.INTERNAL, REASON["reason"], id="200 with an error"),
        pytest.param(
            as_json({"error": True, "reason": "Minutely API request limit exceeded."}, 429),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "Minutely API request limit exceeded.",
            id="429",
        ),
        pytest.param((503, b"Service Unavailable"), grpc.StatusCode.UNAVAILABLE, "HTTP 503", id="503"),
        pytest.param((302, b"{}"), grpc.StatusCode.INTERNAL, "HTTP 302", id="redirect"),
        pytest.param((200, b"<html>"), grpc.StatusCode.INTERNAL, "not a JSON object", id="not JSON"),
        pytest.param((200, b"\xff\xfe"), grpc.StatusCode.INTERNAL, "not a JSON object", id="not text"),
        pytest.param((200, b"[1]"), grpc.StatusCode.INTERNAL, "not a JSON object", id="a list"),
        pytest.param((200, b"[" * 100_000), grpc.StatusCode.INTERNAL, "not a JSON object", id="deep"),
        pytest.param((200, b""), grpc.StatusCode.UNAVAILABLE, "could not be reached", id="dropped"),
        pytest.param(
            (200, b" " * (MAX_RESPONSE_SIZE + 1)), grpc.StatusCode.INTERNAL, "sent more than", id="too long"
        ),
    ],
)
async def test_an_answer_that_is_of_no_use_is_told_in_plain_words(
    serve: Serve, provider: OpenMeteo, open_meteo: OpenMeteoServer, answer: Answer, code: Any, words: str
) -> None:
    open_meteo.search = open_meteo.current = open_meteo.daily = answer
    _, channel = await serve(provider)
    stub = weather_pb2_grpc.WeatherServiceStub(channel)

    for call in (
        stub.GetWeather(weather_pb2.Location(name="Windhoek")),
        stub.GetWeather(weather_pb2.Location(name="Paris")),
        stub.GetForecast(weather_pb2.GetForecastRequest(name="Paris")),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call

        assert caught.value.code() == code
        message = caught.value.details() or ""
        assert message.startswith("Open-Meteo ")
        assert words in message


async def test_a_reason_is_cut_where_it_is_long(provider: OpenMeteo, open_meteo: OpenMeteoServer) -> None:
    open_meteo.current = as_json({"error": True, "reason": "x" * 100_000}, 400)

    with pytest.raises(SourceFailed) as caught:
        await provider.current("Paris")

    assert len(caught.value.message) < 300


async def test_a_source_that_nobody_runs_is_unavailable() -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        # Port 1 of the loopback interface: nothing listens there.
        provider = OpenMeteo(client, cities.load(), forecast_url="http://127.0.0.1:1/v1/forecast")

        with pytest.raises(SourceFailed) as caught:
            await provider.current("Paris")

    assert caught.value.code == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(("own", "asked"), [(0.05, None), (0.05, 60), (60, 0.05)])
async def test_a_silent_source_is_waited_for_no_longer_than_the_shorter_timeout(
    open_meteo: OpenMeteoServer, own: float, asked: float | None
) -> None:
    url = await open_meteo.start()
    open_meteo.current = None
    async with httpx2.AsyncClient(trust_env=False) as client:
        provider = OpenMeteo(client, cities.load(), forecast_url=url, timeout=own)

        with pytest.raises(SourceFailed) as caught:
            await provider.current("Paris", timeout=asked)

    assert caught.value.code == grpc.StatusCode.UNAVAILABLE
    assert "did not answer within 0.1 s" in caught.value.message or "0.0 s" in caught.value.message


async def test_the_answer_is_asked_for_uncompressed(provider: OpenMeteo, open_meteo: OpenMeteoServer) -> None:
    await provider.current("Paris")

    assert "accept-encoding: identity" in open_meteo.asked[0]["head"].lower()


async def test_a_place_that_lies_elsewhere_is_not_taken_for_the_one_that_was_meant(
    provider: OpenMeteo, open_meteo: OpenMeteoServer
) -> None:
    open_meteo.search = as_json({"results": SPRINGFIELDS})

    with pytest.raises(UnknownCity) as caught:
        await provider.current("Springfield, Oregon")

    assert caught.value.nearest == (
        "Springfield, Missouri, United States",
        "Springfield, Illinois, United States",
    )
    (search,) = open_meteo.asked
    assert search["name"] == "Springfield"
