"""`python -m tool_servers.weather` as a process of its own."""

import asyncio
import signal
import socket

import grpc.aio
import pytest
from weather.v1 import weather_pb2, weather_pb2_grpc

from tests.tool_servers.process import refuses, running, start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop_and_exits_with_0(number: signal.Signals) -> None:
    async with running("weather") as (process, channel):
        request = weather_pb2.Location(name="北京")
        weather = await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(request)

        process.send_signal(number)
        output, log = await process.communicate()

    assert weather.location == "Beijing, China"
    assert process.returncode == 0
    assert output == b""
    assert b"method=GetWeather code=OK ms=" in log
    assert b"stopped max_in_flight=1" in log


async def test_a_call_in_flight_is_answered_before_it_exits() -> None:
    async with running("weather", "--delay", "0.5") as (process, channel):
        stub = weather_pb2_grpc.WeatherServiceStub(channel)
        calls = [
            asyncio.ensure_future(stub.GetWeather(weather_pb2.Location(name=name)))
            for name in ("Rome", "Oslo")
        ]
        # Answered without delay, and after the others have arrived: they are in flight.
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetWeather(weather_pb2.Location())

        process.send_signal(signal.SIGTERM)
        weathers = await asyncio.gather(*calls)
        _, log = await process.communicate()

    assert [weather.location for weather in weathers] == ["Rome, Italy", "Oslo, Norway"]
    assert process.returncode == 0
    assert b"in_flight=2" in log


async def test_open_meteo_is_chosen_by_the_environment() -> None:
    # Nothing listens on port 1, and that is what the client is told.
    url = "http://127.0.0.1:1"
    urls = {"OPEN_METEO_URL": url, "OPEN_METEO_GEOCODING_URL": url}
    async with running("weather", WEATHER_PROVIDER="open-meteo", NO_PROXY="127.0.0.1", **urls) as (
        _,
        channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await weather_pb2_grpc.WeatherServiceStub(channel).GetWeather(weather_pb2.Location(name="Paris"))

    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert (caught.value.details() or "").startswith("Open-Meteo could not be reached")


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (
            (),
            {"WEATHER_PROVIDER": "tarot"},
            "there is no WEATHER_PROVIDER 'tarot': give one of normals, open-meteo",
        ),
        (("--address", "nowhere"), {}, "cannot listen on 'nowhere'"),
        ((), {"PYTHONPATH": ""}, "run `make gen`"),
        (
            (),
            {"WEATHER_PROVIDER": "open-meteo", "OPEN_METEO_URL": "nonsense"},
            "OPEN_METEO_URL 'nonsense' is no URL",
        ),
        (
            (),
            {"WEATHER_PROVIDER": "open-meteo", "OPEN_METEO_GEOCODING_URL": "ftp://me:hidden@host"},
            "OPEN_METEO_GEOCODING_URL is no URL",
        ),
        (("--grace", "-1"), {}, "'-1' is no number of seconds: give 0 or more"),
        (("--delay", "nan"), {}, "'nan' is no number of seconds"),
        (("--adress", "127.0.0.1:0"), {}, "unrecognized arguments"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line_with_the_cure(
    arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    await refuses("weather", words, *arguments, **environment)


async def test_a_taken_address_is_exit_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = await start("weather", "--address", address)
        _, errors = await process.communicate()

    assert process.returncode == 2
    assert f"cannot listen on '{address}'" in errors.decode()


async def test_help_tells_the_settings_without_the_stubs() -> None:
    process = await start("weather", "--help", PYTHONPATH="")

    output, _ = await process.communicate()

    assert process.returncode == 0
    for word in ("--address", "WEATHER_PROVIDER", "OPEN_METEO_URL", "OPEN_METEO_GEOCODING_URL"):
        assert word in output.decode()
