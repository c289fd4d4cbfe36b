"""The HTTP face, driven by the real `openai` client over loopback."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI

from broker.errors import ConfigError
from broker.standin import app

PROMPT = "Find the tree Oak and Elm"
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "woods_FindTree",
            "description": "Finds a tree.",
            "parameters": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            },
        },
    }
]


@pytest.fixture
async def http(client: AsyncOpenAI) -> AsyncIterator[httpx2.AsyncClient]:
    """A bare HTTP client of the same server, for what the SDK would not send."""
    async with httpx2.AsyncClient(base_url=str(client.base_url), timeout=10) as made:
        yield made


async def test_the_model_says_in_its_name_that_it_is_rule_based(client: AsyncOpenAI) -> None:
    [model] = [model async for model in client.models.list()]
    assert "rule-based" in model.id
    assert (await client.models.retrieve(model.id)).id == model.id == app.MODEL
    with pytest.raises(openai.NotFoundError, match='no model "gpt"'):
        await client.models.retrieve("gpt")


async def test_a_prompt_is_answered_with_calls(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="any", messages=[{"role": "user", "content": PROMPT}], tools=TOOLS
    )
    [choice] = answer.choices
    made = [
        (call.function.name, call.function.arguments)
        for call in choice.message.tool_calls or []
        if call.type == "function"
    ]
    assert made == [("woods_FindTree", '{"name":"Oak"}'), ("woods_FindTree", '{"name":"Elm"}')]
    assert len({call.id for call in choice.message.tool_calls or []}) == 2
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert answer.model == app.MODEL


async def test_an_answer_in_words_ends_with_stop_and_counts_tokens(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="any", messages=[{"role": "user", "content": "hello"}]
    )
    assert (answer.choices[0].message.content or "").startswith("Rule-based stand-in")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0 < answer.usage.completion_tokens
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


async def test_a_stream_assembles_to_the_same_calls(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="any",
        messages=[{"role": "user", "content": PROMPT}],
        tools=TOOLS,
        stream=True,
        stream_options={"include_usage": True},
    )
    made: dict[int, list[str]] = {}
    reasons, usages, choices = [], [], []
    async for chunk in stream:
        usages.append(chunk.usage)
        choices.append(len(chunk.choices))
        for choice in chunk.choices:
            reasons.append(choice.finish_reason)
            for call in choice.delta.tool_calls or []:
                assert call.function is not None
                parts = made.setdefault(call.index, ["", "", ""])
                parts[0] += call.id or ""
                parts[1] += call.function.name or ""
                parts[2] += call.function.arguments or ""
    assert [parts[1:] for parts in made.values()] == [
        ["woods_FindTree", '{"name":"Oak"}'],
        ["woods_FindTree", '{"name":"Elm"}'],
    ]
    assert all(parts[0].startswith("call_") for parts in made.values())
    assert reasons[-1] == "tool_calls"
    assert set(reasons[:-1]) == {None}
    assert choices[-1] == 0
    assert usages[-1] is not None
    assert set(usages[:-1]) == {None}


async def test_a_stream_of_words_comes_in_pieces_without_usage_when_not_asked(client: AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "你好"}]
    whole = await client.chat.completions.create(model="any", messages=messages, tools=TOOLS)
    stream = await client.chat.completions.create(model="any", messages=messages, tools=TOOLS, stream=True)
    chunks = [chunk async for chunk in stream]
    pieces = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len([piece for piece in pieces if piece]) > 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.usage is None for chunk in chunks)


async def test_a_stream_ends_with_done(http: httpx2.AsyncClient) -> None:
    body = {"model": "any", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    response = await http.post("chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = response.text.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["id"] for event in events[:-1])


async def test_results_are_worded_and_calls_can_be_forbidden_or_single(client: AsyncOpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    single = await client.chat.completions.create(
        model="any", messages=messages, tools=TOOLS, parallel_tool_calls=False
    )
    calls = single.choices[0].message.tool_calls or []
    assert len(calls) == 1
    messages += [
        single.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": calls[0].id, "content": '{"height": 21.5}'},
    ]
    told = await client.chat.completions.create(
        model="any", messages=messages, tools=TOOLS, tool_choice="none"
    )
    assert "Oak: height = 21.5" in (told.choices[0].message.content or "")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "messages"),
        (b'{"messages": []}', "messages"),
        (b'{"messages": "hi"}', "messages"),
        (b'{"messages": [5]}', "messages"),
        (b'{"messages": [{"role": "nobody"}]}', "messages[0].role"),
        (b'{"messages": [{"role": ["user"]}]}', "messages[0].role"),
        (b'{"messages": [{"role": "assistant", "tool_calls": 5}]}', "messages[0].tool_calls"),
        (b'{"messages": [{"role": "user"}], "tools": {}}', "tools"),
        (b'{"messages": [{"role": "user"}], "tool_choice": "maybe"}', "tool_choice"),
    ],
)
async def test_a_request_that_cannot_be_read_is_refused_with_the_reason(
    body: bytes, message: str, http: httpx2.AsyncClient
) -> None:
    response = await http.post("chat/completions", content=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert message in error["message"]


async def test_the_sdk_raises_what_it_raises_for_openai(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="messages"):
        await client.chat.completions.create(model="any", messages=[])


async def test_a_body_that_is_too_long_is_refused(http: httpx2.AsyncClient) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x" * app.MAX_BODY}]}).encode()
    response = await http.post("chat/completions", content=body)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "chat/completions", 405), ("POST", "embeddings", 404)]
)
async def test_another_route_is_named_with_those_there_are(
    method: str, path: str, status: int, http: httpx2.AsyncClient
) -> None:
    response = await http.request(method, path)
    assert response.status_code == status
    assert "POST /v1/chat/completions" in response.json()["error"]["message"]


async def test_a_bug_is_told_without_its_trace() -> None:
    def broken() -> Any:
        raise RuntimeError("secret")

    transport = httpx2.ASGITransport(app.create_app(today=broken), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        response = await http.post(
            "/v1/chat/completions", json={"messages": [{"role": "user", "content": "hi"}]}
        )
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["error"]["type"] == "server_error"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_it_serves_on_loopback_inside_this_loop_and_leaves_signals_alone(host: str) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    async with app.start(host) as base_url, httpx2.AsyncClient() as http:
        assert (await http.get(f"{base_url}/models")).status_code == 200
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    async with httpx2.AsyncClient() as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"{base_url}/models")


async def test_many_are_answered_at_once(client: AsyncOpenAI) -> None:
    async def ask(at: int) -> str:
        answer = await client.chat.completions.create(
            model="any", messages=[{"role": "user", "content": f"Find the tree Oak{at}"}], tools=TOOLS
        )
        [call] = answer.choices[0].message.tool_calls or []
        assert call.type == "function"
        return call.function.arguments

    assert await asyncio.gather(*map(ask, range(20))) == [f'{{"name":"Oak{at}"}}' for at in range(20)]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", ""])
async def test_a_public_address_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        async with app.start(host):
            pass


async def test_a_port_that_is_taken_is_refused_with_the_cure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="choose another port"):
            async with app.start("127.0.0.1", taken.getsockname()[1]):
                pass
