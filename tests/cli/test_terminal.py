"""What somebody at a terminal sees: each test runs the command on a terminal of its own."""

import os
import re
import select
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ECHO = "probe_v1_ProbeService_Echo"


@dataclass(kw_only=True)
class Terminal:
    """A terminal with a command at work in it."""

    process: "subprocess.Popen[bytes]"
    file: int
    screen: bytes = b""
    seen: int = field(default=0)

    def wait_for(self, text: str) -> None:
        """Reads until the text is shown, after what was waited for before."""
        while (place := self.screen.find(text.encode(), self.seen)) < 0:
            assert self._read(), f"the command ended without {text!r}:\n{self.screen.decode()}"
        self.seen = place + len(text.encode())

    def interrupt(self, answer: str) -> None:
        """Ctrl-C until it is answered: Python loses one that comes just before it waits for a key."""
        while answer.encode() not in self.screen[self.seen :]:
            self.process.send_signal(signal.SIGINT)
            while select.select([self.file], [], [], 0.5)[0] and self._read():
                pass
        self.wait_for(answer)

    def end(self) -> str:
        """Reads all that is shown until the command ends."""
        while self._read():
            pass
        self.process.wait()
        return self.screen.decode()

    def type(self, keys: str) -> None:
        """What the user types."""
        os.write(self.file, keys.encode())

    def _read(self) -> bool:
        readable, _, _ = select.select([self.file], [], [], 60)
        assert readable, f"nothing more is shown:\n{self.screen.decode()}"
        try:
            read = os.read(self.file, 65_536)
        except OSError:  # Linux says so when nobody has the terminal open any more
            return False
        self.screen += read
        return bool(read)


def plain(screen: str) -> str:
    """What is shown, without how it looks."""
    return re.sub(r"\x1b\[[0-9;]*m", "", screen)


@pytest.fixture
def terminal(command: Sequence[str]) -> Iterator[Callable[..., Terminal]]:
    """Starts the command on a terminal, with more environment."""
    opened: list[Terminal] = []

    def start(*arguments: str, **environment: str) -> Terminal:
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"} | environment,
            start_new_session=True,
        )
        os.close(theirs)
        opened.append(Terminal(process=process, file=ours))
        return opened[-1]

    yield start
    for each in opened:
        each.process.kill()
        each.process.wait()
        os.close(each.file)


def test_tools_are_a_table(terminal: Callable[..., Terminal], probe_protoset: Path) -> None:
    screen = terminal("tools", str(probe_protoset)).end()

    assert "┃ tool " in plain(screen)
    assert "Answers with what it was sent." in screen
    assert "\x1b[1m" in screen


def test_findings_and_costs_are_tables(terminal: Callable[..., Terminal], tmp_path: Path) -> None:
    file = tmp_path / "hello.proto"
    file.write_text('syntax = "proto3"; message M {} service S { rpc Greet(M) returns (M); }')
    screen = terminal("check", "hello.proto").end()

    assert re.search(r"warning .* S_Greet .* has no description .* write a comment above", plain(screen))
    assert re.search(r"┃ tokens of .* openai", plain(screen))
    assert "\x1b[33m" in screen


def test_no_color_is_kept(terminal: Callable[..., Terminal], probe_protoset: Path) -> None:
    screen = terminal("tools", str(probe_protoset), NO_COLOR="1").end()

    assert "┃ tool " in plain(screen)
    assert not re.search(r"\x1b\[3\d", screen)


def test_a_result_is_indented(terminal: Callable[..., Terminal], target: str) -> None:
    screen = terminal("call", target, "-plaintext", ECHO, '{"text": "北京"}', NO_COLOR="1").end()

    assert '{\r\n  "text": "北京",\r\n' in plain(screen)


def test_a_conversation_ends_with_ctrl_d(terminal: Callable[..., Terminal], target: str) -> None:
    screen = terminal("chat", target, "-plaintext")
    screen.wait_for("> ")
    screen.type('Echo the text "hello"\n')
    screen.wait_for(f"✓ {ECHO}")
    screen.wait_for("> ")
    screen.type("\x04")

    screen.end()
    assert screen.process.returncode == 0


def test_a_conversation_outlives_a_model_that_cannot_be_reached(
    terminal: Callable[..., Terminal], target: str
) -> None:
    screen = terminal("chat", target, "-plaintext", "--base-url", "http://127.0.0.1:1/v1", "--model", "m")
    screen.wait_for("> ")
    screen.type("hello\n")
    screen.wait_for("broker: ")
    screen.wait_for("> ")
    screen.type("\n")
    screen.wait_for("> ")
    screen.type("\x04")

    screen.end()
    assert screen.process.returncode == 0


def test_ctrl_c_cancels_the_turn_and_not_the_conversation(
    terminal: Callable[..., Terminal], probe_process: Callable[..., Any]
) -> None:
    probe = probe_process()
    screen = terminal("chat", probe.target, "-plaintext")
    screen.wait_for("> ")
    screen.type('Wait with the text "hello"\n')
    assert probe.next_word() == "waiting"
    screen.process.send_signal(signal.SIGINT)
    assert probe.next_word() == "cancelled"
    screen.wait_for("the turn was cancelled")
    screen.wait_for("> ")
    screen.type('Echo the text "hello"\n')
    screen.wait_for(f"✓ {ECHO}")
    screen.wait_for("> ")
    screen.type("\x04")

    screen.end()
    assert screen.process.returncode == 0


def test_ctrl_c_at_the_prompt_says_how_to_end(terminal: Callable[..., Terminal], target: str) -> None:
    screen = terminal("chat", target, "-plaintext")
    screen.wait_for("> ")
    screen.interrupt("Ctrl-D ends the conversation")
    screen.wait_for("> ")
    screen.type("\x04")

    screen.end()
    assert screen.process.returncode == 0
