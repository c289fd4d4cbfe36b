"""Catalogs that are too large to be offered: tools are searched for, and called."""

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from broker.chat.events import ApprovalNeeded, CallFinished, CallStarted, ClientCall, Done, Event, StopReason
from broker.chat.loop import Chat
from broker.chat.options import RunOptions
from broker.errors import Code
from broker.tool import ToolResult
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe

Open = Callable[..., Any]
HELLO = [{"role": "user", "content": "hello"}]
ECHO = "probe_v1_ProbeService_Echo"
DANGEROUS = "probe_v1_ProbeService_Dangerous"


DEEP = f'{{"text": {"[" * 300}{"]" * 300}}}'
"""Arguments that can be read, and not written again."""


def call(call_id: str, name: str, arguments: Any) -> Answer:
    """`arguments` are an object, or JSON text."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return stream(asked_for((call_id, name, text)))


async def ended(run: AsyncGenerator[Event, None]) -> tuple[list[Event], Done]:
    *events, done = [event async for event in run]
    assert isinstance(done, Done)
    return events, done


def result_of(events: list[Event], call_id: str) -> ToolResult:
    return next(
        event.result for event in events if isinstance(event, CallFinished) and event.call.id == call_id
    )


def offered(server: ScriptedServer) -> list[list[str]]:
    """The names of the tools in each request."""
    return [[tool["function"]["name"] for tool in request["tools"]] for request in server.requests]


async def test_what_a_search_finds_can_be_called_in_the_next_turn(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    server.script += [
        call("s", "search_tools", {"query": "answer with what was sent"}),
        call("e", ECHO, {"text": "北京"}),
        stream(said("done")),
    ]

    async with chat_before(chat={"max_tools": 3}) as chat:
        events, done = await ended(chat.run(HELLO))

    first, second, third = offered(server)
    assert first == ["search_tools"]
    assert second[0] == "search_tools"
    assert ECHO in second
    assert third == second
    found = json.loads(result_of(events, "s").content)["tools"]
    assert {"name": ECHO, "does": "Answers with what it was sent."} in found
    assert probe[0].seen == ["Echo"]
    assert done.stop_reason is StopReason.ANSWERED


async def test_a_second_search_adds_to_what_the_first_has_found(
    server: ScriptedServer, chat_before: Open
) -> None:
    server.script += [
        call("a", "search_tools", {"query": "echo"}),
        call("b", "search_tools", {"query": "garbage"}),
        stream(said("done")),
    ]

    async with chat_before(chat={"tool_search": "reveal"}) as chat:
        await ended(chat.run(HELLO))

    _, second, third = offered(server)
    assert third[: len(second)] == second, "what a provider has cached stays in its place"
    assert "probe_v1_ProbeService_Garbage" in third


async def test_in_dispatch_the_list_of_tools_never_changes(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    server.script += [
        call("s", "search_tools", {"query": "echo what was sent"}),
        call("e", "call_tool", {"name": ECHO, "arguments": {"text": "北京"}}),
        stream(said("done")),
    ]

    async with chat_before(chat={"tool_search": "dispatch"}) as chat:
        events, _ = await ended(chat.run(HELLO))

    assert offered(server) == [["search_tools", "call_tool"]] * 3
    found = json.loads(result_of(events, "s").content)["tools"]
    echo = next(tool["function"] for tool in found if tool["function"]["name"] == ECHO)
    assert "text" in echo["parameters"]["properties"]
    assert json.loads(result_of(events, "e").content)["text"] == "北京"
    started = [event.call.name for event in events if isinstance(event, CallStarted)]
    assert started == ["search_tools", ECHO], "the one who looks on sees what is called"
    assert probe[0].seen == ["Echo"]


async def test_a_tool_that_needs_approval_needs_it_by_every_way(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    server.script.append(call("d", "call_tool", {"name": DANGEROUS, "arguments": {"text": "x"}}))

    async with chat_before(chat={"tool_search": "dispatch"}) as chat:
        events, done = await ended(chat.run(HELLO))

    needed = events[-1]
    assert isinstance(needed, ApprovalNeeded)
    assert needed.call.name == DANGEROUS
    assert done.stop_reason is StopReason.WAITING
    assert probe[0].seen == []


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        pytest.param("search_tools", {}, "query: required", id="no query"),
        pytest.param("search_tools", {"query": 5}, "query: expected some words", id="a number"),
        pytest.param("search_tools", {"query": "zzzqqq"}, "No tool fits", id="nothing is found"),
        pytest.param("call_tool", {"arguments": {}}, "name: required", id="no name"),
        pytest.param(
            "call_tool", {"name": "Ecoh", "arguments": {}}, "There is no tool", id="an unknown tool"
        ),
        pytest.param(
            "call_tool", {"name": ECHO, "arguments": {"txt": 1}}, "Did you mean", id="wrong arguments"
        ),
        pytest.param("call_tool", {"name": ECHO}, "Missing required: text", id="no arguments"),
        pytest.param("call_tool", f'{{"name": "{ECHO}", "arguments": {DEEP}}}', "nested too deep", id="deep"),
        pytest.param(
            "call_tool",
            f'{{"name": "{ECHO}", "arguments": {{"text": "a", "text": "b"}}}}',
            'the key "text" is given twice',
            id="a key twice",
        ),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_sent(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    chat_before: Open,
    name: str,
    arguments: dict[str, Any] | str,
    told: str,
) -> None:
    server.script += [call("x", name, arguments), stream(said("done"))]

    async with chat_before(chat={"tool_search": "dispatch"}) as chat:
        events, _ = await ended(chat.run(HELLO))

    assert told in result_of(events, "x").content
    assert probe[0].seen == []


async def test_a_tool_of_the_caller_is_called_by_its_own_name_and_not_through_call_tool(
    server: ScriptedServer, chat_before: Open
) -> None:
    own = {"type": "function", "function": {"name": "locate", "parameters": {"type": "object"}}}
    server.script += [call("x", "call_tool", {"name": "locate", "arguments": {}}), call("y", "locate", {})]

    async with chat_before(chat={"tool_search": "dispatch"}) as chat:
        events, done = await ended(chat.run(HELLO, options=RunOptions(tools=(own,))))

    assert "Call it by its name." in result_of(events, "x").content
    assert [event.call.name for event in events if isinstance(event, ClientCall)] == ["locate"]
    assert done.stop_reason is StopReason.WAITING


async def test_call_tool_takes_arguments_as_json_text(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    arguments = {"name": ECHO, "arguments": '{"text": "a"}'}
    server.script += [call("x", "call_tool", arguments), stream(said("done"))]

    async with chat_before(chat={"tool_search": "dispatch"}) as chat:
        events, _ = await ended(chat.run(HELLO))

    assert result_of(events, "x").code is None


async def test_tools_that_are_always_offered_need_no_search(
    server: ScriptedServer, chat_before: Open
) -> None:
    server.script.append(stream(said("done")))

    async with chat_before(chat={"tool_search": "reveal", "always_offered": ["*.Echo"]}) as chat:
        await ended(chat.run(HELLO))

    assert offered(server) == [[ECHO, "search_tools"]]


@pytest.mark.parametrize("settings", [{"tool_search": "off", "max_tools": 1}, {"max_tools": 128}])
async def test_where_nothing_has_to_be_searched_all_is_offered(
    server: ScriptedServer, chat_before: Open, settings: dict[str, Any]
) -> None:
    server.script.append(stream(said("done")))

    async with chat_before(chat=settings) as chat:
        await ended(chat.run(HELLO))

    assert len(offered(server)[0]) > 5
    assert "search_tools" not in offered(server)[0]


async def test_the_loops_own_tools_cannot_be_called_where_they_are_not_offered(
    server: ScriptedServer, chat_with: Callable[..., Chat]
) -> None:
    server.script += [call("x", "call_tool", {"name": ECHO, "arguments": {}}), stream(said("done"))]

    events, _ = await ended(chat_with().run(HELLO))

    assert result_of(events, "x").code is Code.NOT_FOUND


async def test_a_result_that_is_cut_can_be_read_on_in(server: ScriptedServer, chat_before: Open) -> None:
    server.script += [
        call("c", "probe_v1_ProbeService_Count", {"count": 100, "length": 100}),
        call("r", "read_result", {"handle": "r1", "path": "messages", "offset": 90}),
        stream(said("done")),
    ]

    async with chat_before(chat={"max_result_bytes": 2_000}) as chat:
        events, done = await ended(chat.run(HELLO))

    assert "read_result" not in offered(server)[0]
    assert offered(server)[1][-1] == "read_result"
    shown = server.requests[1]["messages"][-1]["content"]
    assert len(shown.encode()) <= 2_000
    assert "r1" in json.loads(shown)["[cut]"]
    assert len(json.loads(result_of(events, "c").content)["messages"]) == 100, "who looks on sees it whole"
    page = json.loads(result_of(events, "r").content)
    assert (page["offset"], page["total"]) == (90, 100)
    assert page["value"][0]["number"] == 90
    assert done.stop_reason is StopReason.ANSWERED
