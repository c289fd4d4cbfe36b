import re
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest

from broker.v1 import broker_pb2, broker_pb2_grpc


@pytest.fixture
def config(probe_protoset: Path, tmp_path: Path) -> Path:
    path = tmp_path / "broker.yaml"
    backend = f"{{target: '127.0.0.1:1', plaintext: true, descriptors: {{protoset: {probe_protoset}}}}}"
    path.write_text(f"server: {{grpc: '127.0.0.1:0', drain_delay: 10ms}}\nbackends: {{p: {backend}}}\n")
    return path


def test_the_service_says_where_it_is_and_drains_on_a_signal(command: Sequence[str], config: Path) -> None:
    process = subprocess.Popen([*command, "serve"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert '"method":"probe.v1.ProbeService.Talk","reason":' in process.stderr.readline()
    said = process.stderr.readline()
    found = re.fullmatch(r"broker: serving at (127\.0\.0\.1:\d+)\n", said)
    assert found is not None, said

    with grpc.insecure_channel(found[1]) as channel:
        listed = broker_pb2_grpc.BrokerServiceStub(channel).ListTools(broker_pb2.ListToolsRequest())
    process.send_signal(signal.SIGTERM)

    assert "probe_v1_ProbeService_Echo" in [tool.name for tool in listed.tools]
    assert process.wait() == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_config_may_be_checked_without_serving(run: Callable[..., Any], config: Path) -> None:
    good = run("serve", "--check", "--config", str(config))
    config.write_text("server: {grpc: '0.0.0.0:1'}")
    bad = run("serve", "--check")

    assert (good.status, good.out) == (0, f"{config}: is in order; backends: p\n")
    assert bad.status == 2
    assert bad.err.startswith("broker: broker.yaml:1:1: server: ")


def test_a_service_without_a_config_is_refused(run: Callable[..., Any]) -> None:
    outcome = run("serve")

    assert (outcome.status, outcome.err) == (
        2,
        "broker: broker.yaml: cannot be read: No such file or directory\n",
    )


def test_the_stand_in_says_where_it_is_and_ends_on_ctrl_c(command: Sequence[str]) -> None:
    process = subprocess.Popen(
        [*command, "stand-in"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.fullmatch(r"OPENAI_BASE_URL=(http://127\.0\.0\.1:\d+/v1)\n", said)
    assert found is not None, said

    body = {"model": "stand-in", "messages": [{"role": "user", "content": "hello"}]}
    answer = httpx2.post(f"{found[1]}/chat/completions", json=body)
    process.send_signal(signal.SIGINT)

    assert answer.json()["choices"][0]["message"]["role"] == "assistant"
    _, err = process.communicate()
    assert process.returncode == 130
    assert "rule-based" in err
    assert "Traceback" not in err
