"""The climate of the known cities → what their weather usually is on a date; the default, and offline.

The numbers of a day lie on straight lines between the middles of the months. They are averages of past
years, the same for a date in every year, and every answer says so.
"""

import calendar
import datetime
from collections.abc import Callable

from tool_servers.weather.cities import Cities, City, Months
from tool_servers.weather.provider import Day, Forecast, UnknownCity, Weather

SOURCE = "climate normals: averages of past years, not {}"

# Degrees Celsius and millimetres a day, each the lower bound of its word.
WARMTH = ((28, "hot"), (21, "warm"), (13, "mild"), (6, "cool"), (-3, "cold"), (-100, "very cold"))
WETNESS = ((7.0, "heavy {} is usual"), (3.5, "often {}"), (1.0, "{} at times"), (0.0, "mostly dry"))


def utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class Normals:
    """A Provider that answers at once, from cities.csv."""

    def __init__(self, cities: Cities, *, now: Callable[[], datetime.datetime] = utc_now) -> None:
        self._cities = cities
        self._now = now

    async def current(self, name: str, *, timeout: float | None = None) -> Weather:
        """The mean of today's usual low and high; its time is noon in the city."""
        city = self._find(name)
        date = self._today(city)
        day = normal_day(city, date)
        return Weather(
            location=city.label,
            time=datetime.datetime.combine(date, datetime.time(12), city.time_zone),
            temperature=round((day.low + day.high) / 2),
            humidity=round(on(date, city.humidity)),
            wind_speed=round(on(date, city.wind)),
            description=day.description,
            source=SOURCE.format("an observation"),
        )

    async def forecast(
        self,
        name: str,
        days: int,
        *,
        timeout: float | None = None,
    ) -> Forecast:
        """The usual weather of today and the days after it, by the city's own calendar."""
        city = self._find(name)
        today = self._today(city)
        return Forecast(
            location=city.label,
            days=[normal_day(city, today + datetime.timedelta(days=ahead)) for ahead in range(days)],
            source=SOURCE.format("a forecast"),
        )

    def _find(self, name: str) -> City:
        city = self._cities.find(name)
        if city is None:
            raise UnknownCity(name, self._cities.nearest(name))
        return city

    def _today(self, city: City) -> datetime.date:
        return self._now().astimezone(city.time_zone).date()


def normal_day(city: City, date: datetime.date) -> Day:
    """What a date is usually like: whole degrees, and a day's part of the month's precipitation."""
    low, high = round(on(date, city.low)), round(on(date, city.high))
    daily = city.precipitation[date.month - 1] / days_in_month(date)
    return Day(
        date=date,
        low=low,
        high=high,
        precipitation=round(daily, 1),
        description=describe((low + high) / 2, daily),
    )


def on(date: datetime.date, months: Months) -> float:
    """The value on a date, on the straight line between the middles of two months.

    >>> on(datetime.date(2026, 1, 16), (-4, *[8] * 11)), on(datetime.date(2026, 2, 28), (0, 10, 20, *[0] * 9))
    (-4.0, 14.821428571428571)
    """
    this = months[date.month - 1]
    # From -0.5 on the first of the month to 0.5 on the last, 0 in its middle.
    offset = (date.day - 0.5) / days_in_month(date) - 0.5
    neighbour = months[(date.month if offset > 0 else date.month - 2) % 12]
    return this + abs(offset) * (neighbour - this)


def describe(temperature: float, precipitation: float) -> str:
    """Degrees Celsius and millimetres a day → a few words.

    >>> describe(22, 5), describe(-5, 1.5), describe(30, 0)
    ('warm, often rain', 'very cold, snow at times', 'hot, mostly dry')
    """
    falling = "snow" if temperature < 0 else "rain"
    return f"{_word(WARMTH, temperature)}, {_word(WETNESS, precipitation).format(falling)}"


def _word(scale: tuple[tuple[float, str], ...], value: float) -> str:
    return next(word for bound, word in scale if value >= bound)


def days_in_month(date: datetime.date) -> int:
    return calendar.monthrange(date.year, date.month)[1]
