"""A real gRPC service on loopback, and a broker in front of it."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import google.api
import pytest

from broker import assembly
from broker.config.settings import Settings
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import Protoset
from broker.dispatch import Broker
from tests.servers.probe import Probe

REPOSITORY = Path(__file__).parent.parent
PROTOS = Path(__file__).parent / "protos"


@pytest.fixture(scope="session")
def probe_protoset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tests/protos/probe, compiled once."""
    path = tmp_path_factory.mktemp("protosets") / "probe.binpb"
    command = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports", "--include_source_info"]
    includes = [PROTOS, REPOSITORY / "protos", Path(google.api.__path__[0]).parent.parent]
    command += [f"-I{folder}" for folder in includes]
    subprocess.run([*command, f"--descriptor_set_out={path}", "probe/v1/probe.proto"], check=True)
    return path


@pytest.fixture
async def probe_descriptors(probe_protoset: Path) -> Descriptors:
    return link(await Protoset(probe_protoset).load())


@pytest.fixture
async def probe(probe_descriptors: Descriptors) -> AsyncIterator[tuple[Probe, int]]:
    """A running service, and its port."""
    server = Probe(probe_descriptors)
    port = await server.start()
    yield server, port
    await server.stop()


@pytest.fixture
def settings_for(probe_protoset: Path) -> Callable[..., Settings]:
    """Settings of a broker whose one backend is the probe at a port; `backend` and `**more` add to them."""

    def make(port: int, backend: dict[str, Any] | None = None, **more: Any) -> Settings:
        known: dict[str, Any] = {
            "target": f"127.0.0.1:{port}",
            "plaintext": True,
            "descriptors": {"protoset": probe_protoset},
        }
        more.setdefault("log", {"level": "error"})
        return Settings.model_validate({"backends": {"probe": known | (backend or {})}, **more})

    return make


@pytest.fixture
async def broker(probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> AsyncIterator[Broker]:
    """A broker in front of the probe."""
    async with assembly.open(settings_for(probe[1])) as opened:
        yield opened
