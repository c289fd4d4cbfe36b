"""What Open-Meteo sends → places and weather, each field checked; anything else → why it is of no use."""

import datetime
import json
from dataclasses import dataclass
from typing import Any

import grpc

from tool_servers.weather.cities import normalize, split_name
from tool_servers.weather.provider import Day, Forecast, SourceFailed, UnknownCity, Weather

SOURCE = "Open-Meteo.com (CC BY 4.0): computed by weather models"

MAX_TEXT = 200
"""Characters of a reason or of the name of a place."""
MAX_NUMBER = 1e6
"""Nothing that is read is larger: no temperature, no depth, no coordinate."""

# What people call countries beside their names and codes.
_COUNTRIES = {
    "usa": "us",
    "america": "us",
    "美国": "us",
    "uk": "gb",
    "britain": "gb",
    "greatbritain": "gb",
    "英国": "gb",
    "uae": "ae",
    "中国": "cn",
}

# The codes of WMO table 4677 that Open-Meteo uses, in the words of its documentation.
SKIES = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "freezing fog",
    51: "light drizzle",
    53: "drizzle",
    55: "dense drizzle",
    56: "light freezing drizzle",
    57: "freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "light freezing rain",
    67: "freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light rain showers",
    81: "rain showers",
    82: "violent rain showers",
    85: "light snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with light hail",
    99: "thunderstorm with heavy hail",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a city is."""

    label: str
    latitude: float
    longitude: float


def read_answer(http_status: int, body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; raises SourceFailed where it is an error or no object."""
    answer = _parse(body)
    reason = f": {answer['reason'][:MAX_TEXT]}" if isinstance(answer.get("reason"), str) else ""
    if http_status == 429:
        raise SourceFailed(
            grpc.StatusCode.RESOURCE_EXHAUSTED, f"Open-Meteo takes no more requests for now{reason}"
        )
    if http_status >= 500:
        raise unavailable(f"has a fault of its own (HTTP {http_status}){reason}")
    if http_status != 200 or answer.get("error") is True:
        raise broken(f"refused the request (HTTP {http_status}){reason}")
    if not answer:
        raise broken("sent something that is not a JSON object")
    return answer


def read_place(name: str, answer: dict[str, Any]) -> Place | None:
    """The largest place of exactly that name, or else the largest of all that were found; None: none was.

    What follows a comma in the name must be a region or country of the place; raises UnknownCity where no
    place that was found lies there.
    """
    found = answer.get("results", [])
    if not isinstance(found, list) or not all(isinstance(place, dict) for place in found):
        raise broken("sent search results that are not a list of places")
    head, *regions = map(normalize, split_name(name))
    same = [place for place in found if normalize(str(place.get("name"))) == head]
    candidates = sorted(same if same else found, key=_population, reverse=True)
    if not candidates:
        return None
    for place in candidates:
        if {*regions} <= _regions(place):
            return Place(
                label=_label(place, region=bool(regions)),
                latitude=_number(place, "latitude"),
                longitude=_number(place, "longitude"),
            )
    there = dict.fromkeys(_label(place, region=True) for place in candidates[:3])
    raise UnknownCity(name, [label for label in there if label])


def _regions(place: dict[str, Any]) -> set[str]:
    """What it lies in, as it may be called."""
    keys = ("country", "country_code", "admin1", "admin2", "admin3", "admin4")
    named = {normalize(value) for key in keys if isinstance(value := place.get(key), str)}
    return named | {called for called, code in _COUNTRIES.items() if code in named}


def _label(place: dict[str, Any], *, region: bool) -> str:
    keys = ("name", "admin1", "country") if region else ("name", "country")
    parts = dict.fromkeys(place[key] for key in keys if isinstance(place.get(key), str))
    # Without halves of pairs of UTF-16, which JSON can have and a message cannot.
    return ", ".join(parts)[:MAX_TEXT].encode(errors="replace").decode()


def read_current(place: Place, answer: dict[str, Any]) -> Weather:
    """`{"current": {"time": "2026-03-01T12:15", "temperature_2m": 7.1, …}}`, its time in GMT."""
    current = _section(answer, "current")
    return Weather(
        location=place.label,
        time=_time(current).replace(tzinfo=datetime.UTC),
        temperature=_number(current, "temperature_2m"),
        humidity=_percent(current, "relative_humidity_2m"),
        wind_speed=_number(current, "wind_speed_10m"),
        description=sky(current.get("weather_code")),
        source=SOURCE,
    )


def read_forecast(place: Place, answer: dict[str, Any]) -> Forecast:
    """`{"daily": {"time": ["2026-03-01", …], "temperature_2m_min": [1.5, …], …}}`, a list for each field."""
    daily = _section(answer, "daily")
    fields = ("time", "temperature_2m_min", "temperature_2m_max", "precipitation_sum", "weather_code")
    columns = [daily.get(field) for field in fields]
    if not all(isinstance(column, list) for column in columns):
        raise broken(f"sent a forecast without the lists {', '.join(fields)}")
    # Its lists are as long as the forecast that was asked for; where the models end before, they hold nulls.
    rows = [dict(zip(fields, row, strict=False)) for row in zip(*columns, strict=False) if None not in row]
    if not rows:
        raise broken("sent a forecast without a single whole day")
    return Forecast(location=place.label, days=[_day(row) for row in rows], source=SOURCE)


def sky(weather_code: Any) -> str:
    """
    >>> sky(61), sky(42)
    ('light rain', 'WMO weather code 42')
    """
    if isinstance(weather_code, bool) or not isinstance(weather_code, int) or not 0 <= weather_code <= 99:
        raise broken("sent no WMO code, 0 to 99, as its 'weather_code'")
    return SKIES.get(weather_code, f"WMO weather code {weather_code}")


def unavailable(fact: str) -> SourceFailed:
    """Trying again later may help."""
    return SourceFailed(grpc.StatusCode.UNAVAILABLE, f"Open-Meteo {fact}; try again later")


def broken(fact: str) -> SourceFailed:
    """Trying again will not help."""
    return SourceFailed(grpc.StatusCode.INTERNAL, f"Open-Meteo {fact}")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _section(answer: dict[str, Any], name: str) -> dict[str, Any]:
    section = answer.get(name)
    if not isinstance(section, dict):
        raise broken(f"sent no {name!r}")
    return section


def _day(row: dict[str, Any]) -> Day:
    return Day(
        date=_time(row).date(),
        low=_number(row, "temperature_2m_min"),
        high=_number(row, "temperature_2m_max"),
        precipitation=_number(row, "precipitation_sum"),
        description=sky(row["weather_code"]),
    )


def _number(section: dict[str, Any], field: str) -> float:
    value = section.get(field)
    # JSON has integers of any length, and 1e999.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise broken(f"sent no number as its {field!r}")
    return float(value)


def _percent(section: dict[str, Any], field: str) -> int:
    value = _number(section, field)
    if not 0 <= value <= 100:
        raise broken(f"sent {value} as its {field!r}, which is no percentage")
    return round(value)


def _time(section: dict[str, Any]) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(section["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise broken("sent no ISO 8601 'time'") from error


def _population(place: dict[str, Any]) -> float:
    population = place.get("population")
    return population if isinstance(population, int | float) else 0
