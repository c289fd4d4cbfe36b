"""Instructions and a text → what another model says to it, by the SDK of OpenAI."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import openai

MAX_SECONDS = 120.0
"""Somebody waits for the answer; a longer deadline of the client is not used."""
MAX_CHARACTERS = 100_000
"""Of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opinion:
    """What a model said."""

    text: str
    model: str


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

    async def ask(self, instructions: str, text: str, timeout: float | None) -> Opinion:
        """`timeout`: seconds that the client still waits. Raises ExpertFailed."""
        try:
            completion = await self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": "system", "content": instructions}, {"role": "user", "content": text}],
                max_tokens=self._max_tokens,
                timeout=min(timeout or MAX_SECONDS, MAX_SECONDS),
            )
        except openai.APITimeoutError:
            raise ExpertBusy("the other model did not answer in time") from None
        except openai.RateLimitError:
            raise ExpertBusy("the other model's server takes no more requests just now") from None
        except openai.InternalServerError as error:
            raise ExpertBusy(f"the other model's server failed with HTTP {error.status_code}") from None
        except openai.APIStatusError as error:
            raise ExpertFailed(f"the other model's server refused with HTTP {error.status_code}") from None
        except openai.APIConnectionError:
            raise ExpertBusy("the other model's server cannot be reached") from None
        except (openai.OpenAIError, ValueError):
            raise ExpertFailed("the other model's server answered something that is no completion") from None
        return _opinion(completion, self._model)


def _opinion(completion: object, asked: str) -> Opinion:
    """What was said; servers that are compatible leave out what they like, so nothing is relied on."""
    choices = getattr(completion, "choices", None) or ()
    message = getattr(choices[0], "message", None) if choices else None
    text = getattr(message, "content", None)
    if not isinstance(text, str) or not text.strip():
        raise ExpertFailed("the other model said nothing")
    model = getattr(completion, "model", None)
    return Opinion(text=text.strip()[:MAX_CHARACTERS], model=model if isinstance(model, str) else asked)


@asynccontextmanager
async def open_expert(environment: Mapping[str, str]) -> AsyncIterator[Expert]:
    """The model that the environment names; raises ValueError."""
    tokens = environment.get("EXPERT_MAX_TOKENS", "2000")
    if not tokens.isdecimal() or not 0 < int(tokens) <= 100_000:
        raise ValueError(f"EXPERT_MAX_TOKENS {tokens!r} is no number of tokens: give 1 to 100000")
    url = environment.get("EXPERT_BASE_URL", "http://127.0.0.1:8765/v1")
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"EXPERT_BASE_URL {url!r} is no URL: give one like https://host/v1")
    # The model that called us waits, and asks again if it wants: nothing is tried twice here.
    async with openai.AsyncOpenAI(
        base_url=url, api_key=environment.get("EXPERT_API_KEY") or "none", max_retries=0
    ) as client:
        yield Expert(client, environment.get("EXPERT_MODEL", "stand-in"), int(tokens))
