import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HELLO = (
    'syntax = "proto3"; package hello.v1;\n'
    "message Name { string name = 1; }\n"
    "service S {\n  // Greets.\n  rpc Greet(Name) returns (Name);\n}\n"
)
LOCK = Path("broker.lock.json")


@pytest.fixture(autouse=True)
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.proto"
    path.write_text(HELLO)
    return path


def test_what_was_locked_and_did_not_change_passes(run: Callable[..., Any]) -> None:
    locked, checked = run("lock", "hello.proto"), run("lock", "hello.proto", "--check")

    assert (locked.status, locked.out) == (0, "")
    assert locked.err == "broker: broker.lock.json: 1 tool(s), 1 change(s), 0 breaking\n"
    assert (checked.status, checked.out) == (0, "")
    assert checked.err == "broker: broker.lock.json: 1 tool(s), nothing changed\n"


def test_a_change_fails_the_check_with_a_line_that_says_whether_it_breaks(
    run: Callable[..., Any], hello: Path
) -> None:
    run("lock", "hello.proto")
    before = LOCK.read_text()
    hello.write_text(HELLO.replace("string name = 1;", "string title = 2;").replace("Greets", "Hails"))

    outcome = run("lock", "hello.proto", "--check")

    assert outcome.status == 1
    assert outcome.out.splitlines() == [
        "breaking\thello.v1.S.Greet of hello.proto\targuments.name: is gone",
        "compatible\thello.v1.S.Greet of hello.proto\targuments.title: is new, and optional",
        'compatible\thello.v1.S.Greet of hello.proto\tis described as "Hails." now, was "Greets."',
    ]
    assert outcome.err == "broker: broker.lock.json: 1 tool(s), 3 change(s), 1 breaking\n"
    assert LOCK.read_text() == before, "--check writes nothing"


def test_machines_get_the_changes(run: Callable[..., Any], hello: Path) -> None:
    run("lock", "hello.proto", "--output", "other.json")
    hello.write_text(HELLO.replace("Greets", "Hails"))

    outcome = run("lock", "hello.proto", "--output", "other.json", "--check", "--json")

    assert outcome.status == 1
    assert json.loads(outcome.out) == [
        {
            "backend": "hello.proto",
            "full_name": "hello.v1.S.Greet",
            "breaks": False,
            "what": 'is described as "Hails." now, was "Greets."',
        }
    ]
    assert not LOCK.exists()


def test_there_is_nothing_to_check_without_a_lockfile(run: Callable[..., Any]) -> None:
    outcome = run("lock", "hello.proto", "--check")

    assert outcome.status == 2
    assert "does not exist; write it anew with `broker lock`" in outcome.err


def test_a_lockfile_is_repaired_by_writing_it_anew(run: Callable[..., Any]) -> None:
    LOCK.write_text("<<<<<<< a merge that was not settled")

    assert run("lock", "hello.proto", "--check").status == 2
    assert run("lock", "hello.proto").status == 0
    assert run("lock", "hello.proto", "--check").status == 0


def test_a_place_that_cannot_be_written_is_told_with_the_cure(run: Callable[..., Any]) -> None:
    outcome = run("lock", "hello.proto", "--output", "no/such/folder/lock.json")

    assert outcome.status == 2
    assert outcome.err.endswith("cannot be written: No such file or directory; name another with --output\n")


def test_methods_that_are_no_tools_are_told(run: Callable[..., Any], probe_protoset: Path) -> None:
    outcome = run("lock", str(probe_protoset))

    assert "broker: probe.v1.ProbeService.Collect of probe.binpb is not offered: " in outcome.err


def test_a_reflected_tool_that_changed_is_held_back_until_it_is_agreed_to(
    run: Callable[..., Any], target: str
) -> None:
    Path("broker.yaml").write_text(
        f"backends: {{p: {{target: '{target}', plaintext: true, descriptors: reflection}}}}\n"
        "lockfile: agreed.json\n"
        "tools: {probe.v1.ProbeService.Echo: {description: Says it again.}}\n"
    )
    missing = run("tools")
    agreed = run("lock")
    before = run("tools")
    config = Path("broker.yaml").read_text()
    Path("broker.yaml").write_text(config.replace("Says it again.", "Says it once more."))
    held = run("tools")
    called = run("call", "probe_v1_ProbeService_Echo", "{}")
    run("lock")
    after = run("tools")

    assert missing.status == 2
    assert missing.err.startswith("broker: broker.yaml:2:1: lockfile: the lockfile ")
    assert agreed.status == 0
    assert "probe_v1_ProbeService_Echo\tSays it again." in before.out
    assert "probe_v1_ProbeService_Echo\t" not in held.out
    assert "probe_v1_ProbeService_Fail\t" in held.out
    assert 'probe.v1.ProbeService.Echo of p is not offered: it is not as "agreed.json" has it' in held.err
    assert called.status == 64 + 5
    assert "probe_v1_ProbeService_Echo\tSays it once more." in after.out
