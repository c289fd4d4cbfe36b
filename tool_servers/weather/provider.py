"""The seam behind the service: a city's name → its weather, in metric units, or why there is none."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc


@dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """The weather in a city at a time."""

    location: str
    """The city as it was understood, in English: "Paris, France"."""
    time: datetime.datetime
    """When it was, with a time zone."""
    temperature: float
    """In degrees Celsius."""
    humidity: int
    """In percent, 0 to 100."""
    wind_speed: float
    """In kilometres per hour."""
    description: str
    source: str
    """Where the numbers are from, and what they are not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """The weather of one day."""

    date: datetime.date
    low: float
    """In degrees Celsius."""
    high: float
    """In degrees Celsius."""
    precipitation: float
    """Rain and melted snow, in millimetres."""
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """The weather in a city over some days, today first."""

    location: str
    days: Sequence[Day]
    source: str


class Provider(Protocol):
    """Knows the weather. `timeout` is how many seconds somebody still waits for it; None: for ever.

    Both raise UnknownCity, and SourceFailed where the weather could not be had.
    """

    async def current(self, name: str, *, timeout: float | None) -> Weather: ...

    async def forecast(self, name: str, days: int, *, timeout: float | None) -> Forecast: ...


class UnknownCity(Exception):
    """No city has this name; `nearest` are known names that look like it, the likeliest first."""

    def __init__(self, name: str, nearest: Sequence[str]) -> None:
        super().__init__(name)
        self.name = name
        self.nearest = tuple(nearest)


class SourceFailed(Exception):
    """The place that the weather is asked from failed; `message` is fit for the client to read."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
