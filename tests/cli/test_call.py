import io
import json
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme

ECHO = "probe_v1_ProbeService_Echo"


@pytest.mark.parametrize(
    "name",
    [ECHO, "probe.v1.ProbeService.Echo", "probe.v1.ProbeService/Echo"],
    ids=["tool", "full name", "path"],
)
def test_a_call_shows_the_result_as_json(run: Callable[..., Any], target: str, name: str) -> None:
    outcome = run("call", target, "-plaintext", name, '{"text": "北京", "number": 3}')

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.count("\n") == 1
    result = json.loads(outcome.out)
    assert (result["text"], result["number"]) == ("北京", 3)


def test_the_service_may_be_given_by_flags_and_by_a_config(
    run: Callable[..., Any], target: str, probe_protoset: Path, tmp_path: Path
) -> None:
    backend = f"{{target: '{target}', plaintext: true, descriptors: {{protoset: {probe_protoset}}}}}"
    (tmp_path / "my.yaml").write_text(f"backends: {{p: {backend}}}")

    flags = run(
        "call", ECHO, '{"text": "a"}', "--target", target, "-plaintext", "-protoset", str(probe_protoset)
    )
    config = run("call", ECHO, '{"text": "a"}', "-c", "my.yaml")

    assert json.loads(flags.out)["text"] == json.loads(config.out)["text"] == "a"


@pytest.mark.parametrize("way", ["-d", "@file", "-", "@"])
def test_the_json_may_come_from_a_flag_a_file_or_standard_input(
    run: Callable[..., Any],
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    way: str,
) -> None:
    text = '{"text": "hello"}'
    (tmp_path / "arguments.json").write_text(text)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    given = {"-d": ["-d", text], "@file": ["@arguments.json"], "-": ["-"], "@": ["-d", "@"]}[way]

    outcome = run("call", target, "-plaintext", ECHO, *given)

    assert json.loads(outcome.out)["text"] == "hello"


def test_metadata_and_the_deadline_reach_the_service(run: Callable[..., Any], target: str) -> None:
    outcome = run(
        *("call", target, "-plaintext", "-H", "X-Team: blue", "-max-time", "5", ECHO, '{"text": "a"}')
    )

    result = json.loads(outcome.out)
    assert "x-team=blue" in result["metadata"]
    assert 0 < result["time_remaining"] <= 5


@pytest.mark.parametrize(
    ("code", "name"), [(5, "NOT_FOUND"), (7, "PERMISSION_DENIED"), (16, "UNAUTHENTICATED")]
)
def test_a_failed_call_exits_with_64_and_the_status_code(
    run: Callable[..., Any], target: str, code: int, name: str
) -> None:
    arguments = json.dumps({"code": code, "message": "no luck"})

    outcome = run("call", target, "-plaintext", "probe_v1_ProbeService_Fail", arguments)

    assert (outcome.status, outcome.out) == (64 + code, "")
    assert outcome.err.startswith(f"broker: {name}: ")
    assert "no luck" in outcome.err


@pytest.mark.parametrize(
    ("name", "text", "status", "told"),
    [
        ("probe_v1_ProbeService_Ecko", "{}", 64 + 5, ECHO),
        (ECHO, '{"txt": "a"}', 64 + 3, "text"),
        (ECHO, "{", 64 + 3, "cut off"),
    ],
)
def test_a_call_that_cannot_be_understood_is_not_sent(
    run: Callable[..., Any], probe_protoset: Path, name: str, text: str, status: int, told: str
) -> None:
    outcome = run("call", "127.0.0.1:1", "-plaintext", "-protoset", str(probe_protoset), name, text)

    assert outcome.status == status
    assert told in outcome.err


def test_a_service_that_is_down_has_the_status_unavailable(
    run: Callable[..., Any], probe_protoset: Path
) -> None:
    outcome = run(
        "call", "127.0.0.1:1", "-plaintext", "-protoset", str(probe_protoset), ECHO, '{"text": "a"}'
    )

    assert outcome.status == 64 + 14


def test_time_that_is_up_has_the_status_of_a_deadline(
    run: Callable[..., Any], probe_process: Callable[..., Any]
) -> None:
    probe = probe_process()

    outcome = run(
        *("call", probe.target, "-plaintext", "-max-time", "1", "probe_v1_ProbeService_Wait", '{"text": "a"}')
    )

    assert outcome.status == 64 + 4
    assert [probe.next_word(), probe.next_word()] == ["waiting", "cancelled"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Missing argument"),
        (["a:1"], "takes a tool's NAME and at most one JSON text"),
        (["name", "{}", "{}"], "takes a tool's NAME and at most one JSON text"),
        (["name", "{}", "-d", "{}"], "takes a tool's NAME and at most one JSON text"),
        (["name", "@nowhere.json"], "nowhere.json cannot be read"),
    ],
)
def test_arguments_that_make_no_call_are_a_usage_error(
    run: Callable[..., Any], arguments: list[str], problem: str
) -> None:
    outcome = run("call", *arguments)

    assert outcome.status == 2
    assert problem in outcome.err


def test_a_server_with_tls_is_reached_with_its_authority(
    run: Callable[..., Any], probe_process: Callable[..., Any], tmp_path: Path
) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("probe.internal")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    target = probe_process(tmp_path / "cert.pem", tmp_path / "key.pem").target

    outcome = run("call", target, "-cacert", "ca.pem", "-servername", "probe.internal", ECHO, '{"text": "a"}')

    assert (outcome.status, json.loads(outcome.out)["text"]) == (0, "a")


def test_a_reflected_method_that_takes_a_stream_is_given_a_list(run: Callable[..., Any], target: str) -> None:
    arguments = '{"messages": [{"text": "a"}, {"text": "b"}]}'

    outcome = run("call", target, "-plaintext", "probe.v1.ProbeService/Collect", arguments)

    assert (outcome.status, json.loads(outcome.out)["text"]) == (0, "a,b")


def test_verbose_logs_the_call_to_stderr(run: Callable[..., Any], target: str) -> None:
    outcome = run("call", target, "-plaintext", "-v", ECHO, '{"text": "hello"}')

    assert json.loads(outcome.out)["text"] == "hello"
    assert "probe.v1.ProbeService.Echo" in outcome.err
    assert "hello" in outcome.err


def test_ctrl_c_cancels_the_call_at_the_service(
    command: Sequence[str], probe_process: Callable[..., Any]
) -> None:
    probe = probe_process()
    arguments = ["call", probe.target, "-plaintext", "probe_v1_ProbeService_Wait", '{"text": "a"}']
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    assert probe.next_word() == "waiting"
    process.send_signal(signal.SIGINT)

    assert probe.next_word() == "cancelled"
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
