"""`make servers`: one supervisor starts all tool servers, and stops them."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import grpc.aio
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tool_servers" / "servers.sh"
NAMES = re.findall(r"^([a-z-]+):", (ROOT / "tool_servers" / "Procfile").read_text(), re.MULTILINE)
SERVERS = [name for name in NAMES if name != "stand-in"]
NEEDS = {"stocks": ("go",), "flights": ("node", "npm"), "hotels": ("java", "mvn")}


def environment(path: str) -> dict[str, str]:
    """Free ports for all, and only what is on this path."""
    given = {f"ADDRESS_{name.upper()}": "127.0.0.1:0" for name in SERVERS}
    return os.environ | given | {"PORT_STAND_IN": "0", "PYTHONPATH": "gen/python", "PATH": path}


def with_commands(folder: Path, *names: str) -> str:
    """A path on which there is only what the script itself needs, and these."""
    for name in ("bash", "sed", "dirname", "env", *names):
        found = next(each for each in os.environ["PATH"].split(os.pathsep) if (Path(each) / name).is_file())
        (folder / name).symlink_to(Path(found) / name)
    return os.pathsep.join([str(Path(sys.executable).parent), str(folder)])


async def run(verb: str, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *("bash", str(SCRIPT), verb),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )


def test_every_folder_of_a_tool_server_is_started() -> None:
    protos = {path.parent.parent.name for path in (ROOT / "protos").glob("*/v1/*.proto")} - {"broker"}

    assert set(SERVERS) == protos


async def test_all_that_can_be_started_serve_with_logs_by_name_until_they_are_told_to_stop(
    tmp_path: Path,
) -> None:
    # Those of other languages have tests of their own; here they would have to be built.
    process = await run("start", environment(with_commands(tmp_path, "sh")))
    here = [name for name in SERVERS if name not in NEEDS]
    addresses: dict[str, str] = {}
    try:
        assert process.stdout is not None
        while len(addresses) < len(here):
            line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            assert line, addresses
            if found := re.search(r"(\w+)\.1 +\| (\w+): listening on (\S+)", line):
                assert found[1] == found[2]
                addresses[found[1]] = found[3]
        for address in addresses.values():
            async with grpc.aio.insecure_channel(address) as channel:
                await asyncio.wait_for(channel.channel_ready(), 30)
        process.send_signal(signal.SIGTERM)
        rest, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)

    assert sorted(addresses) == sorted(here)
    assert process.returncode == 128 + signal.SIGTERM
    stopped = re.findall(r"(\w+)\.1 stopped \(rc=0\)", rest.decode())
    assert sorted(stopped) == sorted(here)


@pytest.mark.parametrize(
    ("ci", "returncode", "said"),
    [
        ("", 0, ["left out flights, which needs node", "left out hotels, which needs java"]),
        ("1", 1, ["needs", "which is not installed"]),
    ],
)
async def test_what_cannot_be_built_is_left_out_with_the_reason_and_fails_in_ci(
    tmp_path: Path, ci: str, returncode: int, said: list[str]
) -> None:
    process = await run("build", environment(with_commands(tmp_path)) | {"CI": ci})

    output, _ = await process.communicate()

    assert process.returncode == returncode, output
    assert all(words in output.decode() for words in said), output.decode()


async def test_another_word_is_told_what_there_is() -> None:
    process = await run("begin", dict(os.environ))

    output, _ = await process.communicate()

    assert process.returncode == 2
    assert "usage: tool_servers/servers.sh build|test|start" in output.decode()
