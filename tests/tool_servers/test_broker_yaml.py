"""tool_servers/broker.yaml: all tool servers as `make servers` starts them, for all who talk to them."""

import asyncio
import json
import os
import re
import sys
from datetime import date
from pathlib import Path

import pytest

import broker
from broker.catalog.check import Severity, check
from broker.catalog.search import Search
from broker.catalog.tokens import token_counter
from broker.standin.planner import plan
from broker.tool import Approval
from tests.conversations import page
from tests.conversations.backends import ROOT, running
from tests.tool_servers.test_every_server import started


async def test_it_offers_all_tool_servers_and_has_whatever_acts_approved() -> None:
    async with broker.open(page.SETTINGS) as opened:
        offered = list(opened.catalog)

    folders = {path.name for path in (ROOT / "protos").iterdir() if path.is_dir()} - {"broker"}
    assert {tool.backend for tool in offered} == folders
    acting = {tool.full_name for tool in offered if not tool.read_only}
    approved = {tool.full_name for tool in offered if tool.policy.approval is Approval.REQUIRED}
    # A record is only added, and the same one never twice.
    assert acting - approved == {"extract.v1.ExtractService.SaveRecord"}


@pytest.mark.parametrize("name", ["flights", "hotels", "customers", "mail"])
async def test_what_acts_asks_for_approval_also_where_only_reflection_tells_of_it(
    name: str, tmp_path: Path
) -> None:
    async with broker.open(page.SETTINGS) as opened:
        acting = {tool.full_name for tool in opened.catalog if tool.backend == name and not tool.read_only}
    async with started(name, tmp_path) as server:
        backend = {"target": server.address, "plaintext": True, "descriptors": "reflection"}
        (tmp_path / "broker.yaml").write_text(json.dumps({"backends": {name: backend}}))

        async with broker.open(tmp_path / "broker.yaml") as opened:
            asking = {tool.full_name for tool in opened.catalog if tool.policy.approval is Approval.REQUIRED}

    assert acting
    assert asking == acting


async def test_no_provider_stumbles_over_any_of_them_and_nothing_is_without_a_description() -> None:
    async with broker.open(page.SETTINGS) as opened:
        found = check(opened.catalog, token_counter()).findings

    # What remains are rules that the schemas of some providers have no keyword for: those are said in words.
    assert {each.severity for each in found} <= {Severity.NOTE}
    assert [each for each in found if " can only say in words: " not in each.what] == []


async def test_a_model_is_told_to_change_of_a_customer_what_can_be_changed() -> None:
    async with broker.open(page.SETTINGS) as opened:
        tools = opened.catalog.tools(profile="openai")
    (update,) = (each["function"] for each in tools if "UpdateCustomer" in each["function"]["name"])

    mask = update["parameters"]["properties"]["update_mask"]["description"]
    assert " Writable fields: email, country, segment. " in mask


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
    question: str, tool: str
) -> None:
    async with broker.open(page.SETTINGS) as opened:
        tools = opened.catalog.tools(profile="openai")
    planned = plan([{"role": "user", "content": question}], tools, today=date(2026, 11, 21))

    assert {call.name for call in planned.calls} == {tool}


@pytest.mark.parametrize(
    ("words", "backend"),
    [("天气", "weather"), ("股价", "stocks"), ("航班", "flights"), ("酒店", "hotels"), ("柱状图", "charts")],
)
async def test_what_a_tool_is_about_is_found_in_chinese(words: str, backend: str) -> None:
    async with broker.open(page.SETTINGS) as opened:
        first, *_ = Search(opened.catalog).find(words)

    assert first.tool.backend == backend


async def test_the_command_of_the_page_asks_a_server_where_its_address_is_set(tmp_path: Path) -> None:
    [commands] = re.findall(r"^```sh\n(.*?)^```$", page.PAGE.read_text(), re.MULTILINE | re.DOTALL)
    environment = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    bin_folder = Path(sys.executable).parent
    async with running("weather", tmp_path) as weather:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", commands.replace("$PWD/.venv/bin", str(bin_folder))),
            cwd=ROOT,
            env=environment | {"ADDRESS_WEATHER": weather.address},
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 0
    assert "北京：location = Beijing, China" in answer.decode()


def test_its_targets_are_where_make_servers_starts_the_servers() -> None:
    procfile = (ROOT / "tool_servers/Procfile").read_text()

    for name, backend in page.settings()["backends"].items():
        assert f"\n{name}: " in procfile
        assert f"--address {backend['target']}\n" in f"{procfile}\n"
        assert backend["target"].startswith(f"${{ADDRESS_{name.upper()}:-127.0.0.1:")
