"""Our decode and encode beside google.protobuf.json_format's, on the same messages, in the same run."""

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from benchmarks.row import Row
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import Loaded
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder

ROUNDS = 15
_SECONDS_PER_SAMPLE = 0.01

_LINE = {"sku": "SKU-000017", "quantity": 3, "price_micros": "12990000"}
_ORDER = {
    "name": "shops/17/orders/4711",
    "display_name": "Order of March",
    "description": "Three chairs and a table: to the back door, please.",
    "etag": "5f1c3a",
    "priority": 3,
    "version": 12,
    "amount_micros": "129900000",
    "sequence": "18446744073709551615",
    "weight": 17.25,
    "ratio": 0.1,
    "express": True,
    "gift": True,
    "signature": "c2lnbmVkIGJ5IG5vYm9keSBhdCBhbGw=",
    "units": "UNITS_METRIC",
    "tags": ["furniture", "fragile", "north"],
    "codes": [1, 2, 3, 5, 8],
    "labels": {"region": "north", "channel": "web", "agent": "none"},
    "create_time": "2026-03-01T12:34:56.789Z",
    "address": {
        "street": "1 High St",
        "city": "Bath",
        "country": "GB",
        "latitude": 51.38,
        "longitude": -2.36,
    },
    "lines": [_LINE, _LINE],
}
_ROWS = {
    "rows": [
        {
            "id": f"row-{index:05}",
            "name": f"The row with the number {index}, in a list",
            "stock": str(index * 1_000_003),
            "price": index * 1.25 + 0.1,
            "active": True,
            "units": "UNITS_IMPERIAL",
            "tags": ["red", "large"],
            "update_time": f"2026-03-01T12:{index % 60:02}:07Z",
            "line": _LINE,
        }
        for index in range(1_000)
    ],
    "next_page_token": "cm93LTAxMDAw",
}
_WELL_KNOWN = {
    "start_time": "2026-03-01T12:34:56Z",
    "end_time": "2026-03-01T12:34:56.123456789Z",
    "timeout": "3.500s",
    "update_mask": "displayName,labels,address.city",
    "metadata": {
        "owner": "north",
        "size": 3,
        "ratio": 0.5,
        "flags": [True, None, "x"],
        "in": {"a": {"b": 1}},
    },
    "value": ["a", 1, {"b": None}],
    "text": "some text",
    "number": "9007199254740993",
    "flag": True,
    "detail": {"@type": "type.googleapis.com/benchmarks.codec.Line", **_LINE},
    "times": ["2026-03-01T12:34:56Z", "2026-03-02T12:34:56Z", "2026-03-03T12:34:56Z"],
    "delays": {"first": "1s", "second": "2.250s", "third": "0.000001s"},
}
_CASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("tiny", "Tiny", {"name": "Paris", "units": "UNITS_METRIC"}),
    ("20 fields", "Order", _ORDER),
    ("1,000 rows", "Rows", _ROWS),
    ("WKT-heavy", "WellKnown", _WELL_KNOWN),
)


def rows() -> list[Row]:
    """Measures all cases; decode is JSON text → wire bytes, encode is wire bytes → JSON text."""
    descriptors = _descriptors()
    return [row for name, type_name, value in _CASES for row in _rows(descriptors, name, type_name, value)]


def _rows(descriptors: Descriptors, name: str, type_name: str, value: dict[str, Any]) -> tuple[Row, Row]:
    message = descriptors.pool.FindMessageTypeByName(f"benchmarks.codec.{type_name}")
    text, pool = orjson.dumps(value).decode(), descriptors.pool
    parsed = json_format.Parse(text, descriptors.message_class(message)(), descriptor_pool=pool)
    decoders = _decoders(descriptors, message, text)
    encoders = _encoders(descriptors, message, parsed.SerializeToString())
    hard = name == "WKT-heavy"
    return (
        _row(f"decode, {name}", "Parse + serialize", decoders, *((2, 3) if hard else (3, 5))),
        _row(f"encode, {name}", "parse + MessageToJson", encoders, *((2, 2.4) if hard else (2.5, 3.3))),
    )


_Pair = tuple[Callable[[], object], Callable[[], object]]


def _decoders(descriptors: Descriptors, message: Descriptor, text: str) -> _Pair:
    decode = Decoder(descriptors).compile(message)
    message_class, pool = descriptors.message_class(message), descriptors.pool

    def ours() -> bytes:
        return decode(text).SerializeToString()

    def reference() -> bytes:
        return json_format.Parse(text, message_class(), descriptor_pool=pool).SerializeToString()

    _check(message_class.FromString(ours()) == message_class.FromString(reference()))
    return ours, reference


def _encoders(descriptors: Descriptors, message: Descriptor, wire: bytes) -> _Pair:
    encode = Encoder(descriptors).compile(message)
    message_class, pool = descriptors.message_class(message), descriptors.pool

    def ours() -> bytes:
        return orjson.dumps(encode(message_class.FromString(wire)))

    def reference() -> str:
        message = message_class.FromString(wire)
        return json_format.MessageToJson(
            message, preserving_proto_field_name=True, indent=None, descriptor_pool=pool
        )

    _check(orjson.loads(ours()) == orjson.loads(reference()))
    return ours, reference


def _check(same: bool) -> None:
    if not same:
        raise AssertionError("the two do different things, so their times cannot be compared")


def _row(name: str, reference_name: str, pair: _Pair, floor: float, goal: float) -> Row:
    """Interleaves the two in rounds, so that whatever else the machine does falls on both."""
    counts = [_count(function) for function in pair]
    samples: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for function, count, taken in zip(pair, counts, samples, strict=True):
                taken.append(_sample(function, count))
    finally:
        gc.enable()
    ours, reference = (median(taken) * 1e6 for taken in samples)
    return Row(
        name=name,
        reference_name=f"json_format: {reference_name}",
        ours=ours,
        reference=reference,
        unit="µs",
        floor=floor,
        goal=goal,
        times_faster=True,
    )


def _count(function: Callable[[], object]) -> int:
    """How many calls make a sample that the clock can tell."""
    function()
    return max(1, int(_SECONDS_PER_SAMPLE / _sample(function, 3)))


def _sample(function: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count


def _descriptors() -> Descriptors:
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "codec.binpb"
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{here}",
            "--include_imports",
            f"-o{compiled}",
        ]
        subprocess.run([*command, "codec.proto"], check=True, cwd=here, env=os.environ)
        files = FileDescriptorSet.FromString(compiled.read_bytes())
    return link(Loaded(files=files, services=(), trusted=True))
