"""What keeps the broker from starting is told with file, line, key and cure; the exit status is 2."""

import subprocess
import sys
from pathlib import Path

import pytest

BROKER = Path(sys.executable).parent / "broker"
HELLO = """\
syntax = "proto3";
package hello.v1;
service HelloService { rpc Greet(Name) returns (Name); rpc Part(Name) returns (Name); }
message Name { string name = 1; }
"""
BACKEND = '{target: "localhost:1", plaintext: true, descriptors: {protos: [hello.proto]}}'


def run(folder: Path, config: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "hello.proto").write_text(HELLO)
    (folder / "bad.proto").write_text("message {")
    (folder / "garbage.pem").write_text("garbage")
    (folder / "broker.yaml").write_text(config)
    return subprocess.run(
        [BROKER, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("command", [("serve",), ("serve", "--check")], ids=" ".join)
@pytest.mark.parametrize(
    ("config", "told"),
    [
        pytest.param(
            f"backends:\n  one: {BACKEND}\n  two: {BACKEND}\n",
            ["broker.yaml:3:3: backends.two: ", '"hello.v1.HelloService.Greet" of backend "one"', "`prefix`"],
            id="two methods of one name",
        ),
        pytest.param(
            f"backends:\n  one: {BACKEND}\ntools:\n  hello.v1.HelloService.Gret: {{approval: required}}\n",
            ["broker.yaml:4:3: tools.", 'did you mean "hello.v1.HelloService.Greet"?'],
            id="a pattern that fits nothing",
        ),
        pytest.param(
            f"backends:\n  one: {BACKEND.replace('hello.proto', 'bad.proto')}\n",
            ["broker.yaml:2:", "backends.one.descriptors", "bad.proto:1:9"],
            id="a proto that does not compile",
        ),
        pytest.param(
            f"model: {{driver: chat-completions, api_key: k}}\nbackends:\n  one: {BACKEND}\n",
            ["broker.yaml:1:", '"name" is missing'],
            id="a model without a name",
        ),
        pytest.param(
            f"server: {{tls: {{cert: garbage.pem, key: garbage.pem}}}}\nbackends:\n  one: {BACKEND}\n",
            ["broker.yaml:1:10: server.tls: ", "no certificate and its private key"],
            id="a certificate that is none",
        ),
        pytest.param(
            f'server: {{grpc: "0.0.0.0:50050"}}\nbackends:\n  one: {BACKEND}\n',
            ["broker.yaml:1:", "there is no TLS"],
            id="a public listener without TLS",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    tmp_path: Path, config: str, told: list[str], command: tuple[str, ...]
) -> None:
    done = run(tmp_path, config, *command)

    assert done.returncode == 2, done.stderr
    for words in told:
        assert words in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_in_order_is_said_to_be(tmp_path: Path) -> None:
    done = run(tmp_path, f"backends:\n  one: {BACKEND}\n", "serve", "--check")

    assert (done.returncode, done.stdout.strip()) == (0, "broker.yaml: is in order; backends: one")
