"""A catalog of 13,000 methods, beside parsing the same set and putting it into a bare pool."""

import asyncio
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from sys import executable
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from benchmarks.row import Row
from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.descriptors.pool import link
from broker.descriptors.sources import Protoset

_FILES = 650
_METHODS = 20
_ROUNDS = 3


def rows() -> list[Row]:
    """Names and descriptions ready, schemas made on first use."""
    with TemporaryDirectory() as folder:
        protoset = _compiled(Path(folder))
        ours, reference = _times(protoset)
    return [
        Row(
            name=f"catalog of {_FILES * _METHODS:,} generated methods",
            reference_name="parsed into a bare pool",
            ours=ours,
            reference=reference,
            unit="s",
            floor=4,
            goal=2.5,
        )
    ]


def _times(protoset: Path) -> tuple[float, float]:
    pairs = [
        (_seconds(lambda: _ours(protoset)), _seconds(lambda: _reference(protoset))) for _ in range(_ROUNDS)
    ]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _ours(protoset: Path) -> Catalog:
    descriptors = link(asyncio.run(Protoset(protoset).load()))
    catalog = build([Exposed(backend="all", descriptors=descriptors)], {})
    assert len(catalog) == _FILES * _METHODS
    return catalog


def _reference(protoset: Path) -> DescriptorPool:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(protoset.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def _seconds(made: Callable[[], object]) -> float:
    gc.collect()
    before = time.perf_counter()
    made()
    return time.perf_counter() - before


def _compiled(folder: Path) -> Path:
    for number in range(_FILES):
        (folder / f"p{number}.proto").write_text(_source(number))
    names = [f"p{number}.proto" for number in range(_FILES)]
    command = [
        executable,
        "-m",
        "grpc_tools.protoc",
        f"-I{folder}",
        "--include_source_info",
        "--include_imports",
    ]
    run([*command, f"--descriptor_set_out={folder / 'all.binpb'}", *names], check=True)
    return folder / "all.binpb"


def _source(number: int) -> str:
    methods = "\n".join(
        f"  // Gets the thing of kind {method}, as it is at the moment of the call.\n"
        f"  rpc GetThing{method}(Request{method}) returns (Thing);"
        for method in range(_METHODS)
    )
    requests = "\n".join(_REQUEST.format(method=method) for method in range(_METHODS))
    head = f'syntax = "proto3";\npackage generated.things{number}.v1;\n'
    return f"{head}// Knows things.\nservice ThingService {{\n{methods}\n}}\n{requests}\n{_THING}\n"


_REQUEST = """
// Asks for a thing.
message Request{method} {{
  // The name of the thing.
  string name = 1;
  // How many at most.
  int32 limit = 2;
  // What to leave out.
  repeated string without = 3;
}}"""
_THING = """
// A thing.
message Thing {
  // Its name.
  string name = 1;
  // Its parts.
  repeated Thing parts = 2;
}"""
