"""A provider → the same one, as slow as a distant source, so that calls can be seen to overlap."""

import asyncio

from tool_servers.weather.provider import Forecast, Provider, Weather


class Delayed:
    """A Provider that waits before it asks another."""

    def __init__(self, provider: Provider, seconds: float) -> None:
        self._provider = provider
        self._seconds = seconds

    async def current(self, name: str, *, timeout: float | None) -> Weather:
        await asyncio.sleep(self._seconds)
        return await self._provider.current(name, timeout=timeout)

    async def forecast(self, name: str, days: int, *, timeout: float | None) -> Forecast:
        await asyncio.sleep(self._seconds)
        return await self._provider.forecast(name, days, timeout=timeout)
