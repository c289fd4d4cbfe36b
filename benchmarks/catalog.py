"""A catalog of all methods of googleapis: what it takes to make it, and to render it in every profile."""

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from benchmarks.row import Row
from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.descriptors.pool import link
from broker.descriptors.sources import Protoset
from broker.schema.profiles import PROFILES

CORPUS = Path("gen/corpora/node_modules/google-proto-files")
_ROUNDS = 3
_WANTED = 60.0
"""Seconds in which all is to be rendered: nothing else renders it, to be measured beside."""


def rows() -> list[Row]:
    """Names and descriptions ready, schemas made on first use. No row where the corpus is not installed."""
    if not CORPUS.exists():
        print(
            "catalog: left out, since googleapis is not installed: `make corpora` does that", file=sys.stderr
        )
        return []
    with TemporaryDirectory() as folder:
        protoset = compiled(Path(folder))
        pairs = [
            (_cpu_seconds(lambda: _ours(protoset)), _cpu_seconds(lambda: _reference(protoset)))
            for _ in range(_ROUNDS)
        ]
        catalog = _ours(protoset)
        rendered = _cpu_seconds(lambda: _render(catalog))
    ours, reference = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    return [
        Row(
            name=f"catalog of {len(catalog):,} methods of googleapis: CPU",
            reference_name="parsed into a bare pool",
            ours=ours,
            reference=reference,
            unit="s",
            floor=4,
            goal=2.5,
        ),
        Row(
            name=f"each of them rendered in {len(PROFILES)} profiles: CPU",
            reference_name=f"{_WANTED:.0f} s",
            ours=rendered,
            reference=_WANTED,
            unit="s",
            floor=2,
            goal=1,
        ),
    ]


def _ours(protoset: Path) -> Catalog:
    descriptors = link(asyncio.run(Protoset(protoset).load()))
    return build([Exposed(backend="googleapis", descriptors=descriptors)], {})


def _render(catalog: Catalog) -> None:
    for tool in catalog:
        for profile in PROFILES:
            catalog.definition(tool, profile)


def _reference(protoset: Path) -> DescriptorPool:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(protoset.read_bytes()).file:
        pool.Add(file)
    return pool


def _cpu_seconds(made: Callable[[], object]) -> float:
    gc.collect()
    before = time.process_time()
    made()
    return time.process_time() - before


def compiled(folder: Path) -> Path:
    """All of the corpus as one protoset, source info included, in `folder`."""
    files = sorted(str(path.relative_to(CORPUS)) for path in CORPUS.glob("google/**/*.proto"))
    names = folder / "names"
    names.write_text("\n".join(file for file in files if not file.startswith("google/protobuf/")))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{CORPUS}", "--include_source_info"]
    out = folder / "googleapis.binpb"
    command += ["--include_imports", f"--descriptor_set_out={out}", f"@{names}"]
    run(command, check=True, capture_output=True)
    return out
