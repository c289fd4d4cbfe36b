"""What the README shows is what happens: its commands, its Python and its broker.yaml are run."""

import ast
import asyncio
import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import run as conformance

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text()
BIN = Path(sys.executable).parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


@pytest.fixture(scope="module")
def weather() -> Iterator[str]:
    """The address of a running weather server."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "gen" / "python")}
    command = [sys.executable, "-m", "tool_servers.weather", "--address", "127.0.0.1:0"]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
        server.terminate()


@pytest.fixture
def folder(tmp_path: Path, weather: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README shows, as its commands expect them."""
    (tmp_path / "hello.proto").write_text(blocks("proto")[0])
    (tmp_path / "broker.yaml").write_text(blocks("yaml")[0].replace("localhost:50051", weather))
    (tmp_path / "protos").symlink_to(REPOSITORY / "protos")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each `$ command` of a block, with the output that is shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def pattern(shown: str) -> str:
    """Output as it is shown, in which "…" stands for whatever the day and the machine make of it."""
    return ".*".join(map(re.escape, shown.strip().split("…")))


CONSOLE = [pair for text in blocks("console") for pair in commands(text)]
DEMO = "make demo"


@pytest.mark.parametrize(("command", "shown"), [pair for pair in CONSOLE if pair[0] != DEMO])
def test_a_command_prints_what_the_readme_shows(folder: Path, weather: str, command: str, shown: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"PATH={BIN}:$PATH; {command.replace('localhost:50051', weather)}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )

    assert re.fullmatch(pattern(shown), done.stdout.strip()), done.stdout


def test_the_demo_answers_as_the_readme_shows_with_three_calls_at_once() -> None:
    shown = dict(CONSOLE)[DEMO]
    environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": "gen/python"}
    question = re.search(r"^export PROMPT \?= (.*)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert question is not None

    done = subprocess.run(
        ["bash", "tool_servers/demo.sh", question[1]],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    # The answer goes to stdout and the calls to stderr, so that their order in one pipe is not certain.
    for line in shown.strip().splitlines():
        assert re.search(f"^{pattern(line)}$", done.stdout, re.MULTILINE), (line, done.stdout)


def test_the_python_of_the_readme_prints_what_it_shows(folder: Path) -> None:
    codes, outputs = blocks("python"), blocks("text")
    assert len(codes) == len(outputs) == 4
    names: dict[str, object] = {}

    for code, shown in zip(codes, outputs, strict=True):
        compiled = compile(code, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            asyncio.run(eval(compiled, names))
        assert sorted(printed.getvalue().splitlines()) == sorted(shown.splitlines())


def test_the_numbers_of_the_corpora_are_those_that_were_recorded() -> None:
    recorded = json.loads((REPOSITORY / "tests/corpora/sizes.json").read_text())
    table = README.split("## What it covers")[1].split("## Speed")[0]
    googleapis, temporal = (recorded["corpora"][name] for name in ("googleapis", "temporalio"))
    sizes = googleapis["bytes"]["openai"].values()

    said = [
        *(
            recorded["versions"][name]
            for name in ("google-proto-files", "temporalio", "googleapis-common-protos")
        ),
        f"all {googleapis['tools']:,} ",
        f"| {googleapis['quarantined']['anthropic']} |",
        f"{googleapis['strict']:,} (",
        f"{temporal['strict']:,} (",
        " / ".join(f"{size:,}" for size in sizes),
        f"{recorded['corpora']['edges']['tools']} methods",
        f"otherwise, of {sum(corpus['tools'] for corpus in recorded['corpora'].values()):,} ",
    ]
    assert [number for number in said if number not in table] == []


def test_the_counts_of_tests_are_those_of_the_tests() -> None:
    bugs = re.findall(r"^(?:async )?def test_", (REPOSITORY / "tests/test_peer_bugs.py").read_text(), re.M)
    recorded = (REPOSITORY / "tests/conformance/recorded.jsonl").read_text().splitlines()

    said = [
        f"{conformance.TESTS:,} of {conformance.TESTS:,} tests",
        f"| {len(bugs)} named tests",
        f"| {len(recorded)} |",
    ]
    assert [number for number in said if number not in README] == []


def test_the_file_map_names_what_exists() -> None:
    house = README.split("## The house")[1]
    named = re.findall(r"^      ([\w.]+/?)(?: ([\w.]+/))?  ", house, re.MULTILINE)

    rooms = {name.rstrip("/") for pair in named for name in pair if name}
    assert rooms
    for room in rooms:
        assert (REPOSITORY / "broker" / room).exists(), room
