"""What docs/conversations.md has beside its transcripts."""

import json
from datetime import date
from pathlib import Path

import pytest

import broker
from broker.catalog.search import Search
from broker.standin.planner import plan
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


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("北京今天天气怎么样？", "weather_v1_WeatherService_GetWeather"),
        ("北京、上海和广州今天天气怎么样？", "weather_v1_WeatherService_GetWeather"),
        ("茅台今天的股价", "stocks_v1_StockService_GetQuote"),
        ("What is the weather in Paris?", "weather_v1_WeatherService_GetWeather"),
    ],
)
async def test_what_the_stand_in_can_answer_it_asks_the_right_one_of_all_tools(
    tmp_path: Path, question: str, tool: str
) -> None:
    (tmp_path / "protos").symlink_to(ROOT / "protos")
    (tmp_path / "broker.yaml").write_text(json.dumps(page.settings()))

    async with broker.open(tmp_path / "broker.yaml") as opened:
        tools = opened.catalog.tools(profile="openai")
    planned = plan([{"role": "user", "content": question}], tools, today=date(2026, 11, 21))

    assert {call.name for call in planned.calls} == {tool}


@pytest.mark.parametrize(
    ("words", "backend"),
    [("天气", "weather"), ("股价", "stocks"), ("航班", "flights"), ("酒店", "hotels"), ("柱状图", "charts")],
)
async def test_what_a_tool_is_about_is_found_in_chinese(tmp_path: Path, words: str, backend: str) -> None:
    (tmp_path / "protos").symlink_to(ROOT / "protos")
    (tmp_path / "broker.yaml").write_text(json.dumps(page.settings()))

    async with broker.open(tmp_path / "broker.yaml") as opened:
        first, *_ = Search(opened.catalog).find(words)

    assert first.tool.backend == backend


def test_its_targets_are_where_make_servers_starts_the_servers() -> None:
    procfile = (ROOT / "tool_servers/Procfile").read_text()

    for name, backend in page.settings()["backends"].items():
        port = backend["target"].removeprefix("localhost:")
        assert f"${{ADDRESS_{name.upper()}:-127.0.0.1:{port}}}" in procfile
