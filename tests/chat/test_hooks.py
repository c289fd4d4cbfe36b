"""What an application does around each turn of the model."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from broker import Hooks, assembly
from broker.chat.events import CallFinished, Done, Event, StopReason
from broker.chat.loop import Chat
from broker.config.settings import Settings
from broker.errors import Code
from broker.models.model import ModelRequest, Turn
from broker.tool import CallContext, Prepared, ToolResult
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe

Open = Callable[[Hooks], AbstractAsyncContextManager[Chat]]
HELLO = [{"role": "user", "content": "my number is 4711"}]


def echo(call_id: str) -> Answer:
    return stream(asked_for((call_id, "probe_v1_ProbeService_Echo", '{"text": "a"}')))


@pytest.fixture
def hooked(server: ScriptedServer, probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> Open:
    @asynccontextmanager
    async def opened(hooks: Hooks) -> AsyncIterator[Chat]:
        model = {"driver": "chat-completions", "name": "m", "base_url": server.base_url}
        settings = settings_for(probe[1], model=model)
        async with (
            assembly.open(settings, hooks=hooks) as broker,
            assembly.open_chat(settings, broker) as chat,
        ):
            yield chat

    return opened


async def ended(run: AsyncIterator[Event]) -> tuple[list[ToolResult], Done]:
    *events, done = [event async for event in run]
    assert isinstance(done, Done)
    return [event.result for event in events if isinstance(event, CallFinished)], done


async def test_each_turn_is_seen_before_and_after(server: ScriptedServer, hooked: Open) -> None:
    server.script += [echo("x"), stream(said("Done."))]
    seen: list[Any] = []

    async def before(request: ModelRequest) -> None:
        seen.append(len(request.messages))

    async def after(request: ModelRequest, turn: Turn) -> None:
        seen.append((len(request.messages), turn.text, [call.id for call in turn.calls]))

    async with hooked(Hooks(before_model=before, after_model=after)) as chat:
        _, done = await ended(chat.run(HELLO))

    assert seen == [1, (1, "", ["x"]), 3, (3, "Done.", [])]
    assert done.text == "Done."


async def test_the_model_is_asked_what_the_hook_before_gives_and_the_conversation_stays_as_it_was(
    server: ScriptedServer, hooked: Open
) -> None:
    server.script.append(stream(said("Hello.")))

    async def before(request: ModelRequest) -> ModelRequest:
        masked: Sequence[Any] = json.loads(json.dumps(request.messages).replace("4711", "[number]"))
        return replace(request, messages=masked, tools=())

    async with hooked(Hooks(before_model=before)) as chat:
        _, done = await ended(chat.run(HELLO))

    assert server.requests[0]["messages"][0]["content"] == "my number is [number]"
    assert "tools" not in server.requests[0]
    assert done.messages[0]["content"] == "Hello."


async def test_a_turn_of_the_hook_after_is_taken_in_place_of_the_models(
    server: ScriptedServer, probe: tuple[Probe, int], hooked: Open
) -> None:
    server.script.append(echo("x"))

    async def after(request: ModelRequest, turn: Turn) -> Turn:
        message = {"role": "assistant", "content": "I may not."}
        return replace(turn, text="I may not.", calls=(), message=message)

    async with hooked(Hooks(after_model=after)) as chat:
        results, done = await ended(chat.run(HELLO))

    assert (results, done.text, done.stop_reason) == ([], "I may not.", StopReason.ANSWERED)
    assert done.messages == ({"role": "assistant", "content": "I may not."},)
    assert probe[0].seen == []


async def raises(*_: Any) -> Any:
    raise LookupError("no")


@pytest.mark.parametrize("hooks", [Hooks(before_model=raises), Hooks(after_model=raises)])
async def test_a_broken_hook_around_a_turn_ends_the_run_and_makes_none_of_its_calls(
    server: ScriptedServer, probe: tuple[Probe, int], hooked: Open, hooks: Hooks
) -> None:
    server.script.append(echo("x"))

    async with hooked(hooks) as chat:
        with pytest.raises(LookupError):
            await ended(chat.run(HELLO))

    assert probe[0].seen == []


async def test_the_hooks_around_calls_hold_in_a_conversation_and_know_its_run(
    server: ScriptedServer, probe: tuple[Probe, int], hooked: Open
) -> None:
    server.script += [echo("x"), echo("y"), stream(said("Done."))]
    runs: set[str | None] = set()

    async def before(prepared: Prepared, context: CallContext) -> ToolResult | None:
        runs.add(context.run_id)
        if prepared.call.id == "y":
            return ToolResult(call_id="", content="once is enough", code=Code.PERMISSION_DENIED)
        return None

    async with hooked(Hooks(before_call=before)) as chat:
        results, _ = await ended(chat.run(HELLO))

    assert [result.code for result in results] == [None, Code.PERMISSION_DENIED]
    assert server.requests[2]["messages"][-1]["content"] == "once is enough"
    assert probe[0].seen == ["Echo"]
    assert len(runs) == 1
    assert None not in runs


async def test_failures_that_differ_in_nothing_but_their_ids_count_as_the_same(
    server: ScriptedServer, hooked: Open
) -> None:
    async with hooked(Hooks()) as chat:
        for number in range(9):
            fail = asked_for((f"x{number}", "probe_v1_ProbeService_Fail", '{"code": 13}'))
            server.script.append(stream(fail))
        server.script.append(stream(said("I give up.")))
        results, done = await ended(chat.run(HELLO))

    assert len({result.error_id for result in results}) == len(results)
    assert done.stop_reason is StopReason.REPEATING
