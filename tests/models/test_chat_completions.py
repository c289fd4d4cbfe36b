"""What is asked of the server, and what becomes of its failures."""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from broker.config.settings import ModelSettings
from broker.errors import ConfigError, ModelError
from broker.models.chat_completions import ChatCompletions
from broker.models.model import Model, ModelRequest, TextDelta, Turn
from tests.models.scripted_server import (
    Answer,
    ScriptedServer,
    asked_for,
    chunk,
    event,
    refusal,
    said,
    stream,
)

Make = Callable[..., Model]
HELLO = [{"role": "user", "content": "hello"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
KEY = "key-5ecret-5ecret"


async def ask(model: Model, messages: list[dict[str, Any]] | None = None, **more: Any) -> Turn:
    request = ModelRequest(messages=HELLO if messages is None else messages, tools=[TOOL], **more)
    items = [item async for item in model.stream(request)]
    assert isinstance(items[-1], Turn)
    return items[-1]


async def test_the_request_has_what_the_settings_say(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(stream(said("a")))
    model = model_for(
        api_key=KEY,
        temperature=0.0,
        top_p=0.5,
        max_output_tokens=800,
        seed=7,
        reasoning_effort="low",
        stop=["END"],
        extra_body={"top_k": 3, "model": "another"},
    )

    await ask(model, tool_choice="none")

    assert server.requests == [
        {
            "model": "m",
            "messages": HELLO,
            "tools": [TOOL],
            "tool_choice": "none",
            "parallel_tool_calls": True,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": 0.0,
            "top_p": 0.5,
            "max_tokens": 800,
            "seed": 7,
            "reasoning_effort": "low",
            "stop": ["END"],
            "top_k": 3,
        }
    ]
    assert server.headers[0][":path"] == "/v1/chat/completions"
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert server.headers[0]["content-type"] == "application/json"


async def test_without_tools_nothing_is_said_of_tools(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(stream(said("a")))

    _ = [item async for item in model_for().stream(ModelRequest(messages=HELLO, tool_choice="none"))]

    assert server.requests[0].keys() == {"model", "messages", "stream", "stream_options"}


async def test_a_none_in_extra_body_takes_a_parameter_out(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(stream(said("a")))

    await ask(model_for(extra_body={"stream_options": None, "parallel_tool_calls": None}))

    assert server.requests[0].keys() == {"model", "messages", "tools", "stream"}


async def test_the_key_of_the_environment_goes_to_no_other_server(
    server: ScriptedServer, model_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.script.append(stream(said("a")))

    await ask(model_for())

    assert KEY not in str(server.headers)


async def test_the_connection_is_used_again(server: ScriptedServer, model_for: Make) -> None:
    late = Answer(blocks=[*stream(said("b")).blocks, b": one more block\n\n"])
    server.script += [stream(said("a")), late, stream(asked_for(("x", "f", "{}")))]
    model = model_for()

    for _ in range(3):
        await ask(model)

    assert server.connections == 1


async def test_text_is_handed_on_while_the_server_still_speaks(
    server: ScriptedServer, model_for: Make
) -> None:
    go_on = asyncio.Event()
    chunks = [event(one) for one in said("a", "b")]
    server.script.append(Answer(blocks=[chunks[0], go_on, *chunks[1:]]))

    async with aclosing(model_for().stream(ModelRequest(messages=HELLO))) as items:
        first = await anext(items)
        go_on.set()
        rest = [item async for item in items]

    assert first == TextDelta(text="a")
    assert rest[0] == TextDelta(text="b")


async def test_closing_the_stream_ends_the_request(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(Answer(blocks=[event(chunk({"content": "a"})), asyncio.Event()]))

    async with aclosing(model_for().stream(ModelRequest(messages=HELLO))) as items:
        await anext(items)

    await server.gone.wait()


async def test_cancelling_the_task_ends_the_request(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(Answer(blocks=[asyncio.Event()]))
    task = asyncio.create_task(ask(model_for()))
    await server.asked.acquire()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await server.gone.wait()


async def test_a_body_that_does_not_end_after_done_is_not_waited_for(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(Answer(blocks=[*stream(said("a")).blocks, asyncio.Event()]))

    assert (await ask(model_for())).text == "a"


async def test_an_answer_that_is_not_streamed_is_a_turn(server: ScriptedServer, model_for: Make) -> None:
    function = {"name": "f", "arguments": '{"a": 1}'}
    message = {"role": "assistant", "content": "wait", "tool_calls": [{"id": "x", "function": function}]}
    body = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
    }
    text = json.dumps(body, indent=2).encode()
    server.script.append(Answer(blocks=[text[:20], text[20:]], content_type="application/json"))

    turn = await ask(model_for())

    assert turn.text == "wait"
    assert [(call.id, call.name, call.arguments) for call in turn.calls] == [("x", "f", '{"a": 1}')]
    assert turn.usage.input_tokens == 5


HTML = b"<!doctype html><title>Welcome</title>"
REFUSALS = [
    pytest.param(
        refusal(401, {"error": {"message": f"Incorrect key: {KEY}"}}), ["401", "model.api_key"], id="401"
    ),
    pytest.param(refusal(403, {"error": {"message": "no"}}), ["403", "model.api_key", "no"], id="403"),
    pytest.param(refusal(402, {}), ["402", "credit"], id="402"),
    pytest.param(
        refusal(404, {"error": {"message": "no such model"}}),
        ["404", "model.name", "model.base_url", "no such model"],
        id="404",
    ),
    pytest.param(refusal(429, {"error": {"message": "slow down"}}), ["429", "quota", "slow down"], id="429"),
    pytest.param(
        refusal(400, {"error": {"message": f"bad\n schema for {KEY}"}}),
        ["400", "bad schema for ***"],
        id="400",
    ),
    pytest.param(refusal(422, {"detail": "bad"}), ["422", "bad"], id="422"),
    pytest.param(refusal(413, b"", "text/plain"), ["413", "too long"], id="413"),
    pytest.param(refusal(418, {"message": "tea"}), ["418", "tea"], id="another status"),
    pytest.param(refusal(500, b"x" * 2000, "text/plain"), ["500", "its side", "x" * 500 + "…"], id="500"),
    pytest.param(refusal(502, HTML, "text/html"), ["502", "HTML", "model.base_url"], id="HTML with 502"),
    pytest.param(refusal(200, HTML, "text/html"), ["HTML", "model.base_url"], id="HTML"),
    pytest.param(
        refusal(200, b"  \n" + HTML, "text/plain"), ["HTML", "model.base_url"], id="HTML undeclared"
    ),
    pytest.param(
        refusal(400, [{"error": {"code": 400, "message": "Bad n."}}]), ["It says: Bad n."], id="in a list"
    ),
    pytest.param(refusal(200, {"error": {"message": "overloaded"}}), ["overloaded"], id="an error with 200"),
    pytest.param(refusal(200, b""), ["no answer"], id="nothing"),
    pytest.param(stream([{"choices": []}]), ["no answer"], id="no choice"),
    pytest.param(
        stream([chunk({"content": "a"}), {"error": {"message": "out of memory", "code": 500}}]),
        ["out of memory"],
        id="an error in the stream",
    ),
    pytest.param(Answer(blocks=[b"data: {oops\n\n"]), ["not JSON", "{oops"], id="no JSON"),
    pytest.param(
        Answer(blocks=[b"data: " + b"[" * 100_000 + b"\n\n"]), ["not JSON"], id="nested 100,000 deep"
    ),
    pytest.param(
        Answer(blocks=[event(chunk({"content": "a"}))], breaks_off=True),
        ["broke off", "Ask again"],
        id="half a stream",
    ),
    pytest.param(
        stream(asked_for(*((str(number), "f", "{}") for number in range(129)))),
        ["128 tool calls"],
        id="129 calls",
    ),
    pytest.param(
        stream(asked_for(("x", "f", "".join(f'{{"a":{number}}}' for number in range(129))))),
        ["128 tool calls"],
        id="129 objects in one call",
    ),
    pytest.param(
        Answer(
            blocks=[
                b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":%b}}]}}]}\n\n'
                % (b'{"a":' * 500 + b"1" + b"}" * 500)
            ]
        ),
        ["cannot be written as JSON"],
        id="arguments that are a deep object",
    ),
    pytest.param(Answer(blocks=[b"x" * 1_000_000] * 68), ["67,108,864 bytes"], id="an endless line"),
]


@pytest.mark.parametrize(("answer", "told"), REFUSALS)
async def test_a_failure_is_told_in_plain_words_and_without_the_key(
    server: ScriptedServer, model_for: Make, answer: Answer, told: list[str]
) -> None:
    server.script.append(answer)

    with pytest.raises(ModelError) as raised:
        await ask(model_for(api_key=KEY))

    message = str(raised.value)
    assert message.startswith(f'The server of model "m" at {server.base_url}/ ')
    for words in told:
        assert words in message
    assert KEY not in message
    assert "\n" not in message
    assert len(message) < 1000
    assert raised.value.__cause__ is None


async def test_a_server_that_is_down_is_told_with_the_address(model_for: Make) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        model = model_for(base_url=f"http://user:{KEY}@127.0.0.1:{port}/v1")

        with pytest.raises(ModelError) as raised:
            await ask(model)

    assert f"127.0.0.1:{port}" in str(raised.value)
    assert "cannot be reached" in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([asyncio.Event()], id="silent after the head"),
        pytest.param([event(chunk({"content": "a"})), asyncio.Event()], id="silent after a word"),
    ],
)
async def test_a_server_that_is_too_slow_is_told(
    server: ScriptedServer, model_for: Make, blocks: list[Any]
) -> None:
    server.script.append(Answer(blocks=blocks))

    with pytest.raises(ModelError, match=r"did not finish its answer within 0\.05 s. Raise `model\.timeout`"):
        await ask(model_for(timeout=0.05))


async def test_a_server_that_never_says_a_word_is_told(model_for: Make) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        model = model_for(
            base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1", timeout=0.05, max_retries=9
        )

        with pytest.raises(ModelError, match="did not finish"):
            await ask(model)


async def test_a_request_that_was_not_answered_is_sent_again(server: ScriptedServer, model_for: Make) -> None:
    again = Answer(blocks=[b"{}"], status=503, headers={"retry-after-ms": "1"})
    server.script += [again, stream(said("a"))]

    assert (await ask(model_for(max_retries=1))).text == "a"
    assert len(server.requests) == 2


async def test_a_conversation_that_is_no_json_is_told(model_for: Make) -> None:
    with pytest.raises(ModelError, match=r"^The conversation cannot be written as JSON"):
        await ask(model_for(), [{"role": "user", "content": "\ud800"}])


def test_a_model_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match='"name" is missing'):
        ChatCompletions(ModelSettings(driver="chat-completions"))


def test_openai_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(ConfigError, match='"api_key" is missing'):
        ChatCompletions(ModelSettings(name="m"))
