"""`make servers`: what can be built is built, and what cannot be is left out with the reason."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.tool_servers import postgres as database
from tests.tool_servers.process import inherited
from tests.tool_servers.toolchains import BUILT, ROOT, SCRIPT, need

NAMES = re.findall(r"^([a-z-]+):", (ROOT / "tool_servers" / "Procfile").read_text(), re.MULTILINE)
SERVERS = [name for name in NAMES if name != "stand-in"]
TOOLCHAINS = {
    "go": "echo go version go1.26.0 linux/amd64",
    "node": "echo v20.20.2",
    "npm": "echo 10.8.2",
    "java": "echo openjdk 17 2021-09-14",
    "javac": "echo javac 17.0.15",
    # Maven colours its version also where nobody sees it.
    "mvn": r"printf '\033[1mApache Maven 3.8.7\033[m\n'",
}
"""Programs that say they are just new enough."""
MAKE = 'echo "make $*"'
"""A make that makes nothing."""


def environment(path: str) -> dict[str, str]:
    """Free ports for all, only what is on this path, and no word of CI."""
    given = {f"ADDRESS_{name.upper()}": "127.0.0.1:0" for name in SERVERS}
    # The experts are asked nothing here.
    stand_in = {"PORT_STAND_IN": "0", "EXPERT_BASE_URL": "http://127.0.0.1:9/v1"}
    return inherited() | given | stand_in | {"PYTHONPATH": "gen/python", "PATH": path, "CI": ""}


def with_commands(folder: Path, *names: str) -> str:
    """A path on which there is only what the script itself needs, and these."""
    for name in ("bash", "sed", "dirname", "env", *names):
        found = next(each for each in os.environ["PATH"].split(os.pathsep) if (Path(each) / name).is_file())
        (folder / name).symlink_to(Path(found) / name)
    return os.pathsep.join([str(Path(sys.executable).parent), str(folder)])


def with_programs(folder: Path, programs: dict[str, str]) -> str:
    """A path on which there are these programs, each of which does what its script says, and no toolchain."""
    path = with_commands(folder)
    for name, script in programs.items():
        (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
        (folder / name).chmod(0o755)
    return path


async def run(verb: str, env: dict[str, str]) -> tuple[int | None, str]:
    """The exit status of the script, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *("bash", str(SCRIPT), verb),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, output.decode()


def test_every_folder_of_a_tool_server_is_started() -> None:
    protos = {path.parent.parent.name for path in (ROOT / "protos").glob("*/v1/*.proto")} - {"broker"}

    assert set(SERVERS) == protos


@pytest.mark.parametrize("verb", ["gen", "build"])
async def test_all_are_made_where_all_toolchains_are_new_enough(tmp_path: Path, verb: str) -> None:
    path = with_programs(tmp_path, TOOLCHAINS | {"make": MAKE})

    returncode, said = await run(verb, environment(path))

    assert returncode == 0, said
    assert re.findall(rf"make .*-C tool_servers/(\w+) {verb}$", said, re.MULTILINE) == list(BUILT)
    assert "left out" not in said


@pytest.mark.parametrize(
    ("program", "server"),
    [
        (program, server)
        for server, programs in zip(BUILT, (("go",), ("node", "npm"), ("java", "javac", "mvn")), strict=True)
        for program in programs
    ],
)
@pytest.mark.parametrize("ci", ["", "true"])
async def test_a_server_without_a_toolchain_is_left_out_with_the_reason_but_fails_in_ci(
    tmp_path: Path, program: str, server: str, ci: str
) -> None:
    others = {name: script for name, script in TOOLCHAINS.items() if name != program}

    returncode, said = await run(
        "build", environment(with_programs(tmp_path, others | {"make": MAKE})) | {"CI": ci}
    )

    assert returncode == (1 if ci else 0), said
    reason = f"needs {program}, which is not installed"
    assert (f"servers: {server} {reason}" if ci else f"servers: left out {server}, which {reason}") in said


@pytest.mark.parametrize(
    ("program", "script", "reason"),
    [
        (
            "go",
            "echo go version go1.18.1 linux/amd64",
            "stocks, which needs go 1.26 or newer, and finds 1.18",
        ),
        (
            "go",
            "exit 1",
            "stocks, which needs go 1.26 or newer, and finds one that does not tell its version",
        ),
        ("node", "echo v18.20.8", "flights, which needs node 20 or newer, and finds 18.20"),
        ("java", "echo openjdk 11.0.2 2019-01-15", "hotels, which needs java 17 or newer, and finds 11.0"),
        ("javac", "echo javac 9", "hotels, which needs javac 17 or newer, and finds 9"),
        (
            "mvn",
            r"printf '\033[1mApache Maven 3.6.3\033[m\n'",
            "hotels, which needs mvn 3.8 or newer, and finds 3.6",
        ),
    ],
)
async def test_a_toolchain_that_is_too_old_counts_as_none(
    tmp_path: Path, program: str, script: str, reason: str
) -> None:
    path = with_programs(tmp_path, TOOLCHAINS | {"make": MAKE, program: script})

    returncode, said = await run("build", environment(path))

    assert returncode == 0, said
    assert f"servers: left out {reason}\n" in said
    assert said.count("servers: left out") == 1


def test_tests_of_a_server_without_a_toolchain_are_skipped_and_fail_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", with_commands(tmp_path))
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match='"stocks" needs go, which is not installed'):
        need("stocks")

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match='"stocks" needs go, which is not installed'):
        need("stocks")


def test_tests_of_postgresql_are_skipped_without_it_and_fail_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_FOLDERS", [])
    monkeypatch.setenv("PATH", with_commands(tmp_path))
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="PostgreSQL is not installed"), database.postgres():
        pass

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="PostgreSQL is not installed"), database.postgres():
        pass


def test_the_oldest_versions_are_those_of_the_servers_themselves() -> None:
    needs = dict(re.findall(r"(\w+)=([\d.]+)", SCRIPT.read_text()))
    pom = ElementTree.parse(ROOT / "tool_servers/hotels/pom.xml").getroot()
    [release] = (each.text for each in pom.iter() if each.tag.endswith("}maven.compiler.release"))
    engines = json.loads((ROOT / "tool_servers/flights/package.json").read_text())["engines"]
    go = re.search(r"^go (\d+\.\d+)", (ROOT / "tool_servers/stocks/go.mod").read_text(), re.MULTILINE)

    assert go is not None
    assert (needs["go"], needs["java"], needs["javac"]) == (go[1], release, release)
    assert engines == {"node": f">={needs['node']}"}


async def test_a_lint_that_fails_ends_the_tests(tmp_path: Path) -> None:
    failing = f'{MAKE}; [[ "$*" != *flights*lint ]]'
    path = with_programs(tmp_path, TOOLCHAINS | {"make": failing})

    returncode, said = await run("test", environment(path))

    assert returncode == 1
    assert said.splitlines()[-1].endswith("-C tool_servers/flights lint")


async def test_another_word_is_told_what_there_is() -> None:
    returncode, said = await run("begin", dict(os.environ))

    assert returncode == 2
    assert "usage: tool_servers/servers.sh gen|build|test|start" in said


def test_a_build_of_the_hotels_that_failed_half_way_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "tool_servers" / "hotels"
    (folder / "src/main").mkdir(parents=True)
    (tmp_path / "protos/hotels/v1").mkdir(parents=True)
    for name in (
        "tool_servers/hotels/Makefile",
        "tool_servers/hotels/pom.xml",
        "protos/hotels/v1/hotels.proto",
    ):
        shutil.copy(ROOT / name, tmp_path / name)
    maven = folder / "mvn"
    maven.write_text("#!/usr/bin/env bash\nmkdir -p target && touch target/hotels.jar && exit 1\n")
    maven.chmod(0o755)

    done = [subprocess.run(["make", "build", f"MVN={maven}"], cwd=folder, check=False) for _ in range(2)]

    assert [each.returncode for each in done] == [2, 2]


def test_make_clean_removes_all_that_git_ignores_of_the_tool_servers(tmp_path: Path) -> None:
    made = [
        tmp_path / "tool_servers" / name
        for name in (
            "stocks/gen",
            "stocks/build",
            "flights/gen",
            "flights/build",
            "flights/node_modules",
            "hotels/target",
        )
    ]
    for folder in (*made, tmp_path / ".venv", tmp_path / "gen"):
        folder.mkdir(parents=True)
    for makefile in ("Makefile", *(f"tool_servers/{name}/Makefile" for name in BUILT)):
        shutil.copy(ROOT / makefile, tmp_path / makefile)

    subprocess.run(["make", "clean"], cwd=tmp_path, check=True)

    assert [path for path in tmp_path.rglob("*") if path.is_dir() and not any(path.iterdir())] == []
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "tool_servers"}


def test_stubs_are_generated_in_a_folder_whose_name_has_a_space(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    (folder / "gen").mkdir(parents=True)
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("Makefile", "tool_servers"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "protos", folder / "protos")

    done = subprocess.run(
        ["make", "--old-file=.venv/.installed", "gen-python"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (folder / "gen/python/weather/v1/weather_pb2.py").is_file()
    makefiles = ["Makefile", *(f"tool_servers/{name}/Makefile" for name in BUILT)]
    assert [name for name in makefiles if " $(SITE)" in (ROOT / name).read_text()] == []
