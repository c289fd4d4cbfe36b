"""The Open-Meteo provider against a server on the loopback interface that answers in its shapes.

No call leaves this machine.
"""

import asyncio
import datetime
import json
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc.aio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from weather.v1 import weather_pb2, weather_pb2_grpc

from tool_servers.serving.server import ToolServer
from tool_servers.weather import cities
from tool_servers.weather.open_meteo import MAX_RESPONSE_SIZE, OpenMeteo
from tool_servers.weather.open_meteo_answers import (
    SKIES,
    Place,
    read_answer,
    read_current,
    read_forecast,
    read_place,
    sky,
)
from tool_servers.weather.provider import Provider, SourceFailed, UnknownCity

Serve = Callable[[Provider], Awaitable[tuple[ToolServer, grpc.aio.Channel]]]
Answer = tuple[int, bytes]

CURRENT: dict[str, Any] = {
    "latitude": -22.5,
    "longitude": 17.125,
    "generationtime_ms": 0.0445,
    "utc_offset_seconds": 0,
    "timezone": "GMT",
    "timezone_abbreviation": "GMT",
    "elevation": 1663.0,
    "current_units": {
        "time": "iso8601",
        "interval": "seconds",
        "temperature_2m": "°C",
        "relative_humidity_2m": "%",
        "wind_speed_10m": "km/h",
        "weather_code": "wmo code",
    },
    "current": {
        "time": "2026-03-01T12:15",
        "interval": 900,
        "temperature_2m": 27.3,
        "relative_humidity_2m": 41,
        "wind_speed_10m": 11.2,
        "weather_code": 80,
    },
}
DAILY: dict[str, Any] = {
    "latitude": -22.5,
    "longitude": 17.125,
    "utc_offset_seconds": 7200,
    "timezone": "Africa/Windhoek",
    "daily_units": {"time": "iso8601", "temperature_2m_min": "°C", "precipitation_sum": "mm"},
    "daily": {
        "time": ["2026-03-01", "2026-03-02", "2026-03-03"],
        "temperature_2m_min": [16.1, 15.0, 17],
        "temperature_2m_max": [29.4, 30.2, 31],
        "precipitation_sum": [0.0, 2.4, 0.1],
        "weather_code": [0, 61, 42],
    },
}
WINDHOEK = {
    "id": 3352136,
    "name": "Windhoek",
    "latitude": -22.55941,
    "longitude": 17.08323,
    "elevation": 1655.0,
    "feature_code": "PPLC",
    "country_code": "NA",
    "timezone": "Africa/Windhoek",
    "population": 268132,
    "country": "Namibia",
    "admin1": "Khomas",
}
WINDHOEK_HAMLET = WINDHOEK | {"id": 1, "country": "Elsewhere", "population": 12}
PLACES = {"results": [WINDHOEK_HAMLET, WINDHOEK], "generationtime_ms": 0.6}
NOTHING_FOUND = {"generationtime_ms": 0.3}


def as_json(value: object, status: int = 200) -> Answer:
    return status, json.dumps(value).encode()


class OpenMeteoServer:
    """Answers HTTP as a test has told it, and remembers what it was asked.

    An answer of None keeps the client waiting; an empty body drops the connection before the status.
    """

    def __init__(self) -> None:
        self.search: Answer | None = as_json(PLACES)
        self.current: Answer | None = as_json(CURRENT)
        self.daily: Answer | None = as_json(DAILY)
        self.asked: list[dict[str, str]] = []
        self.hang = asyncio.Event()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        self.hang.set()
        self._server.close()
        await self._server.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        url = urllib.parse.urlsplit(head.split(" ")[1])
        parameters = dict(urllib.parse.parse_qsl(url.query))
        self.asked.append({"path": url.path, "head": head, **parameters})
        answer = self._answer(url.path, parameters)
        if answer is None:
            await self.hang.wait()
        elif answer[1]:
            await self._send(writer, *answer)
        writer.close()

    def _answer(self, path: str, parameters: dict[str, str]) -> Answer | None:
        if path == "/v1/search":
            return self.search
        return self.current if "current" in parameters else self.daily

    async def _send(self, writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nConnection: close\r\n"
        try:
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
        except ConnectionError:
            pass  # The client need not read to the end.


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


PARIS = Place(label="Paris, France", latitude=48.86, longitude=2.35)


@pytest.mark.parametrize(
    "change",
    [
        {"time": None},
        {"time": "soon"},
        {"time": 1},
        {"temperature_2m": None},
        {"temperature_2m": "27"},
        {"temperature_2m": True},
        {"temperature_2m": float("nan")},
        {"temperature_2m": 10**400},
        {"temperature_2m": 1e308},
        {"relative_humidity_2m": 101},
        {"relative_humidity_2m": -1},
        {"wind_speed_10m": []},
        {"weather_code": None},
        {"weather_code": True},
        {"weather_code": "61"},
        {"weather_code": 100},
    ],
    ids=lambda change: str(change)[:40],
)
def test_current_weather_with_a_wrong_field_is_refused_naming_it(change: dict[str, object]) -> None:
    current = CURRENT["current"]
    (field,) = change

    with pytest.raises(SourceFailed, match=field):
        read_current(PARIS, {"current": current | change})
    with pytest.raises(SourceFailed, match=field):
        read_current(PARIS, {"current": {key: value for key, value in current.items() if key != field}})


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"daily": None},
        {"daily": {}},
        {"daily": {"time": "2026-03-01"}},
        {"daily": {field: [] for field in DAILY["daily"]}},
        {"daily": {field: [None] for field in DAILY["daily"]}},
        {"daily": {field: ["2026-03-01"] for field in DAILY["daily"]}},
    ],
    ids=str,
)
def test_a_forecast_without_whole_days_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(SourceFailed):
        read_forecast(PARIS, answer)


@pytest.mark.parametrize("results", [None, "Paris", ["Paris"], {"0": WINDHOEK}], ids=str)
def test_search_results_that_are_no_list_of_places_are_refused(results: object) -> None:
    with pytest.raises(SourceFailed, match="list of places"):
        read_place("Paris", {"results": results})


def test_a_place_without_coordinates_is_refused() -> None:
    with pytest.raises(SourceFailed, match="latitude"):
        read_place("Paris", {"results": [{"name": "Paris", "longitude": 2.35}]})


def test_the_place_of_that_very_name_is_preferred_to_a_larger_one_of_another() -> None:
    yorks = [
        {
            "name": "New York",
            "country": "United States",
            "population": 8_000_000,
            "latitude": 40,
            "longitude": -74,
        },
        {"name": "York", "country": "United Kingdom", "population": 150_000, "latitude": 53, "longitude": -1},
        {"name": "York", "country": "Canada", "latitude": 43, "longitude": -79},
    ]

    assert read_place("york", {"results": yorks}) == Place(
        label="York, United Kingdom", latitude=53, longitude=-1
    )
    # The search answers in English whatever the language of the name.
    assert read_place("约克", {"results": yorks}) == Place(
        label="New York, United States", latitude=40, longitude=-74
    )


SPRINGFIELDS = [
    {"name": "Springfield", "admin1": state, "country": "United States", "country_code": "US"}
    | {"population": population, "latitude": latitude, "longitude": -90}
    for state, population, latitude in (("Missouri", 166_810, 37), ("Illinois", 116_565, 39))
]


@pytest.mark.parametrize(
    ("name", "label", "latitude"),
    [
        ("Springfield", "Springfield, United States", 37),
        ("Springfield, Illinois", "Springfield, Illinois, United States", 39),
        ("springfield，ILLINOIS, usa", "Springfield, Illinois, United States", 39),
        ("Springfield, US", "Springfield, Missouri, United States", 37),
        ("Springfield, 美国", "Springfield, Missouri, United States", 37),
    ],
)
def test_what_follows_a_comma_tells_which_place_of_a_name_is_meant(
    name: str, label: str, latitude: int
) -> None:
    found = read_place(name, {"results": SPRINGFIELDS})

    assert found == Place(label=label, latitude=latitude, longitude=-90)


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


def test_the_name_of_a_place_can_always_be_sent_on() -> None:
    place = read_place("x", {"results": [WINDHOEK | {"name": "\ud800" + "x" * 5000}]})

    assert place is not None
    assert place.label == "?" + "x" * 199


@pytest.mark.parametrize("code", SKIES)
def test_every_weather_code_has_words(code: int) -> None:
    assert sky(code) == SKIES[code]
    assert not any(character.isdigit() for character in sky(code))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*WINDHOEK, "time"]), inner),
    max_leaves=12,
)


@given(values, values, values)
def test_whatever_is_sent_is_read_or_refused(results: Any, current: Any, daily: Any) -> None:
    answer = {"results": results, "current": current, "daily": daily}
    readers: list[Callable[[], object]] = [
        lambda: read_place("Paris", answer),
        lambda: read_place("Paris, France", answer),
        lambda: read_current(PARIS, answer),
        lambda: read_forecast(PARIS, answer),
    ]
    for read in readers:
        try:
            read()
        except (SourceFailed, UnknownCity):
            continue


@given(st.integers(100, 599), st.binary(max_size=200))
def test_an_answer_is_an_object_or_refused(status: int, body: bytes) -> None:
    try:
        answer = read_answer(status, body)
    except SourceFailed:
        return
    assert status == 200
    assert answer == json.loads(body)
