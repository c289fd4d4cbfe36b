"""A request's body → the JSON values of its answer, streamed or in one piece, through the openai SDK."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import httpx2
import openai
import orjson

from broker.config.settings import ModelSettings
from broker.errors import ConfigError, ModelError
from broker.models.deadline import Until
from broker.models.endpoints import endpoint_of
from broker.models.event_stream import END, read_events
from broker.models.refusals import FAILURES, explain

_NO_KEY = "none"
"""What is sent as the key to a server for which none is given: the SDK insists on one."""
_LAST_WAIT = 0.1
"""Seconds for the end of a body that is complete: a connection is used again only when its body was read."""


class Connection:
    """One model behind one server; transport, retries and authentication are the SDK's."""

    def __init__(self, settings: ModelSettings, *, max_retries: int) -> None:
        """Raises ConfigError when `settings` lack the model's name, or the key for OpenAI's own server."""
        if settings.name is None:
            raise ConfigError(
                '"name" is missing; write the model\'s name, as its server knows it', ("model",)
            )
        self.name = settings.name
        self._timeout = settings.timeout
        self._client = _client(settings, max_retries)
        self._key = None if self._client.api_key == _NO_KEY else self._client.api_key
        url = self._client.base_url
        self.endpoint = endpoint_of(str(url), settings.endpoint)
        self._server = f'The server of model "{self.name}" at {url.scheme}://{url.netloc.decode()}{url.path}'

    async def ask(
        self, path: str, data: bytes, is_last: Callable[[Any], bool] = lambda _: False
    ) -> AsyncGenerator[Any, None]:
        """The values of the answer's events as they come, up to END, as it is, or the one that `is_last`.

        Raises FAILURES, for `explaining` to explain.
        """
        deadline = time.monotonic() + self._timeout
        response = await self._post(path, data)
        blocks = Until(deadline, response.aiter_bytes())
        async with aclosing(response), aclosing(read_events(blocks)) as events:
            async for event in events:
                if event == END:
                    yield END
                    break
                value = _json(event)
                yield value
                if is_last(value):
                    break
            await _read_rest(blocks)

    @contextmanager
    def explaining(self, body: Mapping[str, Any]) -> Iterator[None]:
        """Within, what goes wrong with the answer to `body` becomes a ModelError that names the server."""
        try:
            yield
        except FAILURES as error:
            raise explain(error, self._server, timeout=self._timeout, key=self._key, body=body) from None

    async def close(self) -> None:
        """Ends the connections to the server."""
        await self._client.close()

    async def _post(self, path: str, data: bytes) -> httpx2.Response:
        # Not the SDK's `create`, which walks through all tools and messages and makes typed objects of the
        # chunks: several times the work.
        async with asyncio.timeout(self._timeout):
            stream = await self._client.post(
                path, cast_to=object, content=data, stream=True, stream_cls=openai.AsyncStream[object]
            )
        return stream.response


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


def dumps(body: Mapping[str, Any]) -> bytes:
    """A request's body as it is sent. Raises ModelError when there is something in it that is no JSON."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise ModelError(f"The conversation cannot be written as JSON: {error}.") from None


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
