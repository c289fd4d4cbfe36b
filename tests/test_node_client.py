"""A client in another language, which has only the files that `broker protos` wrote."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.config.settings import Settings
from broker.servers.lifecycle import running
from tests.servers.probe import Probe

SOURCE = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client, with its two packages installed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        unavailable("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "client.js"):
        shutil.copy(SOURCE / name, folder)
    installed = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
    )
    if installed.returncode:
        unavailable(f"npm cannot install the client's packages: {installed.stderr[-500:]}")
    return folder / "client.js"


def unavailable(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


async def test_a_node_client_lists_calls_chats_and_cancels(
    node_client: Path, tmp_path: Path, probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    written = await asyncio.create_subprocess_exec(
        Path(sys.executable).parent / "broker", "protos", str(tmp_path), stdout=asyncio.subprocess.DEVNULL
    )
    assert await written.wait() == 0
    server = {"grpc": "127.0.0.1:0", "drain_delay": "10ms"}
    async with running(settings_for(probe[1], server=server)) as port:
        node = await asyncio.create_subprocess_exec(
            *("node", str(node_client), str(tmp_path), f"127.0.0.1:{port}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(probe[0].waiting.acquire(), 60)
        output, _ = await asyncio.wait_for(node.communicate(b"cancel\n"), 60)
        await asyncio.wait_for(probe[0].cancelled.acquire(), 10)

    listed, called, chatted, cancelled = (json.loads(line) for line in output.splitlines())
    assert node.returncode == 0
    assert "probe_v1_ProbeService_Echo" in listed["tools"]
    assert called == {"text": "北京", "is_error": False}
    assert chatted["events"][-1] == "done"
    assert "call_finished" in chatted["events"]
    assert chatted["stop_reason"] == "answered"
    assert cancelled == {"code": 1}
