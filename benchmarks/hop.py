"""`BrokerService.CallTool`, beside a bare Python proxy that passes the same bytes on to the same backend."""

import asyncio
import statistics
import sys
from collections.abc import Awaitable
from typing import Any

import grpc
import grpc.aio
import psutil
import uvloop
from weather.v1 import weather_pb2

from benchmarks.backend import started
from benchmarks.calls import settings
from benchmarks.row import Row
from broker.config.settings import Settings
from broker.servers.lifecycle import running
from broker.v1 import broker_pb2

_WEATHER = "/weather.v1.WeatherService/GetWeather"
_CALL_TOOL = "/broker.v1.BrokerService/CallTool"
_ROUNDS = 7
_CALLS = 3_000
_PARALLEL = 64


def rows() -> list[Row]:
    """CPU of the hop per call, at 64 at once."""
    with (
        started("benchmarks.backend") as backend,
        started("benchmarks.hop", "proxy", str(backend)) as proxy,
        started("benchmarks.hop", "broker", str(backend)) as broker,
    ):
        ours, reference = uvloop.run(_measure(broker, proxy))
    return [
        Row(
            name="`BrokerService.CallTool`, 64 at once: CPU",
            reference_name="byte-passing proxy",
            ours=ours * 1e6,
            reference=reference * 1e6,
            unit="µs",
            floor=1.25,
            goal=1.10,
        )
    ]


async def _measure(broker: int, proxy: int) -> tuple[float, float]:
    call = broker_pb2.ToolCall(
        id="1", name="weather_v1_WeatherService_GetWeather", arguments='{"name": "Paris"}'
    )
    ours = (
        _process_on(broker),
        broker,
        _CALL_TOOL,
        broker_pb2.CallToolRequest(call=call).SerializeToString(),
    )
    reference = (_process_on(proxy), proxy, _WEATHER, weather_pb2.Location(name="Paris").SerializeToString())
    await _cpu_per_call(*ours), await _cpu_per_call(*reference)
    pairs = [(await _cpu_per_call(*ours), await _cpu_per_call(*reference)) for _ in range(_ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


async def _cpu_per_call(process: psutil.Process, port: int, path: str, request: bytes) -> float:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary(path)
        before = sum(process.cpu_times()[:2])

        async def worker() -> None:
            for _ in range(_CALLS // _PARALLEL):
                await method(request, timeout=30)

        await asyncio.gather(*(worker() for _ in range(_PARALLEL)))
        return (sum(process.cpu_times()[:2]) - before) / (_CALLS // _PARALLEL * _PARALLEL)


def _process_on(port: int) -> psutil.Process:
    for child in psutil.Process().children():
        if any(found.laddr.port == port for found in child.net_connections("tcp")):
            return child
    raise LookupError(f"no child listens on port {port}")


async def _proxy(backend: int) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{backend}") as channel:
        method = channel.unary_unary(_WEATHER)

        def passed_on(request: bytes, context: Any) -> Awaitable[bytes]:
            return method(request, timeout=context.time_remaining())

        async def handler(request: bytes, context: Any) -> bytes:
            return await passed_on(request, context)

        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        handlers = {"GetWeather": grpc.unary_unary_rpc_method_handler(handler)}
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("weather.v1.WeatherService", handlers),)
        )
        print(server.add_insecure_port("127.0.0.1:0"), flush=True)
        await server.start()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await server.stop(None)


async def _broker(backend: int) -> None:
    # The log goes nowhere, but it is written.
    listener = {"server": {"grpc": "127.0.0.1:0", "drain_delay": 0.01}}
    served = Settings.model_validate(settings(backend).model_dump() | listener)
    async with running(served) as port:
        print(port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run({"proxy": _proxy, "broker": _broker}[sys.argv[1]](int(sys.argv[2])))
