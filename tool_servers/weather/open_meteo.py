"""A city's name → its weather, asked from Open-Meteo over HTTP. Needs the internet, and no key.

The API is described at https://open-meteo.com/en/docs and https://open-meteo.com/en/docs/geocoding-api.
Tests speak to a server of their own on the loopback interface that answers in the same shapes; no test
calls the internet. What comes back is not trusted: it is bounded in size and time, and every field checked.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from tool_servers.weather.cities import Cities, split_name
from tool_servers.weather.open_meteo_answers import (
    Place,
    broken,
    read_answer,
    read_current,
    read_forecast,
    read_place,
    unavailable,
)
from tool_servers.weather.provider import Forecast, UnknownCity, Weather

FORECAST_URL = "https://api.open-meteo.com/v1/forecast"
GEOCODING_URL = "https://geocoding-api.open-meteo.com/v1/search"

TIMEOUT = 10.0
MAX_RESPONSE_SIZE = 1024 * 1024


class OpenMeteo:
    """A Provider that asks Open-Meteo; `cities` spares it a search for the names that they hold."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        cities: Cities,
        *,
        forecast_url: str = FORECAST_URL,
        geocoding_url: str = GEOCODING_URL,
        timeout: float = TIMEOUT,
    ) -> None:
        self._client = client
        self._cities = cities
        self._forecast_url = forecast_url
        self._geocoding_url = geocoding_url
        self._timeout = timeout

    async def current(self, name: str, *, timeout: float | None = None) -> Weather:
        """The current weather, at most a quarter of an hour old."""
        async with self._deadline(timeout):
            place = await self._locate(name)
            fields = "temperature_2m,relative_humidity_2m,wind_speed_10m,weather_code"
            answer = await self._forecast(place, current=fields, timezone="GMT")
        return read_current(place, answer)

    async def forecast(self, name: str, days: int, *, timeout: float | None = None) -> Forecast:
        """The coming days by the city's own calendar; fewer than asked for where the models end before."""
        async with self._deadline(timeout):
            place = await self._locate(name)
            fields = "temperature_2m_min,temperature_2m_max,precipitation_sum,weather_code"
            answer = await self._forecast(place, daily=fields, timezone="auto", forecast_days=days)
        return read_forecast(place, answer)

    def _deadline(self, timeout: float | None) -> contextlib.AbstractAsyncContextManager[None]:
        return _within(self._timeout if timeout is None else min(timeout, self._timeout))

    async def _locate(self, name: str) -> Place:
        # Open-Meteo's search ranks villages called 北京 above the capital
        # (https://github.com/open-meteo/geocoding-api/issues/20), so the large cities are not searched for.
        city = self._cities.find(name)
        if city is not None:
            return Place(label=city.label, latitude=city.latitude, longitude=city.longitude)
        # The search knows names only; of many places of one name, the region tells which is meant.
        head, *regions = split_name(name)
        count = 100 if regions else 10
        answer = await self._get(self._geocoding_url, name=head, count=count, language="en", format="json")
        place = read_place(name, answer)
        if place is None:
            raise UnknownCity(name, self._cities.nearest(name))
        return place

    async def _forecast(self, place: Place, **parameters: str | int) -> dict[str, Any]:
        return await self._get(
            self._forecast_url, latitude=place.latitude, longitude=place.longitude, **parameters
        )

    async def _get(self, url: str, **parameters: str | float) -> dict[str, Any]:
        try:
            # Uncompressed, so that the bound on the size bounds what is held in memory; and without a timeout
            # of the client's own, because the whole answer has one.
            headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
            async with self._client.stream(
                "GET", url, params=parameters, headers=headers, timeout=None
            ) as response:
                body = await _read_body(response)
        except httpx2.HTTPError as error:
            raise unavailable(f"could not be reached ({type(error).__name__})") from error
        return read_answer(response.status_code, body)


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise unavailable(f"did not answer within {seconds:.1f} s") from error


async def _read_body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_RESPONSE_SIZE:
            raise broken(f"sent more than {MAX_RESPONSE_SIZE} bytes")
    return bytes(body)
