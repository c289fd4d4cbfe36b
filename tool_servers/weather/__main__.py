"""Runs the weather service: `python -m tool_servers.weather`.

    make gen                                                   # the stubs of weather/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.weather       # weather: listening on 127.0.0.1:50051

Environment:
    WEATHER_PROVIDER          normals (default): climate normals of the world's large cities, offline;
                              open-meteo: current weather and forecasts over the internet
    OPEN_METEO_URL            instead of https://api.open-meteo.com/v1/forecast
    OPEN_METEO_GEOCODING_URL  instead of https://geocoding-api.open-meteo.com/v1/search
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tool_servers.serving import command
from tool_servers.serving.settings import http_url
from tool_servers.weather import cities
from tool_servers.weather.delayed import Delayed
from tool_servers.weather.normals import Normals
from tool_servers.weather.provider import Provider

if TYPE_CHECKING:
    from tool_servers.serving.server import Service

PROVIDERS = ("normals", "open-meteo")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = command.parser("weather", __doc__, port=50051)
    parser.add_argument(
        "--delay",
        type=command.seconds,
        default=0.0,
        help="seconds to wait before each answer, to see calls overlap",
    )
    return command.run("weather", parser.parse_args(arguments), open_service)


@asynccontextmanager
async def open_service(options: argparse.Namespace) -> AsyncIterator["Service"]:
    # Imported here, so that --help works before the stubs are made.
    from tool_servers.weather.service import weather_service

    async with open_provider(os.environ) as provider:
        yield weather_service(Delayed(provider, options.delay) if options.delay else provider)


@asynccontextmanager
async def open_provider(environment: Mapping[str, str]) -> AsyncIterator[Provider]:
    """The provider that WEATHER_PROVIDER names; raises ValueError where there is none of that name."""
    name = environment.get("WEATHER_PROVIDER", "normals")
    if name not in PROVIDERS:
        raise ValueError(f"there is no WEATHER_PROVIDER {name!r}: give one of {', '.join(PROVIDERS)}")
    known = cities.load()
    if name == "normals":
        yield Normals(known)
        return
    # Imported here: the default needs no HTTP client.
    import httpx2

    from tool_servers.weather import open_meteo

    forecast_url = http_url(environment, "OPEN_METEO_URL", open_meteo.FORECAST_URL)
    geocoding_url = http_url(environment, "OPEN_METEO_GEOCODING_URL", open_meteo.GEOCODING_URL)
    async with httpx2.AsyncClient() as client:
        yield open_meteo.OpenMeteo(client, known, forecast_url=forecast_url, geocoding_url=geocoding_url)


if __name__ == "__main__":
    sys.exit(main())
