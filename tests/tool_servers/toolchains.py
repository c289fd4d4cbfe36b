"""What the tests of tool servers in other languages need, as `make servers` sees it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tool_servers" / "servers.sh"
BUILT = ("stocks", "flights", "hotels")
"""The others are Python."""


def need(name: str) -> None:
    """Builds a server; without its toolchain the test is skipped, but fails where CI is set."""
    asked = subprocess.run(["bash", SCRIPT, "lacks", name], capture_output=True, text=True, check=True)
    if lacking := asked.stdout.strip():
        reason = f'the tool server "{name}" needs {lacking}'
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    command = ["make", "--no-print-directory", "-C", str(ROOT / "tool_servers" / name), "build"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
