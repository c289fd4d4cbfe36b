"""What the model is offered: less than there is where its server refuses a tool, or the caller says so."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from broker.chat.events import CallFinished, Notice, StopReason
from broker.chat.loop import Chat
from broker.chat.options import RunOptions
from broker.errors import Code, ModelError
from tests.chat.conversation import HELLO, PREFIX, Make, calls, echo, ended
from tests.models.scripted_server import ScriptedServer, asked_for, refusal, said, stream
from tests.servers.probe import Probe

Open = Callable[..., AbstractAsyncContextManager[Chat]]
ECHO, WAIT = f"{PREFIX}Echo", f"{PREFIX}Wait"


def offered(server: ScriptedServer) -> list[list[str]]:
    """The names of the tools in each request."""
    return [[tool["function"]["name"] for tool in request.get("tools", ())] for request in server.requests]


def bad_schema(name: str) -> Any:
    return refusal(400, {"error": {"message": f"Invalid schema for function '{name}': no type."}})


def forced(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def among(*names: str) -> dict[str, Any]:
    return {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [forced(name) for name in names]},
    }


async def test_a_tool_that_the_models_server_refuses_is_left_out_once_and_the_run_goes_on(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    fail = f"{PREFIX}Fail"
    server.script += [bad_schema(fail), calls(echo("x")), stream(said("Done.")), stream(said("Again."))]
    chat = chat_with()

    events, done = await ended(chat.run(HELLO))
    again, _ = await ended(chat.run(HELLO))

    notices = [event.text for event in (*events, *again) if isinstance(event, Notice)]
    assert len(notices) == 1
    assert notices[0].startswith(f'"{fail}" is not offered any more: ')
    first, *others = offered(server)
    assert others == [[name for name in first if name != fail]] * 3
    assert (done.text, len(done.usage_by_turn), probe[0].seen) == ("Done.", 2, ["Echo"])


async def test_several_tools_are_left_out_one_after_the_other(
    server: ScriptedServer, chat_with: Make
) -> None:
    names = [f"{PREFIX}{method}" for method in ("Fail", "Flaky", "Wait")]
    server.script += [*map(bad_schema, names), stream(said("Hello."))]

    events, done = await ended(chat_with().run(HELLO))

    assert [type(event) for event in events[:3]] == [Notice] * 3
    assert not set(names) & set(offered(server)[-1])
    assert done.text == "Hello."


async def test_a_server_that_refuses_the_same_tool_again_is_not_asked_for_ever(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [bad_schema(ECHO), bad_schema(ECHO)]

    with pytest.raises(ModelError, match="Invalid schema"):
        await ended(chat_with().run(HELLO))

    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        pytest.param(forced(ECHO), None, id="forced"),
        pytest.param(among(ECHO, WAIT), among(WAIT), id="one of those that are allowed"),
        pytest.param(among(ECHO), "none", id="the only one that is allowed"),
    ],
)
async def test_a_tool_that_was_refused_is_not_named_in_the_choice_either(
    server: ScriptedServer, chat_before: Open, choice: Any, left: Any
) -> None:
    server.script += [bad_schema(ECHO), stream(said("Hello."))]

    async with chat_before(endpoint="openai") as chat:
        _, done = await ended(chat.run(HELLO, options=RunOptions(tool_choice=choice)))

    assert [request.get("tool_choice") for request in server.requests] == [choice, left]
    assert done.text == "Hello."


async def test_a_tool_of_the_caller_that_is_refused_is_the_callers_to_mend(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script.append(bad_schema("locate"))
    own = {"type": "function", "function": {"name": "locate", "parameters": {}}}

    with pytest.raises(ModelError, match="Invalid schema"):
        await ended(chat_with().run(HELLO, options=RunOptions(tools=(own,))))


@pytest.mark.parametrize("mode", ["reveal", "dispatch"])
async def test_a_tool_that_must_be_called_is_offered_without_a_search(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open, mode: str
) -> None:
    server.script += [calls(echo("x")), stream(said("Done."))]

    async with chat_before(chat={"tool_search": mode}) as chat:
        await ended(chat.run(HELLO, options=RunOptions(tool_choice=forced(ECHO))))

    assert server.requests[0]["tool_choice"] == forced(ECHO)
    assert ECHO in offered(server)[0]
    assert offered(server)[0] == offered(server)[1], "what a provider has cached stays as it is"
    assert probe[0].seen == ["Echo"]


@pytest.mark.parametrize("endpoint", ["openai", "vllm"])
async def test_a_search_finds_no_other_tool_than_the_caller_allows(
    server: ScriptedServer, chat_before: Open, endpoint: str
) -> None:
    search = stream(asked_for(("s", "search_tools", json.dumps({"query": "answers with what was sent"}))))
    server.script += [search, calls(echo("x")), stream(said("Done."))]
    only = {"mode": "required", "tools": [forced(ECHO)]}
    options = RunOptions(tool_choice={"type": "allowed_tools", "allowed_tools": only})

    async with chat_before(chat={"tool_search": "reveal"}, endpoint=endpoint) as chat:
        events, done = await ended(chat.run(HELLO, options=options))

    assert offered(server) == [
        ["search_tools"],
        ["search_tools", ECHO],
        ["search_tools", ECHO],
    ]
    assert [request.get("tool_choice") for request in server.requests] == ["required", "auto", "auto"]
    found = next(event.result for event in events if isinstance(event, CallFinished))
    assert [tool["name"] for tool in json.loads(found.content)["tools"]] == [ECHO]
    assert done.stop_reason is StopReason.ANSWERED


async def test_where_no_tool_may_be_called_none_is_called_by_any_way(
    server: ScriptedServer, probe: tuple[Probe, int], chat_before: Open
) -> None:
    through = ("x", "call_tool", json.dumps({"name": ECHO, "arguments": {"text": "a"}}))
    server.script += [stream(asked_for(through)), stream(said("Done."))]

    async with chat_before(chat={"tool_search": "dispatch"}) as chat:
        events, _ = await ended(chat.run(HELLO, options=RunOptions(tool_choice="none")))

    refused = next(event.result for event in events if isinstance(event, CallFinished))
    assert refused.code is Code.PERMISSION_DENIED
    assert probe[0].seen == []


@pytest.mark.parametrize(
    "endpoint", [pytest.param("openai", id="by tool_choice"), pytest.param("vllm", id="by the list of tools")]
)
async def test_what_an_allowed_tool_has_answered_may_be_read_to_its_end(
    server: ScriptedServer, chat_before: Open, endpoint: str
) -> None:
    long = ("x", ECHO, json.dumps({"text": "word " * 2_000}))
    server.script += [stream(asked_for(long)), stream(said("Done."))]
    only = {"mode": "auto", "tools": [forced(ECHO)]}
    options = RunOptions(tool_choice={"type": "allowed_tools", "allowed_tools": only})

    async with chat_before(chat={"max_result_bytes": 2_000}, endpoint=endpoint) as chat:
        await ended(chat.run(HELLO, options=options))

    first, second = map(allowed_names, server.requests)
    assert (first, second) == ([ECHO], [ECHO, "read_result"])


def allowed_names(request: dict[str, Any]) -> list[str]:
    """The names of the tools that the model may call."""
    choice = request["tool_choice"]
    tools = request["tools"] if isinstance(choice, str) else choice["allowed_tools"]["tools"]
    return [tool["function"]["name"] for tool in tools]
