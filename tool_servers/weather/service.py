"""weather.v1 requests → what the provider knows, in the units asked for; failures → statuses with details."""

import datetime
import logging
import time
import uuid
from collections.abc import Awaitable
from typing import Any, Never, TypeVar

import grpc.aio
from google.rpc import status_pb2
from weather.v1 import weather_pb2, weather_pb2_grpc

from tool_servers.weather import failures
from tool_servers.weather.failures import InvalidRequest, Violation
from tool_servers.weather.provider import Day, Provider, SourceFailed, UnknownCity
from tool_servers.weather.units import Imperial, Metric

MAX_NAME_LENGTH = 100
DEFAULT_DAYS = 3
MAX_DAYS = 16

logger = logging.getLogger(__name__)
Response = TypeVar("Response")


class WeatherService(weather_pb2_grpc.WeatherServiceServicer):
    """Answers GetWeather and GetForecast, counts the calls, and logs a line for each."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.in_flight = 0
        """How many calls are being answered now; a call ends when its answer has been sent."""
        self.max_in_flight = 0
        """How many calls were being answered at once at most, so far."""

    async def GetWeather(
        self,
        request: weather_pb2.Location,
        context: grpc.aio.ServicerContext[weather_pb2.Location, weather_pb2.WeatherData],
    ) -> weather_pb2.WeatherData:
        return await self._answer("GetWeather", context, self._weather(request, context.time_remaining()))

    async def GetForecast(
        self,
        request: weather_pb2.GetForecastRequest,
        context: grpc.aio.ServicerContext[weather_pb2.GetForecastRequest, weather_pb2.Forecast],
    ) -> weather_pb2.Forecast:
        return await self._answer("GetForecast", context, self._forecast(request, context.time_remaining()))

    async def _weather(self, request: weather_pb2.Location, timeout: float | None) -> weather_pb2.WeatherData:
        _check(_name_violations(request.name) + _units_violations(request.units))
        weather = await self._provider.current(request.name, timeout=timeout)
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

    async def _forecast(
        self, request: weather_pb2.GetForecastRequest, timeout: float | None
    ) -> weather_pb2.Forecast:
        days = request.days if request.HasField("days") else DEFAULT_DAYS
        _check(_name_violations(request.name) + _days_violations(days) + _units_violations(request.units))
        forecast = await self._provider.forecast(request.name, days, timeout=timeout)
        units = _units(request.units)
        return weather_pb2.Forecast(
            location=forecast.location,
            days=[_daily(day, units) for day in forecast.days],
            units=_named(request.units),
            source=forecast.source,
        )

    async def _answer(
        self, method: str, context: grpc.aio.ServicerContext[Any, Any], answer: Awaitable[Response]
    ) -> Response:
        call = self._begin(method)
        # The stubs declare a class where any callable will do.
        context.add_done_callback(lambda _: self._end(call))  # type: ignore[arg-type]
        try:
            response = await answer
        except (InvalidRequest, UnknownCity, SourceFailed) as error:
            await call.abort(context, failures.status_of(error))
        except Exception:
            incident = uuid.uuid4().hex[:12]
            logger.exception("method=%s incident=%s", method, incident)
            await call.abort(context, failures.unexpected(incident))
        call.code = grpc.StatusCode.OK
        return response

    def _begin(self, method: str) -> "_Call":
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return _Call(method, self.in_flight)

    def _end(self, call: "_Call") -> None:
        self.in_flight -= 1
        call.log()


class _Call:
    """One call, from its arrival until its answer has been sent."""

    def __init__(self, method: str, in_flight: int) -> None:
        self.method = method
        self.in_flight = in_flight
        # What it stays when the client goes away or its deadline passes.
        self.code = grpc.StatusCode.CANCELLED
        self._started = time.perf_counter()

    async def abort(self, context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status) -> Never:
        grpc_status = failures.to_grpc(status)
        self.code = grpc_status.code
        await context.abort_with_status(grpc_status)

    def log(self) -> None:
        milliseconds = (time.perf_counter() - self._started) * 1000
        logger.info(
            "method=%s code=%s ms=%.1f in_flight=%d",
            self.method,
            self.code.name,
            milliseconds,
            self.in_flight,
        )


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


def _check(violations: list[Violation]) -> None:
    if violations:
        raise InvalidRequest(violations)


def _name_violations(name: str) -> list[Violation]:
    if not name.strip():
        return [Violation(field="name", description='must name a city, e.g. "Paris" or "北京"')]
    if len(name) > MAX_NAME_LENGTH:
        return [
            Violation(
                field="name",
                description=f"must be one city, at most {MAX_NAME_LENGTH} characters, not {len(name)}",
            )
        ]
    return []


def _days_violations(days: int) -> list[Violation]:
    if 1 <= days <= MAX_DAYS:
        return []
    return [Violation(field="days", description=f"must be 1 to {MAX_DAYS}, not {days}")]


def _units_violations(units: weather_pb2.Units) -> list[Violation]:
    if units in weather_pb2.Units.values():
        return []
    return [Violation(field="units", description=f"must be UNITS_METRIC or UNITS_IMPERIAL, not {units}")]
