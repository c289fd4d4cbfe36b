"""`Broker.call` in process, beside the generated stub: same server, timeout, metadata and event loop."""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio
import uvloop
from weather.v1 import weather_pb2, weather_pb2_grpc

from benchmarks.backend import started
from benchmarks.row import Row
from broker import assembly
from broker.call_log import CallLog
from broker.config.settings import LogSettings, Settings
from broker.dispatch import Broker
from broker.tool import CallContext, ToolCall

_METADATA = (("x-request-id", "benchmark"),)
_CONTEXT = CallContext(metadata=_METADATA)
_CALL = ToolCall(id="1", name="weather_v1_WeatherService_GetWeather", arguments=json.dumps({"name": "Paris"}))
_ROUNDS = 9

Once = Callable[[], Awaitable[object]]
Compare = Callable[[Once, Once], Awaitable[list[Row]]]


def rows() -> list[Row]:
    """CPU per call at 64 at once, throughput at 16, and the median one at a time."""
    with started("benchmarks.backend") as port:
        found = uvloop.run(_measure(port, _compared))
        found += uvloop.run(_measure(port, _compared_with_rules, RULED))
    with started("benchmarks.backend", "0.1") as port:
        found += uvloop.run(_measure_parallel(port))
    return found


PLAIN: dict[str, Any] = {"protos": ["weather.proto"], "import_paths": ["benchmarks"]}
RULED: dict[str, Any] = {"protos": ["weather/v1/weather.proto"], "import_paths": ["protos"]}
"""Each request is checked by protovalidate, and by one expression in CEL."""


def settings(port: int, descriptors: dict[str, Any] = PLAIN) -> Settings:
    """A broker in front of the weather service at a port."""
    backend = {"target": f"127.0.0.1:{port}", "plaintext": True, "descriptors": descriptors}
    return Settings.model_validate({"backends": {"weather": backend}})


async def _measure(port: int, compare: Compare, descriptors: dict[str, Any] = PLAIN) -> list[Row]:
    with open(os.devnull, "wb") as nowhere:  # noqa: ASYNC230, PTH123 - the log is written, as in production
        async with (
            assembly.open(settings(port, descriptors)) as opened,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            broker = Broker(opened.catalog, opened._invoke, CallLog(LogSettings(), nowhere))
            stub = weather_pb2_grpc.WeatherServiceStub(channel)

            async def ours() -> object:
                result = await broker.call(_CALL, _CONTEXT)
                assert not result.is_error, result.content
                return result

            async def reference() -> object:
                return await stub.GetWeather(
                    weather_pb2.Location(name="Paris"), timeout=30, metadata=_METADATA
                )

            return await compare(ours, reference)


async def _compared_with_rules(ours: Once, reference: Once) -> list[Row]:
    cpu = await _interleaved(ours, reference, lambda once: _cpu_per_call(once, 64, 2_000))
    pair = (cpu[0] * 1e6, cpu[1] * 1e6)
    return [_row("with rules, 64 at once: CPU", pair, unit="µs", floor=1.5, goal=1.25)]


async def _compared(ours: Once, reference: Once) -> list[Row]:
    cpu = await _interleaved(ours, reference, lambda once: _cpu_per_call(once, 64, 2_000))
    throughput = await _interleaved(ours, reference, lambda once: _throughput(once, 16, 2_000))
    latency = await _latency(ours, reference, 3_000)
    return [
        _row("64 at once: CPU", (cpu[0] * 1e6, cpu[1] * 1e6), unit="µs", floor=1.25, goal=1.10),
        _row("16 at once: throughput", throughput, unit="/s", floor=0.75, goal=0.85, more_is_better=True),
        _row("one at a time: median", (latency[0] * 1e6, latency[1] * 1e6), unit="µs", floor=1.25, goal=1.10),
    ]


def _row(name: str, pair: tuple[float, float], **bounds: Any) -> Row:
    return Row(
        name=f"`Broker.call`, {name}",
        reference_name="generated stub",
        ours=pair[0],
        reference=pair[1],
        **bounds,
    )


async def _measure_parallel(port: int) -> list[Row]:
    async with assembly.open(settings(port).model_copy(update={"log": LogSettings(level="error")})) as broker:

        async def calls(count: int) -> float:
            started_at = time.perf_counter()
            await asyncio.gather(*(broker.call(_CALL) for _ in range(count)))
            return time.perf_counter() - started_at

        await calls(16)
        many = statistics.median([await calls(16) for _ in range(5)])
        one = statistics.median([await calls(1) for _ in range(5)])
    return [
        Row(
            name="16 parallel calls of 100 ms",
            reference_name="one",
            ours=many * 1e3,
            reference=one * 1e3,
            unit="ms",
            floor=1.15,
            goal=1.05,
        )
    ]


async def _interleaved(
    ours: Once, reference: Once, measure: Callable[[Once], Awaitable[float]]
) -> tuple[float, float]:
    await measure(ours), await measure(reference)
    pairs = [(await measure(ours), await measure(reference)) for _ in range(_ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


async def _in_parallel(once: Once, parallel: int, count: int) -> None:
    async def worker() -> None:
        for _ in range(count // parallel):
            await once()

    await asyncio.gather(*(worker() for _ in range(parallel)))


async def _cpu_per_call(once: Once, parallel: int, count: int) -> float:
    before = time.process_time()
    await _in_parallel(once, parallel, count)
    return (time.process_time() - before) / (count // parallel * parallel)


async def _throughput(once: Once, parallel: int, count: int) -> float:
    before = time.perf_counter()
    await _in_parallel(once, parallel, count)
    return (count // parallel * parallel) / (time.perf_counter() - before)


async def _latency(ours: Once, reference: Once, count: int) -> tuple[float, float]:
    samples: tuple[list[float], list[float]] = ([], [])
    for _ in range(count):
        for once, sample in ((ours, samples[0]), (reference, samples[1])):
            before = time.perf_counter()
            await once()
            sample.append(time.perf_counter() - before)
    return statistics.median(samples[0]), statistics.median(samples[1])
