"""The tool servers as `make servers` starts them: processes of their own, in whatever language."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.tool_servers.process import inherited
from tests.tool_servers.toolchains import BUILT, need

ROOT = Path(__file__).parents[2]
_COMMANDS = dict(re.findall(r"^([a-z-]+): (.+)$", (ROOT / "tool_servers/Procfile").read_text(), re.MULTILINE))


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A running tool server."""

    address: str
    process: asyncio.subprocess.Process
    file: Path

    @property
    def log(self) -> str:
        """What it has said on stderr so far."""
        return self.file.read_text()

    def received(self, method: str, code: str = "OK") -> int:
        """How many calls of a method it has answered with this code, as its log has them.

        The line of a call is written after its answer: only once the server has stopped are all lines there.
        """
        return len(re.findall(rf"method={method} code={code} ", self.log))

    async def stop(self) -> None:
        """Stops it as an operator does, and waits for its end."""
        self.process.terminate()
        await self.process.wait()

    async def kill(self) -> None:
        """Kills it, by its process id, and waits until it is gone."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def running(name: str, folder: Path, *arguments: str, **environment: str) -> AsyncIterator[Backend]:
    """The command of the Procfile with more arguments, ready, on a free port; its log is in the folder."""
    if name in BUILT:
        need(name)
    file = folder / f"{name}.log"
    with file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", f"{_COMMANDS[name]} {shlex.join(arguments)}"),
            cwd=ROOT,
            env=_environment(name) | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        fact, _, address = (await process.stdout.readline()).decode().strip().rpartition(" ")
        assert fact == f"{name}: listening on", file.read_text()
        yield Backend(address=address, process=process, file=file)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _environment(name: str) -> dict[str, str]:
    """That of `make servers`, which finds our Python first; and a free port."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    stubs = {"PATH": path, "PYTHONPATH": "gen/python"}
    return inherited() | stubs | {f"ADDRESS_{name.upper()}": "127.0.0.1:0"}
