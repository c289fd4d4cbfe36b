"""weather.v1 requests → what the provider knows, in the units asked for."""

import datetime
from collections.abc import Awaitable
from typing import TypeVar

import grpc.aio
from weather.v1 import weather_pb2, weather_pb2_grpc

from tool_servers.serving.server import Service
from tool_servers.weather import failures
from tool_servers.weather.provider import Day, Provider, SourceFailed, UnknownCity
from tool_servers.weather.units import Imperial, Metric

DEFAULT_DAYS = 3

Known = TypeVar("Known")


def weather_service(provider: Provider) -> Service:
    """What is served."""
    return Service(
        descriptor=weather_pb2.DESCRIPTOR.services_by_name["WeatherService"],
        servicer=WeatherService(provider),
        register=weather_pb2_grpc.add_WeatherServiceServicer_to_server,
    )


class WeatherService(weather_pb2_grpc.WeatherServiceServicer):
    """Answers GetWeather and GetForecast."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def GetWeather(
        self,
        request: weather_pb2.Location,
        context: grpc.aio.ServicerContext[weather_pb2.Location, weather_pb2.WeatherData],
    ) -> weather_pb2.WeatherData:
        weather = await _known(self._provider.current(request.name, timeout=context.time_remaining()))
        units = _units(request.units)
        return weather_pb2.WeatherData(
            location=weather.location,
            time=weather.time.astimezone(datetime.UTC),
            temp=units.temperature(weather.temperature),
            humidity=weather.humidity,
            wind_speed=units.speed(weather.wind_speed),
            description=weather.description,
            units=_named(request.units),
            source=weather.source,
        )

    async def GetForecast(
        self,
        request: weather_pb2.GetForecastRequest,
        context: grpc.aio.ServicerContext[weather_pb2.GetForecastRequest, weather_pb2.Forecast],
    ) -> weather_pb2.Forecast:
        days = request.days if request.HasField("days") else DEFAULT_DAYS
        timeout = context.time_remaining()
        forecast = await _known(self._provider.forecast(request.name, days, timeout=timeout))
        units = _units(request.units)
        return weather_pb2.Forecast(
            location=forecast.location,
            days=[_daily(day, units) for day in forecast.days],
            units=_named(request.units),
            source=forecast.source,
        )


async def _known(weather: Awaitable[Known]) -> Known:
    try:
        return await weather
    except (UnknownCity, SourceFailed) as error:
        raise failures.failure(error) from error


def _daily(day: Day, units: Metric | Imperial) -> weather_pb2.DailyWeather:
    return weather_pb2.DailyWeather(
        date=day.date.isoformat(),
        temp_min=units.temperature(day.low),
        temp_max=units.temperature(day.high),
        precipitation=units.depth(day.precipitation),
        description=day.description,
    )


def _units(units: weather_pb2.Units) -> Metric | Imperial:
    return Imperial() if units == weather_pb2.UNITS_IMPERIAL else Metric()


def _named(units: weather_pb2.Units) -> weather_pb2.Units:
    return weather_pb2.UNITS_METRIC if units == weather_pb2.UNITS_UNSPECIFIED else units
