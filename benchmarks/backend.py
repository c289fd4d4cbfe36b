"""A weather service that answers at once, in a process of its own, so that its cost is not ours."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import grpc
import grpc.aio
from weather.v1 import weather_pb2, weather_pb2_grpc


class _Weather(weather_pb2_grpc.WeatherServiceServicer):
    def __init__(self, delay: float) -> None:
        self._delay = delay

    async def GetWeather(self, request: weather_pb2.Location, context: Any) -> weather_pb2.WeatherData:
        if self._delay:
            await asyncio.sleep(self._delay)
        return weather_pb2.WeatherData(location=request.name, temp=21.5, humidity=40, description="clear sky")


async def _serve(delay: float) -> None:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    weather_pb2_grpc.add_WeatherServiceServicer_to_server(_Weather(delay), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)


@contextmanager
def started(module: str, *arguments: str) -> Iterator[int]:
    """Runs a module that prints its port, and ends when its input ends; hands out the port."""
    command = [sys.executable, "-m", module, *arguments]
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
