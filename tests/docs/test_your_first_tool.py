"""What docs/your-first-tool.md shows works: its files and commands make a tool from nothing."""

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.docs.your_first_tool import CALLS, CONTRACT, LANGUAGES, PAGE, REFLECTION, SERVERS, Section

BIN = Path(sys.executable).parent
TOOLCHAINS = {"Python": (), "Go": ("go",), "TypeScript": ("node", "npm"), "Java": ("javac", "mvn")}
REFLECTING = ("Python", "Go")
PORT = "50061"
"""The port on the page. A server is given 0 in its place, and the commands the port that it then has."""


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """A language whose toolchain is installed; without it the test is skipped, but fails in CI."""
    name: str = request.param
    missing = [program for program in TOOLCHAINS[name] if shutil.which(program) is None]
    if missing:
        reason = f"the server in {name} needs {' and '.join(missing)}, which is not on the path"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return name


async def test_an_empty_folder_becomes_a_tool_that_a_model_calls(language: str, tmp_path: Path) -> None:
    folder = tmp_path / "parcels"
    server = SERVERS[language]
    write(CONTRACT, folder)
    await try_commands(CONTRACT, folder)

    write(server, folder, "0")
    for script in server.scripts:
        status, output = await run(script, folder)
        assert status == 0, output
    async with started(server, folder) as port:
        write(CONTRACT, folder, port)
        await try_commands(CALLS, folder, port)
        if language in REFLECTING:
            await try_commands(REFLECTION, folder, port)


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_tool_takes_fewer_than_sixty_lines_with_its_contract(name: str) -> None:
    assert CONTRACT.files
    assert SERVERS[name].files
    assert CONTRACT.lines + SERVERS[name].lines < 60


def test_the_page_says_how_many_lines_there_are_to_write() -> None:
    said = re.findall(r"^\| \[?([\w ]*\w)[ \]].*\| (\d+) \| (\d*) ?\|", PAGE, re.MULTILINE)

    counted = [(name, str(own.lines), str(CONTRACT.lines + own.lines)) for name, own in SERVERS.items()]
    assert said == [("for every language", str(CONTRACT.lines), ""), *counted]


def test_the_page_names_each_file_that_is_to_be_written() -> None:
    table = re.findall(r"^\| .*`.*\|$", PAGE, re.MULTILINE)

    for row, section in zip(table, (CONTRACT, *SERVERS.values()), strict=True):
        assert re.findall(r"`([^`]+)`", row) == [Path(name).name for name in section.files]


def write(section: Section, folder: Path, port: str = PORT) -> None:
    for name, text in section.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace(PORT, port))


async def try_commands(section: Section, folder: Path, port: str = PORT) -> None:
    """Runs the commands of a section one by one, and compares what they print with what is shown."""
    commands = list(section.commands)
    assert commands
    for command, shown in commands:
        _, output = await run(command.replace(PORT, port), folder)
        # An answer goes to stdout and the calls to stderr, so that their order in one pipe is not certain.
        missing = [line for line in shown.splitlines() if not re.search(pattern(line), output, re.MULTILINE)]
        assert missing == [], f"$ {command}\n{output}"
        assert len(output.splitlines()) == len(shown.splitlines()), f"$ {command}\n{output}"


def pattern(shown: str) -> str:
    """A line as it is shown, in which "…" stands for whatever the day and the machine make of it."""
    return f"^{'.*'.join(map(re.escape, shown.split('…')))}$"


async def run(script: str, folder: Path) -> tuple[int | None, str]:
    """The exit status of a script, and what it printed."""
    process = await shell(script, folder)
    async with ended(process):
        output, _ = await asyncio.wait_for(process.communicate(), 600)
    return process.returncode, output.decode()


@asynccontextmanager
async def started(section: Section, folder: Path) -> AsyncIterator[str]:
    """Starts the server by the last command of its section, and gives its port once it is ready."""
    *_, (command, shown) = section.commands
    process = await shell(f"exec {command}", folder)
    async with ended(process):
        yield await asyncio.wait_for(port_of(process, shown), 300)


async def port_of(process: asyncio.subprocess.Process, shown: str) -> str:
    """The port in the line by which a server says that it is ready."""
    assert process.stdout is not None
    printed = ""
    async for line in process.stdout:
        ready = re.search(re.escape(shown).replace(PORT, r"(\d+)"), line.decode())
        if ready is not None:
            return ready[1]
        printed += line.decode()
    raise AssertionError(f"the server ended before it was ready, and printed: {printed}")


@asynccontextmanager
async def ended(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """Ends a process that is still running, and all that it started."""
    try:
        yield
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            await asyncio.wait_for(process.communicate(), 30)


async def shell(script: str, folder: Path) -> asyncio.subprocess.Process:
    unset = ("OPENAI_API_KEY", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    return await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=folder,
        env=environment | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
