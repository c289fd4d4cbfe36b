"""What somebody at a terminal sees: each test runs the command on a terminal of its own."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.terminals import Terminal, plain

ECHO = "probe_v1_ProbeService_Echo"


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
