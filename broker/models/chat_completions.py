"""A conversation and tools → one turn of a model that is asked by OpenAI's Chat Completions API."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence, Set
from contextlib import aclosing, suppress
from typing import Any

import httpx2
import openai
import orjson

from broker.config.settings import ModelSettings
from broker.errors import ConfigError, ModelError
from broker.models.chunks import Chunks
from broker.models.deadline import Until
from broker.models.event_stream import read_events
from broker.models.model import ChatMessage, ModelRequest, TextDelta, Turn
from broker.models.refusals import FAILURES, explain

_NO_KEY = "none"
"""What is sent as the key to a server for which none is given: the SDK insists on one."""
_LAST_WAIT = 0.1
"""Seconds for the end of a body that is complete: a connection is used again only when its body was read."""


class ChatCompletions:
    """A model behind api.openai.com, or behind any server that speaks like it: vLLM, Ollama, llama.cpp …"""

    profile = "openai"

    def __init__(self, settings: ModelSettings, *, max_retries: int = 2) -> None:
        """`max_retries`: how often a request is sent again that was not answered, or with 429 or 5xx.

        Raises ConfigError when `settings` lack the model's name, or the key for OpenAI's own server.
        """
        if settings.name is None:
            raise ConfigError(
                '"name" is missing; write the model\'s name, as its server knows it', ("model",)
            )
        self.name = settings.name
        self._settings = settings
        self._client = _client(settings, max_retries)
        self._key = None if self._client.api_key == _NO_KEY else self._client.api_key
        self._parameters = _parameters(settings, self._client.base_url.host)
        url = self._client.base_url
        self._server = f'The server of model "{self.name}" at {url.scheme}://{url.netloc.decode()}{url.path}'

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Turn, None]:
        """Asks for one turn: pieces of text as they come, and the whole Turn as the last item."""
        body = self._body(request)
        deadline = time.monotonic() + self._settings.timeout
        chunks = Chunks(_call_ids(request.messages))
        try:
            response = await self._post(body)
            blocks = Until(deadline, response.aiter_bytes())
            async with aclosing(response), aclosing(read_events(blocks)) as events:
                async for data in events:
                    if data == b"[DONE]":
                        break
                    text = chunks.add(_json(data))
                    if text:
                        yield TextDelta(text=text)
                await _read_rest(blocks)
            turn = chunks.turn()
        except FAILURES as error:
            raise explain(error, self._server, timeout=self._settings.timeout, key=self._key) from None
        yield turn

    async def close(self) -> None:
        """Ends the connections to the model's server."""
        await self._client.close()

    async def _post(self, body: bytes) -> httpx2.Response:
        # Not `chat.completions.create`, which walks through all tools and messages and makes typed objects
        # of the chunks: several times the work.
        async with asyncio.timeout(self._settings.timeout):
            stream = await self._client.post(
                "/chat/completions",
                cast_to=object,
                content=body,
                stream=True,
                stream_cls=openai.AsyncStream[object],
            )
        return stream.response

    def _body(self, request: ModelRequest) -> bytes:
        body = {**self._parameters, "model": self.name, "messages": list(request.messages), "stream": True}
        if request.tools:
            body["tools"] = list(request.tools)
            if request.tool_choice is not None:
                body["tool_choice"] = request.tool_choice
        else:
            body.pop("parallel_tool_calls", None)  # OpenAI refuses it without tools
        try:
            return orjson.dumps(body)
        except orjson.JSONEncodeError as error:
            raise ModelError(f"The conversation cannot be written as JSON: {error}.") from None


def _client(settings: ModelSettings, max_retries: int) -> openai.AsyncOpenAI:
    key = None if settings.api_key is None else settings.api_key.get_secret_value()
    if key is None and settings.base_url is not None:
        # The SDK would send the OPENAI_API_KEY of the environment to whatever server this is.
        key = _NO_KEY
    try:
        return openai.AsyncOpenAI(
            api_key=key, base_url=settings.base_url, timeout=settings.timeout, max_retries=max_retries
        )
    except openai.OpenAIError:
        raise ConfigError('"api_key" is missing; write it, or set OPENAI_API_KEY', ("model",)) from None


def _parameters(settings: ModelSettings, host: str) -> dict[str, Any]:
    """What is the same in each request. A None in `extra_body` takes a parameter out."""
    # OpenAI refuses `max_tokens` for its newer models; other servers know it, and not always the newer word.
    is_openai = host.endswith((".openai.com", ".azure.com"))
    parameters: dict[str, Any] = {
        "stream_options": {"include_usage": True},
        "parallel_tool_calls": True,  # llama.cpp makes one call at a time unless it is told
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_completion_tokens" if is_openai else "max_tokens": settings.max_output_tokens,
        "seed": settings.seed,
        "reasoning_effort": settings.reasoning_effort,
        "stop": settings.stop,
        **settings.extra_body,
    }
    return {key: value for key, value in parameters.items() if value is not None}


async def _read_rest(blocks: AsyncIterator[bytes]) -> None:
    with suppress(*FAILURES):
        async with asyncio.timeout(_LAST_WAIT):
            async for _ in blocks:
                pass


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        # NaN among the log-probabilities, half a character: no JSON, but some servers send it.
        return json.loads(data)
    except (ValueError, RecursionError):
        words = data[:80].decode(errors="replace")
        raise ModelError(f"It sent something that is not JSON: {words!r}.") from None


def _call_ids(messages: Sequence[ChatMessage]) -> Set[str]:
    asked = (message.get("tool_calls") for message in messages)
    return {call["id"] for calls in asked if calls for call in calls}
