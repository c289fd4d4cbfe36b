"""Instructions and a text → what another model says to it, by the SDK of OpenAI."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from tool_servers.serving.settings import http_url

MAX_SECONDS = 120.0
"""Somebody waits for the answer; a longer deadline of the client is not used."""
MAX_CHARACTERS = 100_000
"""Of an answer."""
MAX_BYTES = 4 * 1024 * 1024
"""Of what a server sends."""
_MAX_NAME = 200
"""Characters of the name of a model."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What a model said."""

    text: str
    model: str
    is_whole: bool = True
    """False: it was cut off, by the limit on tokens for instance."""


class ExpertFailed(Exception):
    """There is no answer; the text says why, without a word of keys or of what was asked."""


class ExpertBusy(ExpertFailed):
    """There may be one later."""


class Expert:
    """A model that can be asked."""

    def __init__(self, client: openai.AsyncOpenAI, model: str, max_tokens: int) -> None:
        self._client = client
        self._model = model
        self._max_tokens = max_tokens
        # What older servers alone know; newer models of OpenAI refuse it by name.
        self._limit = "max_tokens"

    async def ask(self, instructions: str, text: str, timeout: float | None) -> Opinion:
        """`timeout`: seconds that the client still waits. Raises ExpertFailed."""
        seconds = MAX_SECONDS if timeout is None else min(timeout, MAX_SECONDS)
        try:
            async with asyncio.timeout(seconds):
                body = await self._post(instructions, text)
        except (openai.APITimeoutError, TimeoutError):
            raise ExpertBusy("the other model did not answer in time") from None
        except openai.RateLimitError:
            raise ExpertBusy("the other model's server takes no more requests just now") from None
        except openai.InternalServerError as error:
            raise ExpertBusy(f"the other model's server failed with HTTP {error.status_code}") from None
        except openai.APIStatusError as error:
            raise ExpertFailed(f"the other model's server refused with HTTP {error.status_code}") from None
        except (openai.APIConnectionError, httpx2.HTTPError):
            raise ExpertBusy("the other model's server cannot be reached") from None
        return _opinion(_parsed(body), self._model)

    async def _post(self, instructions: str, text: str) -> bytes:
        limit = self._limit
        try:
            return await self._send(instructions, text, limit)
        except openai.BadRequestError as error:
            if limit != "max_tokens" or limit not in error.message:
                raise
        self._limit = "max_completion_tokens"
        return await self._send(instructions, text, self._limit)

    async def _send(self, instructions: str, text: str, limit: str) -> bytes:
        # Read here, since the SDK takes a body of any length; and uncompressed, so that its length is known.
        async with self._client.chat.completions.with_streaming_response.create(
            model=self._model,
            messages=[{"role": "system", "content": instructions}, {"role": "user", "content": text}],
            extra_body={limit: self._max_tokens},
            extra_headers={"Accept-Encoding": "identity"},
        ) as response:
            body = bytearray()
            async for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ExpertFailed(f"the other model's server sent more than {MAX_BYTES} bytes")
            return bytes(body)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        completion = json.loads(body)
    except (ValueError, RecursionError):
        completion = None
    if not isinstance(completion, dict):
        raise ExpertFailed("the other model's server answered something that is no completion")
    return completion


def _opinion(completion: dict[str, Any], asked: str) -> Opinion:
    """What was said; servers that are compatible leave out what they like, so nothing is relied on."""
    choices = completion.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    message = _object(choice.get("message"))
    text = _text(message.get("content")) or _text(message.get("refusal"))
    if not text:
        raise ExpertFailed("the other model said nothing")
    is_whole = choice.get("finish_reason") in (None, "stop") and len(text) <= MAX_CHARACTERS
    model = _text(completion.get("model"))[:_MAX_NAME] or asked
    return Opinion(text=text[:MAX_CHARACTERS], model=model, is_whole=is_whole)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Without halves of pairs of UTF-16, which JSON can have and a message cannot."""
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else ""


@asynccontextmanager
async def open_expert(environment: Mapping[str, str]) -> AsyncIterator[Expert]:
    """The model that the environment names; raises ValueError."""
    tokens = environment.get("EXPERT_MAX_TOKENS", "2000")
    if not tokens.isdecimal() or not 0 < int(tokens[:7]) <= 100_000:
        raise ValueError(f"EXPERT_MAX_TOKENS {tokens[:20]!r} is no number of tokens: give 1 to 100000")
    url = http_url(environment, "EXPERT_BASE_URL", "http://127.0.0.1:8765/v1")
    # A key that was read from a file ends with a line feed.
    key = environment.get("EXPERT_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ValueError("EXPERT_API_KEY has characters that no key has: give it in ASCII, on one line")
    # The model that called us waits, and asks again if it wants: nothing is tried twice here.
    async with openai.AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0) as client:
        yield Expert(client, environment.get("EXPERT_MODEL", "stand-in"), int(tokens))
