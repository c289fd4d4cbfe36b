"""The one of OpenAI's two APIs by which a model takes tools and reasoning, found by asking."""

import re
from collections.abc import AsyncGenerator, Container
from contextlib import aclosing
from dataclasses import replace
from typing import Literal

from broker.config.settings import ModelSettings
from broker.models.chat_completions import ChatCompletions
from broker.models.model import ModelRequest, Notice, TextDelta, Turn
from broker.models.refusals import Refusal
from broker.models.responses import Responses

Way = Literal["responses", "chat-completions", "chat-completions without reasoning"]
"""How a model can be asked."""

# "Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/completions. To use function
# tools, use /v1/responses or set reasoning_effort to 'none'."
_WITH_TOOLS = re.compile(r"tools.*reasoning|reasoning.*tools", re.IGNORECASE | re.DOTALL)
_NO_ROUTE = (404, 405, 501)


class Auto:
    """Asks by the API that the model's server prefers, and by the other when it is refused there.

    What was found is kept for as long as this object lives.
    """

    def __init__(self, settings: ModelSettings, *, max_retries: int = 2) -> None:
        """As with ChatCompletions."""
        self._chat_completions = ChatCompletions(settings, max_retries=max_retries)
        self._responses = Responses(settings, max_retries=max_retries)
        self.name = self._chat_completions.name
        self.endpoint = self._chat_completions.endpoint
        self.profile = self.endpoint.profile
        prefers = self.endpoint.has_responses and self.endpoint.prefers_responses
        self._way: Way = (
            "responses" if prefers and settings.reasoning_effort != "none" else "chat-completions"
        )

    @property
    def max_tools(self) -> int | None:
        """How many tools may be offered at once, by the API that is asked now; None: it names no limit."""
        return self._responses.max_tools if self._way == "responses" else self._chat_completions.max_tools

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        """Asks for one turn: pieces of text as they come, and the whole Turn as the last item."""
        way, tried = self._way, set[Way]()
        while True:
            tried.add(way)
            try:
                async with aclosing(self._ask(way, request)) as items:
                    async for item in items:
                        if not isinstance(item, Notice):
                            self._way = way
                        yield item
                return
            except Refusal as refusal:
                other = self._way_out(refusal, way, tried)
                if other is None:
                    raise
            yield Notice(text=_notice(way, other))
            way = other

    async def close(self) -> None:
        """Ends the connections to the model's server."""
        await self._responses.close()
        await self._chat_completions.close()

    def _ask(self, way: Way, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        match way:
            case "responses":
                return self._responses.stream(request)
            case "chat-completions":
                return self._chat_completions.stream(request)
        parameters = {**request.parameters, "reasoning_effort": "none"}
        return self._chat_completions.stream(replace(request, parameters=parameters))

    def _way_out(self, refusal: Refusal, way: Way, tried: Container[Way]) -> Way | None:
        """How else to ask; None: the refusal has another reason than the API, or all has been tried."""
        if way == "responses":
            is_gone = refusal.status in _NO_ROUTE and refusal.code != "model_not_found"
            return "chat-completions" if is_gone and "chat-completions" not in tried else None
        if way == "chat-completions" and refusal.status == 400 and _WITH_TOOLS.search(refusal.words):
            goes_on = self.endpoint.has_responses and "responses" not in tried
            return "responses" if goes_on else "chat-completions without reasoning"
        return None


def _notice(refused: Way, other: Way) -> str:
    if refused == "responses":
        return "The model's server has no Responses API; it is asked by Chat Completions from now on."
    reason = "The model does not take tools with reasoning over Chat Completions"
    if other == "responses":
        return f"{reason}; it is asked by the Responses API from now on."
    return f"{reason}; it is asked not to reason from now on. A server with the Responses API would let it."
