import json
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from broker.schema.profiles import PROFILES

NAMES = [
    f"probe_v1_ProbeService_{name}"
    for name in ("Echo", "Fail", "Flaky", "Wait", "Count", "Garbage", "Dangerous")
]


def test_a_protoset_is_listed_without_a_server(run: Callable[..., Any], probe_protoset: Path) -> None:
    outcome = run("tools", str(probe_protoset))

    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [*NAMES, "probe_alias"]
    assert (
        lines[0]
        == "probe_v1_ProbeService_Echo\tAnswers with what it was sent.\ttext: string, number?: integer"
    )


def test_a_proto_is_listed_without_a_server(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "hello.proto").write_text(
        'syntax = "proto3"; package hello.v1;\n'
        "service HelloService { rpc Greet(GreetRequest) returns (GreetResponse); }\n"
        "enum Tone { WARM = 0; COLD = 1; }\n"
        "message GreetRequest { repeated string names = 1; Tone tone = 2; }\n"
        "message GreetResponse {}\n"
    )

    outcome = run("tools", "hello.proto")

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith("hello_v1_HelloService_Greet\t")
    assert outcome.out.endswith("\tnames?: string[], tone?: WARM|COLD\n")


def test_a_proto_that_does_not_compile_shows_the_compilers_own_line(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bad.proto").write_text('syntax = "proto3";\nmessage A { strin a = 1; }\n')

    outcome = run("tools", "bad.proto")

    assert outcome.status == 2
    assert 'bad.proto:2:13: "strin" is not defined.' in outcome.err


def test_a_reflected_server_is_listed_as_grpcurl_would_be_asked(run: Callable[..., Any], target: str) -> None:
    outcome = run("tools", target, "-plaintext")

    assert outcome.status == 0
    assert [line.split("\t")[0] for line in outcome.out.splitlines()] == [
        *NAMES,
        "probe_v1_ProbeService_Renamed",
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_machines_get_the_definitions_in_the_profile_they_ask_for(
    run: Callable[..., Any], probe_protoset: Path, profile: str
) -> None:
    outcome = run("tools", str(probe_protoset), "--json", "--profile", profile)

    definitions = json.loads(outcome.out)
    functions = [each.get("function", each) for each in definitions]
    assert [each["name"] for each in functions] == [*NAMES, "probe_alias"]


def test_an_unknown_profile_names_the_nearest(run: Callable[..., Any], probe_protoset: Path) -> None:
    outcome = run("tools", str(probe_protoset), "--profile", "opnai")

    assert outcome.status == 2
    assert outcome.err == 'broker: --profile: "opnai" is not known; did you mean "openai"?\n'


def test_a_config_says_which_tools_there_are(
    run: Callable[..., Any], probe_protoset: Path, tmp_path: Path
) -> None:
    (tmp_path / "broker.yaml").write_text(
        f"backends: {{p: {{target: 'a:1', descriptors: {{protoset: {probe_protoset}}}}}}}\n"
        "tools: {probe.v1.ProbeService.Echo: {description: Says it again.}}\n"
    )

    outcome = run("tools")

    assert outcome.status == 0
    assert "probe_v1_ProbeService_Echo\tSays it again.\t" in outcome.out


def test_a_config_that_is_wrong_is_refused_with_its_lines(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "broker.yaml").write_text("tols: {}\nchat: {max_turn: 3}\n")

    outcome = run("tools")

    assert outcome.status == 2
    assert outcome.err.splitlines() == [
        'broker: broker.yaml:1:1: tols: unknown key; did you mean "tools"?',
        'broker: broker.yaml:2:8: chat.max_turn: unknown key; did you mean "max_turns"?',
    ]


def test_a_server_that_is_not_there_is_named(run: Callable[..., Any]) -> None:
    outcome = run("tools", "127.0.0.1:1", "-plaintext", "-connect-timeout", "2")

    assert outcome.status == 2
    assert 'broker: backend "127.0.0.1:1": ' in outcome.err
    assert "Traceback" not in outcome.err


def test_a_server_without_tls_is_told_in_one_line(command: Sequence[str], target: str) -> None:
    asked = subprocess.run([*command, "tools", target], capture_output=True, text=True, check=False)

    assert asked.returncode == 2
    (line,) = asked.stderr.splitlines()
    assert line.startswith(f'broker: backend "{target}": ')
    assert "plaintext" in line


def test_methods_that_are_no_tools_are_told_on_stderr(run: Callable[..., Any], probe_protoset: Path) -> None:
    outcome = run("tools", str(probe_protoset))

    assert "broker: probe.v1.ProbeService.Collect of probe.binpb is not offered: " in outcome.err


def test_time_that_is_up_has_the_status_of_a_deadline(run: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"127.0.0.1:{silent.getsockname()[1]}"

        outcome = run("tools", target, "-plaintext", "-max-time", "0.1")

    assert outcome.status == 64 + 4
    assert outcome.err == "broker: gave up after 0.1 s, as -max-time says\n"
