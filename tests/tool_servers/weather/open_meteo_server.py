"""A server that answers in the shapes of Open-Meteo: no call leaves this machine."""

import asyncio
import json
import urllib.parse
from typing import Any

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


SPRINGFIELDS = [
    {"name": "Springfield", "admin1": state, "country": "United States", "country_code": "US"}
    | {"population": population, "latitude": latitude, "longitude": -90}
    for state, population, latitude in (("Missouri", 166_810, 37), ("Illinois", 116_565, 39))
]
