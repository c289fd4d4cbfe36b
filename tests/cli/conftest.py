"""The `broker` command, in this process and in its own; and a real service for it to talk to."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.cli.main import main

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
