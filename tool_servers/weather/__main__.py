"""Runs the weather service: `python -m tool_servers.weather`.

    make gen                                                   # the stubs of weather/v1, into gen/python
    PYTHONPATH=gen/python python -m tool_servers.weather       # weather: listening on 127.0.0.1:50051

It serves weather.v1.WeatherService (protos/weather/v1/weather.proto) with health and reflection (v1 and
v1alpha) beside it, and writes one line to stdout when it is ready; with port 0 that line tells which port
it got. A line for each call goes to stderr. SIGTERM and SIGINT stop it: it says NOT_SERVING, refuses new
calls, lets those in flight end, and exits with status 0. A wrong setting is exit status 2.

Environment:
    WEATHER_PROVIDER          normals (default): climate normals of the world's large cities, offline;
                              open-meteo: current weather and forecasts over the internet
    OPEN_METEO_URL            instead of https://api.open-meteo.com/v1/forecast
    OPEN_METEO_GEOCODING_URL  instead of https://geocoding-api.open-meteo.com/v1/search
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence

from tool_servers.weather import cities
from tool_servers.weather.delayed import Delayed
from tool_servers.weather.normals import Normals
from tool_servers.weather.provider import Provider

PROVIDERS = ("normals", "open-meteo")


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # It would tell each request's URL, and with it the city.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(options.address, options.delay, options.grace, os.environ))
    except (OSError, ValueError) as error:
        return refuse(error)
    except ModuleNotFoundError as error:
        if error.name != "weather":
            raise
        return refuse(
            "the stubs of weather/v1 are not on the path: run `make gen`, set PYTHONPATH=gen/python"
        )
    return 0


def refuse(fact: object) -> int:
    sys.stderr.write(f"weather: {fact}\n")
    return 2


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tool_servers.weather",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--address", default="127.0.0.1:50051", help="HOST:PORT (default: %(default)s)")
    parser.add_argument(
        "--grace", type=float, default=10.0, help="seconds that calls in flight have to end (default: 10)"
    )
    parser.add_argument(
        "--delay", type=float, default=0.0, help="seconds to wait before each answer, to see calls overlap"
    )
    return parser


async def serve(address: str, delay: float, grace: float, environment: Mapping[str, str]) -> None:
    """Serves until SIGTERM or SIGINT."""
    # Imported here, so that --help works before the stubs are made.
    from tool_servers.weather.server import WeatherServer

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_provider(environment) as provider:
        server = WeatherServer(Delayed(provider, delay) if delay else provider, address)
        port = await server.start()
        host = address.rpartition(":")[0]
        print(f"weather: listening on {host}:{port}", flush=True)  # noqa: T201 what a starter waits for
        await stopping.wait()
        await server.stop(grace)


@contextlib.asynccontextmanager
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

    async with httpx2.AsyncClient() as client:
        yield open_meteo.OpenMeteo(
            client,
            known,
            forecast_url=environment.get("OPEN_METEO_URL", open_meteo.FORECAST_URL),
            geocoding_url=environment.get("OPEN_METEO_GEOCODING_URL", open_meteo.GEOCODING_URL),
        )


if __name__ == "__main__":
    sys.exit(main())
