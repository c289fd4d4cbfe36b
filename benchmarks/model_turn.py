"""A model turn with 50 tools and 10 messages, beside the same request by httpx2 and orjson."""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.backend import started
from benchmarks.row import Row
from broker.assembly import open_model
from broker.config.settings import Settings
from broker.models.model import ModelRequest

_CHUNKS = 20
_ROUNDS = 9
_TURNS = 30


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return b"data: " + orjson.dumps(body) + b"\n\n"


_ANSWER = b"".join(
    [*(_chunk({"content": "word "}) for _ in range(_CHUNKS)), _chunk({}, "stop"), b"data: [DONE]\n\n"]
)
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{number}",
            "description": "Tells today's current weather in a city: temperature, humidity, wind and sky.",
            "parameters": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "description": "The city, in English or in Chinese."},
                    "units": {"type": "string", "enum": ["UNITS_METRIC", "UNITS_IMPERIAL"]},
                },
                "required": ["name"],
                "additionalProperties": False,
            },
            "strict": False,
        },
    }
    for number in range(50)
]
_MESSAGES = [
    {"role": ("user", "assistant")[number % 2], "content": "How is the weather? " * 5} for number in range(10)
]


def rows() -> list[Row]:
    """CPU of the client for one streamed turn."""
    with started("benchmarks.model_turn") as port:
        ours, reference = asyncio.run(_measure(f"http://127.0.0.1:{port}/v1"))
    return [
        Row(
            name="model turn, 50 tools, 10 messages: CPU",
            reference_name="httpx2 + orjson",
            ours=ours * 1e6,
            reference=reference * 1e6,
            unit="µs",
            floor=3,
            goal=2,
        )
    ]


async def _measure(base_url: str) -> tuple[float, float]:
    model_settings = {"driver": "chat-completions", "name": "m", "base_url": base_url, "api_key": "none"}
    settings = Settings.model_validate({"model": model_settings})
    async with open_model(settings) as model, httpx2.AsyncClient() as client:

        async def ours() -> None:
            request = ModelRequest(messages=_MESSAGES, tools=_TOOLS)
            items = [item async for item in model.stream(request)]
            assert len(items) > 1

        async def reference() -> None:
            body = {"model": "m", "stream": True, "messages": _MESSAGES, "tools": _TOOLS}
            text = ""
            headers = {"content-type": "application/json"}
            async with client.stream(
                "POST", f"{base_url}/chat/completions", content=orjson.dumps(body), headers=headers
            ) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        text += orjson.loads(line[6:])["choices"][0]["delta"].get("content", "")
            assert text

        await _cpu(ours), await _cpu(reference)
        pairs = [(await _cpu(ours), await _cpu(reference)) for _ in range(_ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


async def _cpu(turn: Callable[[], Awaitable[None]]) -> float:
    before = time.process_time()
    for _ in range(_TURNS):
        await turn()
    return (time.process_time() - before) / _TURNS


async def _serve() -> None:
    async def answer(request: Request) -> Response:
        await request.body()
        return Response(_ANSWER, media_type="text/event-stream")

    app = Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(_serve())
