import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.schema.profiles import PROFILES

HELLO = (
    'syntax = "proto3"; package hello.v1;\n'
    "message Name { string name = 1; }\n"
    "service S {\n  // Greets.\n  rpc Greet(Name) returns (Name);\n  rpc Bare(Name) returns (Name);\n}\n"
)
UNCOMMENTED = 'has 1 field(s) without a comment, "Name.name"'


@pytest.fixture(autouse=True)
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.proto"
    path.write_text(HELLO)
    return path


def test_findings_are_lines_in_a_pipe_and_the_summary_is_on_stderr(run: Callable[..., Any]) -> None:
    outcome = run("check", "hello.proto")

    assert outcome.status == 0
    assert outcome.out.splitlines() == [
        "warning\thello_v1_S_Bare\thas no description\twrite a comment above its rpc",
        f"note\thello_v1_S_Greet\t{UNCOMMENTED}\twrite a comment above each field",
        f"note\thello_v1_S_Bare\t{UNCOMMENTED}\twrite a comment above each field",
    ]
    assert outcome.err.startswith("broker: 2 tool(s): 0 error(s), 1 warning(s), 2 note(s); tokens: ")


def test_an_error_is_exit_status_1(run: Callable[..., Any], hello: Path) -> None:
    hello.write_text(HELLO.replace("rpc Bare(Name)", "rpc Bare(stream Name)"))

    outcome = run("check", "hello.proto")

    assert outcome.status == 1
    assert outcome.out.startswith(
        'error\thello.v1.S.Bare\tof backend "hello.proto" is not offered: it takes a stream'
    )


def test_machines_get_findings_and_costs(run: Callable[..., Any]) -> None:
    outcome = run("check", "hello.proto", "--json")

    report = json.loads(outcome.out)
    assert outcome.status == 0
    assert report["findings"][0] == {
        "severity": "warning",
        "tool": "hello_v1_S_Bare",
        "what": "has no description",
        "cure": "write a comment above its rpc",
    }
    assert [cost["tool"] for cost in report["costs"]] == ["hello_v1_S_Greet", "hello_v1_S_Bare"]
    assert all(set(cost["tokens"]) == set(PROFILES) for cost in report["costs"])


def test_a_finding_that_is_about_all_tools_names_none(run: Callable[..., Any], hello: Path) -> None:
    more = "".join(f"  rpc Bare{n}(Name) returns (Name);\n" for n in range(50))
    hello.write_text(HELLO.replace("  rpc Bare(", f"{more}  rpc Bare("))

    outcome = run("check", "hello.proto")

    assert "note\t\t52 tools; with more than 50, models choose worse\t" in outcome.out
