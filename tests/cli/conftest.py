"""The `broker` command, in this process and in its own; and a real service for it to talk to."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from broker.cli.main import main
from broker.descriptors.pool import link
from broker.descriptors.sources import Protoset
from tests.cli.terminals import Terminal
from tests.models.scripted_server import ScriptedServer, scripted_server
from tests.servers.probe import Probe

REPOSITORY = Path(__file__).parent.parent.parent


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of the command came to."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, kw_only=True)
class ProbeProcess:
    """The probe in a process of its own: `tests/cli/serve_probe.py` says what it tells."""

    target: str
    process: "subprocess.Popen[str]"

    def next_word(self) -> str:
        """What it tells next; waits for it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(autouse=True)
def nobodys_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, no broker.yaml and no wish of the person who runs the tests."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL", "BROKER_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Runs `broker` with arguments, in this process; its output is a pipe."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            main(arguments)
        said = capsys.readouterr()
        code = exited.value.code
        return Outcome(status=code if isinstance(code, int) else 0, out=said.out, err=said.err)

    return run


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """For a process of its own that finds the package, from whatever folder it runs in."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "gen/python")])}


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> Sequence[str]:
    """The `broker` of a process of its own."""
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    return [sys.executable, "-c", "from broker.cli.main import main; main()"]


@pytest.fixture(scope="session")
def target(probe_protoset: Path, environment: dict[str, str]) -> Iterator[str]:
    """The address of a probe that all tests share."""
    with _started([str(probe_protoset)], environment) as probe:
        yield probe.target


@pytest.fixture
def probe_process(probe_protoset: Path, environment: dict[str, str]) -> Iterator[Callable[..., ProbeProcess]]:
    """Starts a probe of the test's own, with a certificate and its key if they are given."""
    with ExitStack() as stack:

        def start(*pem: Path) -> ProbeProcess:
            arguments = [str(probe_protoset), *map(str, pem)]
            return stack.enter_context(_started(arguments, environment))

        yield start


@contextmanager
def _started(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[ProbeProcess]:
    command = [sys.executable, str(Path(__file__).with_name("serve_probe.py")), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield ProbeProcess(target=f"127.0.0.1:{int(process.stdout.readline())}", process=process)
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def terminal(command: Sequence[str]) -> Iterator[Callable[..., Terminal]]:
    """Starts the command on a terminal, with more environment."""
    opened: list[Terminal] = []

    def start(*arguments: str, **environment: str) -> Terminal:
        opened.append(Terminal.of([*command, *arguments], environment))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@dataclass(kw_only=True)
class Service:
    """A probe and a scripted model, in a thread of this process: the tests beside them may block."""

    config: Path
    probe: Probe
    model: ScriptedServer
    loop: asyncio.AbstractEventLoop

    def arrived(self) -> None:
        """Waits until a call has arrived in Wait."""
        self._wait(self.probe.waiting.acquire())

    def cancelled(self) -> None:
        """Waits until a call has seen its cancellation."""
        self._wait(self.probe.cancelled.acquire())

    def _wait(self, happens: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(happens, self.loop).result(60)


@pytest.fixture
def service(probe_protoset: Path, tmp_path: Path) -> Iterator[Service]:
    """A broker.yaml with both; Wait needs approval and has side effects, leases are short."""
    ready: Future[Service] = Future()
    ending = asyncio.Event()

    async def serve() -> None:
        probe = Probe(link(await Protoset(probe_protoset).load()))
        port = await probe.start()
        async with scripted_server() as model:
            config = _config(tmp_path, probe_protoset, port, model.base_url)
            loop = asyncio.get_running_loop()
            ready.set_result(Service(config=config, probe=probe, model=model, loop=loop))
            await ending.wait()
        await probe.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    service = ready.result(60)
    yield service
    service.loop.call_soon_threadsafe(ending.set)
    thread.join()


def _config(folder: Path, protoset: Path, port: int, base_url: str) -> Path:
    target = f"127.0.0.1:{port}"
    backend = {"target": target, "plaintext": True, "descriptors": {"protoset": str(protoset)}}
    settings = {
        "model": {"driver": "chat-completions", "name": "m", "base_url": base_url, "api_key": "none"},
        "backends": {"probe": backend},
        "tools": {"*.Wait": {"approval": "required", "read_only": False}},
        "state": {"lease": 0.5},
    }
    config = folder / "service.yaml"
    config.write_text(json.dumps(settings))
    return config
