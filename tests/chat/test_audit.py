"""The lines that a conversation leaves in the audit log: for each call one that is final, however it ends."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Any

import pytest

from broker import Hooks, assembly
from broker.chat.decisions import Approve, Decision, Reject
from broker.chat.events import CallFinished, CallStarted, Done, Event
from broker.chat.loop import Chat
from broker.chat.options import RunOptions
from broker.config.settings import Settings, StateSettings
from broker.errors import RunError
from broker.state.checkpoints import Checkpoints
from broker.state.memory import MemoryStore
from broker.tool import CallContext, Prepared
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe

Open = Callable[..., AbstractAsyncContextManager[Chat]]
HELLO = [{"role": "user", "content": "hello"}]
PREFIX = "probe_v1_ProbeService_"
TEXT = '{"text": "a"}'
ANN = CallContext(principal="ann")


def calls(*asked: tuple[str, str], text: str = TEXT) -> Answer:
    return stream(asked_for(*((id, PREFIX + method, text) for id, method in asked)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
async def chat(chat_before: Open, file: Path) -> AsyncIterator[Chat]:
    async with chat_before(audit={"file": file}, chat={"max_parallel_calls": 1}) as opened:
        yield opened


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def told(file: Path) -> list[tuple[str, str, str | None]]:
    return [(line["call_id"], line["decision"], line["code"]) for line in lines(file)]


async def ended(run: AsyncIterator[Event]) -> Done:
    *_, done = [event async for event in run]
    assert isinstance(done, Done)
    return done


async def waiting(chat: Chat) -> str:
    done = await ended(chat.run(HELLO, context=ANN))
    assert done.state is not None
    return done.state


async def test_the_calls_of_a_run_have_it_and_who_asked_in_common(
    server: ScriptedServer, chat: Chat, file: Path
) -> None:
    server.script += [calls(("x", "Echo"), ("y", "Echo")), stream(said("Done.")), calls(("z", "Echo"))]
    server.script += [stream(said("Done."))]

    await ended(chat.run(HELLO, context=ANN))
    await ended(chat.run(HELLO, context=ANN))

    one, two, other = lines(file)
    assert one["run_id"] == two["run_id"] != other["run_id"]
    assert {line["principal"] for line in lines(file)} == {"ann"}


@pytest.mark.parametrize(
    ("decisions", "final"),
    [
        pytest.param([Approve(call_id="x")], ("approved", "OK"), id="approved"),
        pytest.param(
            [Approve(call_id="x", arguments='{"text": "b"}')],
            ("approved with other arguments", "OK"),
            id="edited",
        ),
        pytest.param([Reject(call_id="x")], ("rejected", "PERMISSION_DENIED"), id="rejected"),
    ],
)
async def test_a_call_that_waits_has_a_line_that_says_so_and_then_its_final_one_in_the_same_run(
    server: ScriptedServer, chat: Chat, file: Path, decisions: Sequence[Decision], final: tuple[str, str]
) -> None:
    server.script += [calls(("x", "Dangerous")), stream(said("Done."))]

    done = await ended(chat.resume(await waiting(chat), decisions=decisions, context=ANN))

    first, second = lines(file)
    assert done.text == "Done."
    assert told(file) == [("x", "waiting", None), ("x", *final)]
    assert first["run_id"] == second["run_id"]
    assert first["arguments"] == {"text": "a"}
    assert second["arguments"] == {"text": "b" if "other" in final[0] else "a"}
    assert (first["request_hash"] == second["request_hash"]) is ("other" not in final[0])


async def test_a_call_that_is_not_decided_about_has_no_second_line_that_it_waits(
    server: ScriptedServer, chat: Chat, file: Path
) -> None:
    server.script += [calls(("x", "Dangerous"), ("y", "Dangerous")), stream(said("Done."))]
    done = await ended(chat.resume(await waiting(chat), decisions=[Approve(call_id="y")], context=ANN))
    assert done.state is not None
    with pytest.raises(RunError, match="cut off"):
        await ended(chat.resume(done.state, decisions=[Approve(call_id="x", arguments="{")], context=ANN))

    await ended(chat.resume(done.state, decisions=[Reject(call_id="x")], context=ANN))

    assert told(file) == [
        ("x", "waiting", None),
        ("y", "waiting", None),
        ("y", "approved", "OK"),
        ("x", "rejected", "PERMISSION_DENIED"),
    ]


async def test_calls_that_never_reach_a_backend_have_their_line_with_the_reason(
    server: ScriptedServer, chat_before: Open, probe: tuple[Probe, int], file: Path
) -> None:
    server.script += [
        stream(
            asked_for(
                ("a", "no_such_tool", TEXT),
                ("b", PREFIX + "Echo", '{"txt": "secret"}'),
                ("c", PREFIX + "Fail", TEXT),
                ("d", PREFIX + "Echo", TEXT),
                ("e", PREFIX + "Echo", TEXT),
            )
        ),
        calls(("f", "Echo")),
    ]
    settings: dict[str, Any] = {
        "audit": {"file": file},
        "chat": {"max_turns": 2},
        "tools": {"*.Echo": {"max_calls": 1}},
    }
    echo = {"type": "function", "function": {"name": PREFIX + "Echo"}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [echo]}}
    async with chat_before(**settings) as chat:
        await ended(chat.run(HELLO, options=RunOptions(tool_choice=allowed)))

    assert set(told(file)) == {
        ("a", "denied", "PERMISSION_DENIED"),
        ("b", "invalid", "INVALID_ARGUMENT"),
        ("c", "denied", "PERMISSION_DENIED"),
        ("d", "not needed", "OK"),
        ("e", "not made", "RESOURCE_EXHAUSTED"),
        ("f", "not made", "RESOURCE_EXHAUSTED"),
    }
    assert len(lines(file)) == 6
    assert probe[0].seen == ["Echo"]
    assert "secret" not in str(lines(file))


async def test_a_call_through_another_tool_is_told_as_the_one_that_is_meant(
    server: ScriptedServer, chat_before: Open, file: Path
) -> None:
    meant = json.dumps({"name": PREFIX + "Echo", "arguments": {"text": "a"}})
    server.script += [
        stream(asked_for(("x", "call_tool", meant), ("y", "call_tool", "{}"), ("z", "search_tools", "{}"))),
        stream(said("Done.")),
    ]
    async with chat_before(audit={"file": file}, chat={"tool_search": "dispatch"}) as chat:
        await ended(chat.run(HELLO))

    one, other = sorted(lines(file), key=lambda line: str(line["call_id"]))
    assert (one["call_id"], one["full_name"]) == ("x", "probe.v1.ProbeService.Echo")
    assert (other["call_id"], other["decision"], other["backend"]) == ("y", "invalid", None)


async def test_a_call_through_another_tool_that_is_rejected_is_told_as_the_one_that_was_shown(
    server: ScriptedServer, chat_before: Open, file: Path
) -> None:
    meant = json.dumps({"name": PREFIX + "Dangerous", "arguments": {"text": "a"}})
    server.script += [stream(asked_for(("x", "call_tool", meant))), stream(said("Done."))]
    async with chat_before(audit={"file": file}, chat={"tool_search": "dispatch"}) as chat:
        state = await waiting(chat)
        events = [one async for one in chat.resume(state, decisions=[Reject(call_id="x")], context=ANN)]

    assert [one.call.name for one in events if isinstance(one, CallFinished)] == [PREFIX + "Dangerous"]
    assert [line["tool"] for line in lines(file)] == [PREFIX + "Dangerous"] * 2


async def test_a_call_that_was_cut_off_is_told_as_not_understood(
    server: ScriptedServer, chat: Chat, file: Path
) -> None:
    pieces = asked_for(("x", PREFIX + "Echo", '{"text": "sec'))
    pieces[-1]["choices"][0]["finish_reason"] = "length"
    server.script += [stream(pieces), stream(said("Done."))]

    await ended(chat.run(HELLO))

    assert told(file) == [("x", "invalid", "INVALID_ARGUMENT")]


async def test_at_the_end_of_the_time_what_was_sent_and_what_was_not_is_told_apart(
    server: ScriptedServer, chat_before: Open, probe: tuple[Probe, int], file: Path
) -> None:
    server.script.append(calls(("x", "Wait"), ("y", "Echo")))
    settings: dict[str, Any] = {"chat": {"max_parallel_calls": 1, "timeout": "1s"}}
    async with chat_before(audit={"file": file}, **settings) as chat:
        await ended(chat.run(HELLO))

    assert set(told(file)) >= {("y", "not made", "DEADLINE_EXCEEDED")}
    assert Counter(line["call_id"] for line in lines(file)) == {"x": 1, "y": 1}
    assert probe[0].seen == ["Wait"]


async def test_when_a_run_is_given_up_each_of_its_calls_has_its_line(
    server: ScriptedServer, chat: Chat, probe: tuple[Probe, int], file: Path
) -> None:
    server.script.append(calls(("x", "Wait"), ("y", "Echo"), ("z", "Dangerous")))

    async with aclosing(chat.run(HELLO)) as run:
        async for event in run:
            if isinstance(event, CallStarted):
                await asyncio.wait_for(probe[0].waiting.acquire(), 10)
                break

    assert told(file) == [
        ("z", "waiting", None),
        ("x", "not needed", "CANCELLED"),
        ("y", "not made", "CANCELLED"),
    ]


async def test_a_run_that_is_given_up_and_taken_up_again_tells_of_each_call_once(
    server: ScriptedServer, chat: Chat, probe: tuple[Probe, int], file: Path
) -> None:
    server.script += [
        calls(("x", "Dangerous"), ("y", "Dangerous"), ("z", "Dangerous")),
        stream(said("Done.")),
    ]
    state = await waiting(chat)
    decisions: list[Decision] = [Approve(call_id="x"), Approve(call_id="y"), Reject(call_id="z")]

    async with aclosing(chat.resume(state, decisions=decisions, context=ANN)) as run:
        async for event in run:
            if isinstance(event, CallFinished):  # what was rejected comes first, before anything is sent
                break
    await ended(chat.resume(state, decisions=decisions[:2], context=ANN))

    assert probe[0].seen == ["Dangerous"] * 2
    assert Counter(told(file)[3:]) == {
        ("z", "rejected", "PERMISSION_DENIED"): 1,
        ("x", "approved", "OK"): 1,
        ("y", "approved", "OK"): 1,
    }


async def test_a_call_that_was_cancelled_under_way_is_not_told_of_again_when_its_run_is_taken_up(
    server: ScriptedServer, chat_before: Open, probe: tuple[Probe, int], file: Path
) -> None:
    server.script += [calls(("x", "Count"), text='{"count": 1, "wait": true}'), stream(said("Who knows."))]
    async with chat_before(audit={"file": file}, tools={"*.Count": {"approval": "required"}}) as chat:
        state = await waiting(chat)
        async with aclosing(chat.resume(state, decisions=[Approve(call_id="x")], context=ANN)) as run:
            assert isinstance(await anext(run), CallStarted)
            await asyncio.wait_for(probe[0].waiting.acquire(), 10)
        done = await ended(chat.resume(state, context=ANN))

    assert done.text == "Who knows."
    assert "its result is not known" in server.requests[1]["messages"][-1]["content"]
    assert told(file)[1:] == [("x", "approved", "CANCELLED")]


async def test_a_call_of_which_the_end_was_not_seen_is_told_as_unknown(
    server: ScriptedServer, probe: tuple[Probe, int], settings_for: Callable[..., Settings], file: Path
) -> None:
    store, left_behind = MemoryStore(), MemoryStore()

    async def crash(prepared: Prepared, context: CallContext) -> None:
        left_behind._records |= store._records

    server.script += [calls(("x", "Dangerous")), stream(said("Done.")), stream(said("Who knows."))]
    model = {"driver": "chat-completions", "name": "m", "base_url": server.base_url}
    settings = settings_for(probe[1], model=model, audit={"file": file})
    brief = StateSettings(lease=0.001)
    async with (
        assembly.open(settings, hooks=Hooks(before_call=crash)) as broker,
        assembly.open_model(settings) as language_model,
    ):
        state = await waiting(Chat(broker, language_model, checkpoints=Checkpoints(store, brief)))
        approved = [Approve(call_id="x")]
        chat = Chat(broker, language_model, checkpoints=Checkpoints(store, brief))
        await ended(chat.resume(state, decisions=approved, context=ANN))
        again = Chat(broker, language_model, checkpoints=Checkpoints(left_behind, brief))
        done = await ended(again.resume(state, context=ANN))

    assert done.text == "Who knows."
    assert probe[0].seen == ["Dangerous"]
    assert told(file)[1:] == [("x", "approved", "OK"), ("x", "unknown", "UNKNOWN")]
