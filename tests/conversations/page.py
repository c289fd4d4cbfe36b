"""docs/conversations.md: its transcripts are what the tests saw, with the broker.yaml that it names."""

import re
from typing import Any

import yaml

from tests.conversations.backends import ROOT

PAGE = ROOT / "docs" / "conversations.md"
SETTINGS = ROOT / "tool_servers" / "broker.yaml"


def settings() -> dict[str, Any]:
    """The broker.yaml of the tool servers, to be written into a folder beside the protos."""
    read: dict[str, Any] = yaml.safe_load(SETTINGS.read_text())
    for backend in read["backends"].values():
        backend["descriptors"]["import_paths"] = ["protos"]
    return read


def assert_shows(heading: str, seen: str) -> None:
    """The page shows this transcript; "…" in it stands for what another day or machine makes another."""
    shown = _block("console", _sections().get(heading, "")).strip()
    pattern = ".*".join(map(re.escape, shown.split("…")))
    assert re.fullmatch(pattern, seen.strip()), f"{PAGE.name} does not show below {heading!r}:\n\n{seen}"


def shown() -> set[str]:
    """The headings below which there is a transcript."""
    return {heading for heading, text in _sections().items() if _block("console", text)}


def _sections() -> dict[str, str]:
    _, *parts = re.split(r"^##+ (.*)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _block(kind: str, text: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return "" if found is None else found[1]
