"""`broker call` writes the files of a result where it is told."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
GIF = b"GIF89a" + bytes(20)

Run = Callable[..., Awaitable[tuple[int, str, str]]]
New = Callable[..., Any]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def run(target: str, protoset: Path, tmp_path: Path) -> Run:
    """Calls a method that answers with a message, in a process of its own; its status, stdout and stderr."""

    async def start(method: str, response: Any, *flags: str) -> tuple[int, str, str]:
        told = json.dumps({"wire": base64.b64encode(response.SerializeToString()).decode()})
        name = f"files.v1.FileService/{method}"
        command = ["-c", "from broker.cli.main import main; main()", "call", target, "-plaintext"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command, "-protoset", str(protoset), *flags, name, told),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    return start


async def test_without_a_place_to_go_a_file_is_only_told(run: Run, new: New, tmp_path: Path) -> None:
    status, out, err = await run("Download", new("google.api.HttpBody", data=PNG))

    assert (status, json.loads(out)["media"]) == (0, 0)
    assert err == "broker: media 0: image/png, 28 bytes; --output FILE writes it\n"
    assert names(tmp_path) == []


async def test_a_file_is_written_and_the_json_shown(run: Run, new: New, tmp_path: Path) -> None:
    status, out, err = await run("Download", new("google.api.HttpBody", data=PNG), "-o", "a.png")

    assert (status, json.loads(out)["content_type"]) == (0, "image/png")
    assert err == "broker: media 0: image/png, 28 bytes, is in a.png\n"
    assert (tmp_path / "a.png").read_bytes() == PNG


async def test_several_files_have_their_place_in_their_name(run: Run, new: New, tmp_path: Path) -> None:
    album = new("Album", cover=GIF, pages=[PNG])

    status, out, _ = await run("GetAlbum", album, "--output", "a.bin")

    assert status == 0
    place = json.loads(out)["cover"]["media"]
    assert (tmp_path / f"a-{place}.bin").read_bytes() == GIF
    assert (tmp_path / f"a-{1 - place}.bin").read_bytes() == PNG


async def test_no_file_and_a_file_that_cannot_be_written_are_told(run: Run, new: New, tmp_path: Path) -> None:
    nothing = await run("GetAlbum", new("Album"), "-o", "a.png")
    nowhere = await run("Download", new("google.api.HttpBody", data=PNG), "-o", "no/such/a.png")

    assert (nothing[0], nothing[2]) == (0, "broker: no file came, so a.png was not written\n")
    assert nowhere[0] == 1
    assert "no/such/a.png cannot be written: No such file or directory; the call was made" in nowhere[2]
    assert names(tmp_path) == []
