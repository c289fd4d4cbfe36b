"""What `make conformance` says where the suite did not run, or did not pass."""

from pathlib import Path
from typing import Any

import pytest

from tests.conformance import run

PASSED = "CONFORMANCE SUITE PASSED: 5567 successes, 0 skipped, 0 expected failures, 0 unexpected failures.\n"
TEXT_FORMAT = (
    "CONFORMANCE SUITE PASSED: 0 successes, 883 skipped, 0 expected failures, 0 unexpected failures.\n"
)
BAD = [
    (PASSED + TEXT_FORMAT, 1),
    (PASSED.replace("5567", "5566") + TEXT_FORMAT, 0),
    (PASSED.replace("0 skipped", "1 skipped") + TEXT_FORMAT, 0),
    (TEXT_FORMAT, 0),
    ("", 0),
]


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither the runner nor a program on the PATH."""
    monkeypatch.setattr(run, "_PACKAGE", tmp_path / "no-package")
    monkeypatch.setattr(run, "_FOLDER", tmp_path / "gen")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    return tmp_path


def failing_npm(folder: Path) -> None:
    npm = folder / "npm"
    npm.write_text("#!/bin/sh\nexit 1\n")
    npm.chmod(0o755)


def test_all_tests_must_have_passed() -> None:
    assert run.report(PASSED + TEXT_FORMAT, 0) == 0


@pytest.mark.parametrize(("output", "status"), BAD)
def test_a_failed_a_skipped_and_a_missing_test_are_failures(output: str, status: int) -> None:
    assert run.report(output, status) == 1


@pytest.mark.parametrize("ci", [None, "true"])
def test_without_npm_it_is_said_that_nothing_was_run(
    nothing: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, ci: str | None
) -> None:
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    assert run.main() == 0
    assert capsys.readouterr().out.startswith("conformance: skipped: npm is not there")


@pytest.mark.parametrize(("ci", "status"), [(None, 0), ("true", 1)])
def test_under_ci_npm_must_give_a_runner_that_starts(
    nothing: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, ci: str | None, status: int
) -> None:
    failing_npm(nothing)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    assert run.main() == status
    assert capsys.readouterr().out.startswith("conformance: skipped: npm could not install the runner")
