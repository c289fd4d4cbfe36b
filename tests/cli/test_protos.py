import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc_tools


def test_the_protos_are_written_and_compile(run: Callable[..., Any], tmp_path: Path) -> None:
    outcome = run("protos", "out")

    assert outcome.status == 0
    assert outcome.out == "out/broker/v1/annotations.proto\twritten\nout/broker/v1/broker.proto\twritten\n"
    assert 'import "broker/v1/annotations.proto"' in outcome.err
    includes = ["-Iout", f"-I{Path(grpc_tools.__file__).parent / '_proto'}"]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", *includes, "--descriptor_set_out=all.binpb"]
    subprocess.run(
        [*protoc, "broker/v1/broker.proto", "broker/v1/annotations.proto"], cwd=tmp_path, check=True
    )


def test_files_that_are_the_same_are_left_alone(run: Callable[..., Any]) -> None:
    run("protos", "out")

    outcome = run("protos", "out")

    assert outcome.status == 0
    assert (
        outcome.out == "out/broker/v1/annotations.proto\tunchanged\nout/broker/v1/broker.proto\tunchanged\n"
    )


def test_a_file_that_differs_is_overwritten_only_by_force(run: Callable[..., Any], tmp_path: Path) -> None:
    run("protos", "out")
    mine = tmp_path / "out/broker/v1/broker.proto"
    theirs = mine.read_text()
    mine.write_text("// mine")

    refused = run("protos", "out")

    assert refused.status == 2
    assert refused.err == "broker: out/broker/v1/broker.proto: differs from ours; --force overwrites it\n"
    assert mine.read_text() == "// mine"
    assert run("protos", "out", "--force").status == 0
    assert mine.read_text() == theirs
