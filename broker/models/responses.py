"""A conversation and tools → one turn of a model that is asked by OpenAI's Responses API."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from broker.config.model_settings import ModelParameters
from broker.config.settings import ModelSettings
from broker.models.connection import Connection, dumps
from broker.models.model import KEPT_OUTPUT, ModelRequest, Notice, TextDelta, Turn, call_ids, opens_a_run
from broker.models.offer import Offer, offer
from broker.models.parameters import parameters_of
from broker.models.refusals import Refusal
from broker.models.response_format import for_responses
from broker.models.responses_input import input_items, without_reasoning
from broker.models.responses_output import Output, is_last
from broker.models.responses_tools import flat_choice, flat_tools, searched_tools

_ENCRYPTED = "reasoning.encrypted_content"
_NOT_SEARCHED = "The model cannot search tools at its server; from now on it is sent all of them."
_FORGOTTEN = "The model's server cannot read the reasoning that is kept in this conversation; it is left out."


class Responses:
    """A model behind api.openai.com, Azure, or another server that has the Responses API.

    Nothing is stored at the server: the conversation holds all of it, the reasoning in encrypted form.
    """

    def __init__(self, settings: ModelSettings, *, max_retries: int = 2) -> None:
        """As with ChatCompletions."""
        self._connection = Connection(settings, max_retries=max_retries)
        self._settings = settings
        self.name = self._connection.name
        self.endpoint = self._connection.endpoint
        self.profile = self.endpoint.profile
        self._encrypts = True
        """Whether encrypted reasoning is asked for; models that do not reason refuse that."""
        self._search_above = self.endpoint.tool_search_above

    @property
    def max_tools(self) -> int | None:
        """How many tools may be offered at once; None: any number, because the server searches them."""
        return self.endpoint.max_tools if self._search_above is None else None

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        """Asks for one turn: pieces of text as they come, and the whole Turn as the last item."""
        while True:
            try:
                async with aclosing(self._ask(request)) as items:
                    async for item in items:
                        yield item
                return
            except Refusal as refusal:
                mended = self._mend(refusal, request)
                if mended is None:
                    raise
            request, notice = mended
            if notice is not None:
                yield Notice(text=notice)

    async def close(self) -> None:
        """Ends the connections to the model's server."""
        await self._connection.close()

    async def _ask(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        body, notices = self._body(request)
        data = dumps(body)
        for notice in notices if opens_a_run(request.messages) else ():
            yield Notice(text=notice)
        output = Output(call_ids(request.messages))
        with self._connection.explaining(body):
            async with aclosing(self._connection.ask("/responses", data, is_last)) as events:
                async for event in events:
                    text = output.add(event)
                    if text:
                        yield TextDelta(text=text)
            turn = output.turn()
        yield turn

    def _mend(self, refusal: Refusal, request: ModelRequest) -> tuple[ModelRequest, str | None] | None:
        """What to ask instead, each only once, and what the user should know; None: nothing will help."""
        words = refusal.words.lower()
        if self._encrypts and (refusal.param == "include" or "encrypted content is not supported" in words):
            self._encrypts = False
            return request, None
        if self._search_above is not None and ("tool_search" in words or "defer_loading" in words):
            self._search_above = None
            return request, _NOT_SEARCHED
        is_about_reasoning = refusal.code == "invalid_encrypted_content" or "encrypted content" in words
        if is_about_reasoning and any(KEPT_OUTPUT in message for message in request.messages):
            return replace(request, messages=without_reasoning(request.messages)), _FORGOTTEN
        return None

    def _body(self, request: ModelRequest) -> tuple[dict[str, Any], Sequence[str]]:
        """What is sent, and what the user should know about it."""
        parameters = parameters_of(self._settings, request.parameters)
        offered = offer(request, self.endpoint)
        body = _parameters(parameters)
        body["model"] = self.name
        body["input"] = input_items(request.messages, self.endpoint)
        body["stream"] = self._settings.stream
        body.setdefault("store", False)
        if self._encrypts:
            body.setdefault("include", [_ENCRYPTED])
        if request.response_format is not None:
            text = body.get("text")  # `verbosity` stands there too
            others = text if isinstance(text, dict) else {}
            body["text"] = {**others, "format": for_responses(request.response_format)}
        if offered.tools:
            body |= self._tools(request, offered)
        return body, [*offered.notices, *_not_taken(parameters)]

    def _tools(self, request: ModelRequest, offered: Offer) -> dict[str, Any]:
        is_searched = self._search_above is not None and len(offered.tools) > self._search_above
        tools = (
            searched_tools(offered.tools, offered.choice, strict=self.endpoint.strict)
            if is_searched
            else flat_tools(offered.tools, strict=self.endpoint.strict)
        )
        known: dict[str, Any] = {
            "tools": tools,
            "tool_choice": None if offered.choice is None else flat_choice(offered.choice),
            "parallel_tool_calls": request.parallel_tool_calls if self.endpoint.parallel_tool_calls else None,
        }
        return {key: value for key, value in known.items() if value is not None}


def _parameters(parameters: ModelParameters) -> dict[str, Any]:
    """What is not about this conversation. A None in `extra_body` takes a parameter out."""
    effort = parameters.reasoning_effort
    known: dict[str, Any] = {
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        "max_output_tokens": parameters.max_output_tokens,
        "reasoning": None if effort is None else {"effort": effort},
        **parameters.extra_body,
    }
    return {key: value for key, value in known.items() if value is not None}


def _not_taken(parameters: ModelParameters) -> list[str]:
    given = {"seed": parameters.seed, "stop": parameters.stop}
    names = " and ".join(f"`{key}`" for key, value in given.items() if value is not None)
    if not names:
        return []
    cure = "`driver: chat-completions` knows it"
    return [f"The Responses API has no {names}, which is left out; {cure}."]
