"""A conversation from end to end: `broker chat` in a process, running tool servers, a scripted model."""

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conversations import backends, page
from tests.conversations.backends import ROOT, Backend
from tests.models.scripted_server import ScriptedServer, scripted_server

WAITS = 3
"""The exit status of a command that left calls undecided."""


@dataclass(kw_only=True)
class Talk:
    """What was said so far, and to whom."""

    folder: Path
    model: ScriptedServer
    stack: AsyncExitStack
    settings: dict[str, Any]
    """broker.yaml."""
    transcript: str = ""
    """Each command, and what it showed."""

    async def start(self, name: str, *arguments: str, **environment: str) -> Backend:
        """Starts a tool server, which broker.yaml names from now on."""
        process = backends.running(name, self.folder, *arguments, **environment)
        backend = await self.stack.enter_async_context(process)
        self.settings["backends"][name] = page.settings()["backends"][name] | {"target": backend.address}
        self._write()
        return backend

    def ask_the_stand_in(self) -> None:
        """From now on the rule-based stand-in answers, and not the script."""
        del self.settings["model"]
        self._write()

    async def chat(self, *arguments: str, status: int = 0) -> str:
        """`broker chat ARGUMENTS` in the folder of broker.yaml; returns what it shows, stderr included."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from broker.cli.main import main; main()", "chat", *arguments),
            cwd=self.folder,
            env=_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            shown = (await process.communicate())[0].decode()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.transcript += f"$ broker chat {' '.join(map(_quoted, arguments))}\n{shown}"
        assert process.returncode == status, shown
        return shown

    def _write(self) -> None:
        (self.folder / "broker.yaml").write_text(json.dumps(self.settings))


@asynccontextmanager
async def talk(folder: Path) -> AsyncIterator[Talk]:
    """A conversation in this folder, with the settings of the page, and as yet without tools."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(scripted_server())
        (folder / "protos").symlink_to(ROOT / "protos")
        model_settings = {"driver": "chat-completions", "name": "scripted", "base_url": model.base_url}
        settings = page.settings() | {"backends": {}, "model": model_settings | {"api_key": "none"}}
        yield Talk(folder=folder, model=model, stack=stack, settings=settings)


def _quoted(argument: str) -> str:
    """As somebody types it: words in another script need quotes, options and names do not."""
    return argument if shlex.quote(argument) == argument else f'"{argument}"'


def _environment() -> dict[str, str]:
    """That finds the package, and in which nobody's own wishes count."""
    ours = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    theirs = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "MODEL", "BROKER_DEBUG")
    return {key: value for key, value in os.environ.items() if key not in theirs} | ours
