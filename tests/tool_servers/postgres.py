"""A PostgreSQL of its own for the tests: made in a temporary folder, on a free port of loopback."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_ATTEMPTS = 3


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database as its owner; skips where there is no PostgreSQL, but fails in CI."""
    initdb = _program("initdb")
    if initdb is None:
        reason = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        user = _user()
        if user is not None:
            shutil.chown(folder, user)
        _run(initdb, "-D", folder / "data", "-U", "owner", "--auth=trust", "--no-sync", "-E", "UTF8")
        port = _started(folder)
        try:
            yield f"postgresql://owner@127.0.0.1:{port}/postgres"
        finally:
            _run(_program("pg_ctl"), "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _started(folder: Path) -> int:
    for attempt in range(_ATTEMPTS):
        # PostgreSQL takes no port 0; between this and its start somebody else may take the port.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -F"
        log = folder / "log"
        try:
            _run(_program("pg_ctl"), "-D", folder / "data", "-l", log, "-o", options, "-w", "start")
        except subprocess.CalledProcessError as error:
            if attempt == _ATTEMPTS - 1:
                raise AssertionError(log.read_text()) from error
        else:
            return port
    raise AssertionError("unreachable")


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([*map(str, _FOLDERS), os.environ["PATH"]]))


def _user() -> str | None:
    """PostgreSQL does not run as root; its package brings a user for it."""
    return "postgres" if os.geteuid() == 0 else None


def _run(*command: object) -> None:
    subprocess.run(
        [str(each) for each in command], check=True, user=_user(), cwd="/", stdout=subprocess.DEVNULL
    )
