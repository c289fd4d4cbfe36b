"""What docs/conversations.md has beside its transcripts."""

import json
import re
from pathlib import Path

import broker
from broker.tool import Approval
from tests.conversations import page
from tests.conversations.backends import ROOT


async def test_its_broker_yaml_offers_all_tool_servers_and_has_whatever_acts_approved(tmp_path: Path) -> None:
    (tmp_path / "protos").symlink_to(ROOT / "protos")
    (tmp_path / "broker.yaml").write_text(json.dumps(page.settings()))

    async with broker.open(tmp_path / "broker.yaml") as opened:
        offered = list(opened.catalog)

    folders = {path.name for path in (ROOT / "protos").iterdir() if path.is_dir()} - {"broker"}
    assert {tool.backend for tool in offered} == folders
    acting = {tool.full_name for tool in offered if not tool.read_only}
    approved = {tool.full_name for tool in offered if tool.policy.approval is Approval.REQUIRED}
    # A record is only added, and the same one never twice.
    assert acting - approved == {"extract.v1.ExtractService.SaveRecord"}


def test_its_targets_are_where_make_servers_starts_the_servers() -> None:
    procfile = (ROOT / "tool_servers/Procfile").read_text()

    for name, backend in page.settings()["backends"].items():
        port = backend["target"].removeprefix("localhost:")
        assert f"${{ADDRESS_{name.upper()}:-127.0.0.1:{port}}}" in procfile


def test_each_of_its_transcripts_is_one_that_a_test_has_seen() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    held = set(re.findall(r'(?:assert_shows\(|HEADING = )"([^"]+)"', tests))

    assert page.shown() == held
    assert len({heading.split(".")[0] for heading in held if heading[0].isdigit()}) == 10
