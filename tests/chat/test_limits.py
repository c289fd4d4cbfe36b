"""What a run may cost, and how it ends when that is used up."""

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from broker.chat.events import CallFinished, Done, Event, StopReason
from broker.chat.limits import Budget, Limits, Spent
from broker.chat.loop import Chat
from broker.chat.options import RunOptions
from broker.errors import Code
from broker.models.model import Usage
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, chunk, said, stream
from tests.servers.probe import Probe

Make = Callable[..., Chat]
HELLO = [{"role": "user", "content": "hello"}]
PREFIX = "probe_v1_ProbeService_"


def calls(*asked: tuple[str, str, str], tokens: tuple[int, int] = (10, 1)) -> Answer:
    """Calls, each (id, method, text)."""
    pieces = asked_for(*((id, PREFIX + method, json.dumps({"text": text})) for id, method, text in asked))
    return stream([*pieces, counted(*tokens)])


def counted(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    return {"choices": [], "usage": usage}


async def ended(run: AsyncGenerator[Event, None]) -> tuple[dict[str, Code | None], Done]:
    """The code of each call's result, and the end."""
    *events, done = [event async for event in run]
    assert isinstance(done, Done)
    return {event.call.id: event.result.code for event in events if isinstance(event, CallFinished)}, done


async def test_calls_beyond_the_limit_are_not_made_and_the_model_reads_so(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    server.script += [calls(("a", "Echo", "1"), ("b", "Echo", "2"), ("c", "Echo", "3")), stream(said("ok"))]

    codes, done = await ended(chat_with(max_calls=2).run(HELLO))

    assert codes == {"a": None, "b": None, "c": Code.RESOURCE_EXHAUSTED}
    assert "all 2 calls of this run are used up" in server.requests[1]["messages"][-1]["content"]
    assert probe[0].seen == ["Echo", "Echo"]
    assert done.stop_reason is StopReason.ANSWERED


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"chat": {"max_calls_per_tool": 1}}, id="any tool"),
        pytest.param({"tools": {"*.Echo": {"max_calls": 1}}}, id="this tool"),
        pytest.param({"chat": {"max_calls_per_tool": 1}, "tools": {"*.Flaky": {"max_calls": 9}}}, id="both"),
    ],
)
async def test_a_tool_is_called_no_more_often_than_it_may_be(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    chat_before: Callable[..., Any],
    settings: dict[str, Any],
) -> None:
    asked = [("a", "Echo", "1"), ("b", "Echo", "2"), ("c", "Flaky", "3")]
    server.script += [calls(*asked), stream(said("ok"))]

    async with chat_before(**settings) as chat:
        codes, _ = await ended(chat.run(HELLO))

    assert codes == {"a": None, "b": Code.RESOURCE_EXHAUSTED, "c": None}


async def test_a_caller_may_ask_for_less_than_the_operator_allows_and_not_for_more(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [stream(said("a")), stream(said("b"))]
    chat = chat_with(max_turns=2)

    await ended(chat.run(HELLO, options=RunOptions(limits=Limits(max_turns=1))))
    await ended(chat.run(HELLO, options=RunOptions(limits=Limits(max_turns=9))))

    assert [request.get("tool_choice") for request in server.requests] == ["none", None]


async def test_before_the_tokens_run_out_the_model_must_answer(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [
        calls(("a", "Echo", "1"), tokens=(30, 1)),
        stream([*said("That is all."), counted(35, 1)]),
    ]

    _, done = await ended(chat_with(max_input_tokens=80).run(HELLO))

    assert [request.get("tool_choice") for request in server.requests] == [None, "none"]
    assert (done.stop_reason, done.text) == (StopReason.ANSWERED, "That is all.")


async def test_when_the_tokens_are_used_up_the_model_is_not_asked_again(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script.append(calls(("a", "Echo", "1"), tokens=(500, 1)))

    codes, done = await ended(chat_with(max_input_tokens=100).run(HELLO))

    assert codes == {"a": None}
    assert done.stop_reason is StopReason.MAX_TOKENS
    assert len(server.requests) == 1


async def test_a_limit_holds_though_the_models_server_counts_nothing(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    long = "word " * 200
    server.script += [
        stream(asked_for((name, f"{PREFIX}Echo", json.dumps({"text": long})))) for name in "abc"
    ]

    codes, done = await ended(chat_with(max_output_tokens=500).run(HELLO))

    assert done.stop_reason is StopReason.MAX_TOKENS
    assert len(server.requests) == 2
    assert probe[0].seen == ["Echo"]
    assert codes == {"a": None, "b": Code.RESOURCE_EXHAUSTED}
    assert 200 < done.usage_by_turn[0].output_tokens < 400


async def test_the_tokens_that_are_left_bound_what_a_turn_may_write(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [calls(("a", "Echo", "1"), tokens=(1, 30)), stream(said("ok"))]
    options = RunOptions(limits=Limits(max_output_tokens=100))

    _, done = await ended(chat_with().run(HELLO, options=options))

    assert [request["max_tokens"] for request in server.requests] == [100, 70]
    assert done.usage_by_turn[0] == Usage(input_tokens=1, output_tokens=30)


@pytest.mark.parametrize(
    ("limit", "asked", "reason"),
    [
        pytest.param(75, [75, 45], StopReason.ANSWERED, id="the turn that comes is the last"),
        pytest.param(45, [45], StopReason.MAX_TOKENS, id="too few are left for any turn"),
        pytest.param(46, [46, 16], StopReason.ANSWERED, id="just enough"),
    ],
)
async def test_a_model_is_never_asked_for_fewer_tokens_than_servers_take(
    server: ScriptedServer, chat_with: Make, limit: int, asked: list[int], reason: StopReason
) -> None:
    server.script += [calls(("a", "Echo", "1"), tokens=(1, 30)), stream(said("ok"))]

    _, done = await ended(chat_with(max_output_tokens=limit).run(HELLO))

    assert [request["max_tokens"] for request in server.requests] == asked
    assert [request.get("tool_choice") for request in server.requests[1:]] == ["none"] * (len(asked) - 1)
    assert done.stop_reason is reason


async def test_the_time_of_a_run_is_the_deadline_of_its_calls(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [calls(("a", "Echo", "1")), stream(said("ok"))]

    _, done = await ended(chat_with(timeout="7s").run(HELLO))

    assert 0 < json.loads(done.messages[1]["content"])["time_remaining"] <= 7


async def test_the_same_call_with_the_same_result_is_warned_of_and_then_ended(
    server: ScriptedServer, chat_before: Callable[..., Any]
) -> None:
    server.script += [calls((f"c{n}", "Garbage", "x")) for n in range(5)]
    server.script.append(stream(said("I give up.")))

    async with chat_before(tools={"*.Garbage": {"read_only": True}}) as chat:
        _, done = await ended(chat.run(HELLO))

    told = [message["content"] for message in done.messages if message["role"] == "tool"]
    assert ["Do not make it again" in content for content in told] == [False, False, True, True, True]
    assert server.requests[5]["tool_choice"] == "none"
    assert (done.stop_reason, done.text) == (StopReason.REPEATING, "I give up.")


async def test_a_call_in_place_of_the_answer_that_was_due_is_refused_for_that_and_not_for_its_turn(
    server: ScriptedServer, chat_with: Make
) -> None:
    server.script += [calls((f"c{n}", "Nothing", "x")) for n in range(6)]

    _, done = await ended(chat_with().run(HELLO))

    assert done.stop_reason is StopReason.REPEATING
    assert "an answer was due in this turn" in done.messages[-1]["content"]


async def test_calls_that_take_turns_without_progress_are_found_too(
    server: ScriptedServer, chat_before: Callable[..., Any]
) -> None:
    quiet = {"*.Garbage": {"read_only": True}}
    for n in range(5):
        server.script += [calls((f"a{n}", "Garbage", "x")), calls((f"b{n}", "Garbage", "y"))]
    server.script[9] = stream(said("I give up."))

    async with chat_before(tools=quiet, chat={"max_turns": 20}) as chat:
        _, done = await ended(chat.run(HELLO))

    assert done.stop_reason is StopReason.REPEATING


@pytest.mark.parametrize(
    ("tools", "between"),
    [
        pytest.param({"*.Garbage": {"polling": True}}, None, id="a tool that is polled"),
        pytest.param({"*.Garbage": {"read_only": True}}, "Flaky", id="something was done in between"),
    ],
)
async def test_a_call_that_may_bring_something_new_is_no_loop(
    server: ScriptedServer,
    chat_before: Callable[..., Any],
    tools: dict[str, Any],
    between: str | None,
) -> None:
    for n in range(6):
        server.script.append(calls((f"a{n}", "Garbage", "x")))
        if between is not None:
            server.script.append(calls((f"b{n}", between, f"x{n}")))
    server.script.append(stream(said("done")))

    async with chat_before(tools=tools, chat={"max_turns": 20}) as chat:
        _, done = await ended(chat.run(HELLO))

    assert (done.stop_reason, done.text) == (StopReason.ANSWERED, "done")


async def test_arguments_too_deep_to_be_written_again_are_refused_and_the_run_goes_on(
    server: ScriptedServer, probe: tuple[Probe, int], chat_with: Make
) -> None:
    deep = f'{{"text": {"[" * 300}{"]" * 300}}}'
    asked = asked_for(("a", f"{PREFIX}Echo", deep), ("b", f"{PREFIX}Nothing", deep))
    server.script += [stream(asked), stream(said("Done."))]

    codes, done = await ended(chat_with().run(HELLO))

    assert codes == {"a": Code.INVALID_ARGUMENT, "b": Code.NOT_FOUND}
    assert (done.text, probe[0].seen) == ("Done.", [])


async def test_an_answer_that_the_server_cut_off_says_so(server: ScriptedServer, chat_with: Make) -> None:
    server.script.append(stream([chunk({"content": "Once upon a"}), chunk({}, "length")]))

    _, done = await ended(chat_with().run(HELLO))

    assert (done.stop_reason, done.text) == (StopReason.CUT_OFF, "Once upon a")


def test_what_was_spent_is_the_same_after_it_was_saved() -> None:
    spent = Spent(turns=2, usage=[Usage(input_tokens=3, output_tokens=4)])
    spent.calls["a"] += 2

    loaded = Spent.from_json(json.loads(json.dumps(spent.to_json())))

    assert (loaded.turns, loaded.usage, loaded.calls) == (spent.turns, spent.usage, spent.calls)
    assert 0 < loaded.seconds <= loaded.elapsed
    assert Budget(Limits(), loaded).deadline() is None
