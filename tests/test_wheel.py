"""The wheel, installed alone in an empty environment, does what its users need first."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # The build backend is installed already, at the version that pyproject.toml pins.
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `broker` command of an environment that has the wheel and what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", str(REPOSITORY / "constraints.txt"), str(wheel)], check=True)
    return folder / "bin" / "broker"


def run(command: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Neither the checkout nor a key of the user's may help.
    hidden = ("PYTHONPATH", "OPENAI_API_KEY", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_wheel_holds_the_package_and_its_protos_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {"broker/py.typed", "broker/v1/broker.proto", "broker/v1/annotations.proto"} <= set(names)
    assert {f"broker/catalog/search_{words}.txt" for words in ("thesaurus", "verbs")} <= set(names)
    assert {name.split("/")[0] for name in names} == {
        "broker",
        next(n for n in names if "dist-info" in n).split("/")[0],
    }


def test_the_installed_wheel_helps_lists_chats_and_writes_its_protos(installed: Path, tmp_path: Path) -> None:
    helped = run(installed, "--help", folder=tmp_path)
    assert helped.returncode == 0, helped.stderr
    assert "tools" in helped.stdout

    written = run(installed, "protos", "protos", folder=tmp_path)
    assert written.returncode == 0, written.stderr
    (tmp_path / "hello.proto").write_text(HELLO)

    listed = run(installed, "tools", "hello.proto", "--json", folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert [tool["function"]["name"] for tool in json.loads(listed.stdout)] == ["hello_v1_HelloService_Greet"]

    chatted = run(
        installed, "chat", "-proto", "hello.proto", "-plaintext", "127.0.0.1:1", "hello", folder=tmp_path
    )
    assert chatted.returncode == 0, chatted.stderr
    assert "rule" in chatted.stdout


HELLO = """\
syntax = "proto3";
package hello.v1;
import "broker/v1/annotations.proto";
service HelloService {
  // Greets somebody.
  rpc Greet(GreetRequest) returns (GreetResponse) { option (broker.v1.tool) = {timeout: {seconds: 1}}; }
}
message GreetRequest { string name = 1; }
message GreetResponse { string greeting = 1; }
"""
