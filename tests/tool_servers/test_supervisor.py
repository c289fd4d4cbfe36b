"""`make servers`: one supervisor starts all tool servers, and stops them."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc.aio
import pytest

from tests.tool_servers.test_servers import SERVERS, environment, with_commands
from tests.tool_servers.toolchains import BUILT, ROOT
from tool_servers import supervisor
from tool_servers.serving import command

HERE = [name for name in SERVERS if name not in BUILT]
"""Those of other languages have tests of their own; here they would have to be built."""
MAKE = ("make", "--old-file=build-servers", "servers")
SCRIPT = ("bash", "tool_servers/servers.sh", "start")


class Supervised:
    """A running supervisor, and what it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    @property
    def addresses(self) -> dict[str, str]:
        """Where those servers listen that are ready, by name."""
        return dict(re.findall(r"(\w+) +\| \1: listening on (\S+)", self.said))

    @property
    def pids(self) -> list[int]:
        return [int(pid) for pid in re.findall(r" started \(pid=(\d+)\)", self.said)]

    @property
    def left(self) -> list[int]:
        """The servers that still run."""
        return [pid for pid in self.pids if _runs(pid)]

    async def read(self) -> None:
        """One more line."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line, self.said
        self.said += line.decode()

    async def ready(self) -> None:
        while len(self.addresses) < len(HERE):
            await self.read()

    async def end(self) -> int | None:
        """Its exit status."""
        rest, _ = await asyncio.wait_for(self.process.communicate(), 60)
        self.said += rest.decode()
        return self.process.returncode


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def supervised(folder: Path, *command: str, **settings: str) -> AsyncIterator[Supervised]:
    """In a process group of its own, as on a terminal; whatever is left of it is killed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=environment(with_commands(folder, "sh", "make", "find", "sort")) | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        # Without a terminal it may be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    running = Supervised(process)
    try:
        yield running
    finally:
        for pid in (process.pid, *running.left):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        await process.wait()


async def test_all_that_can_be_started_serve_with_logs_by_name_until_they_are_told_to_stop(
    tmp_path: Path,
) -> None:
    async with supervised(tmp_path, *SCRIPT) as servers:
        await servers.ready()
        for address in servers.addresses.values():
            async with grpc.aio.insecure_channel(address) as channel:
                await asyncio.wait_for(channel.channel_ready(), 30)
        servers.process.send_signal(signal.SIGTERM)

        assert await servers.end() == 0
        assert sorted(servers.addresses) == sorted(HERE)
        stopped = re.findall(r"(\w+) stopped \(rc=0\)", servers.said)
        assert sorted(stopped) == sorted(HERE)
        assert servers.left == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_make_leaves_no_server_behind_that_is_told_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with supervised(tmp_path, *MAKE) as servers:
        await servers.ready()
        if number == signal.SIGTERM:
            servers.process.send_signal(number)
        else:
            # A terminal tells all that runs in it: by Ctrl-C, or when it is closed.
            os.killpg(servers.process.pid, number)

        assert await servers.end() == -number
        assert len(servers.pids) == len(HERE) + 1
        assert servers.left == []


async def test_no_server_is_left_behind_when_nobody_reads_what_they_say_any_more(tmp_path: Path) -> None:
    async with supervised(tmp_path, *SCRIPT) as servers:
        await servers.ready()
        transport = servers.process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()
        servers.process.send_signal(signal.SIGHUP)

        assert await asyncio.wait_for(servers.process.wait(), 60) == 0
        assert servers.left == []


async def test_servers_that_are_being_started_can_be_stopped(tmp_path: Path) -> None:
    async with supervised(tmp_path, *SCRIPT) as servers:
        while not servers.pids:
            await servers.read()
        os.killpg(servers.process.pid, signal.SIGINT)

        assert await servers.end() == 0
        assert "Traceback" not in servers.said
        assert servers.left == []


def test_no_server_is_killed_while_it_waits_for_its_calls() -> None:
    assert command.parser("weather", None, port=0).get_default("grace") < supervisor.KILL_AFTER


async def test_one_that_ends_by_itself_ends_all_and_is_named_last_with_its_last_words(tmp_path: Path) -> None:
    async with supervised(tmp_path, *SCRIPT, ADDRESS_MAIL="nowhere") as servers:
        assert await servers.end() == 2
        *_, last = servers.said.splitlines()
        assert last.startswith(
            "servers: mail stopped (rc=2), so the others were stopped too; it said last: mail: "
        )
        assert "nowhere" in last
        assert servers.left == []
