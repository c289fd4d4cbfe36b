"""A conversation and tools → one turn of a model that is asked by OpenAI's Chat Completions API."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from broker.config.model_settings import ModelParameters
from broker.config.settings import ModelSettings
from broker.models.chat_messages import chat_messages
from broker.models.chunks import Chunks
from broker.models.connection import Connection, dumps
from broker.models.endpoints import Endpoint
from broker.models.model import ModelRequest, Notice, TextDelta, Turn, call_ids, opens_a_run
from broker.models.names import Names
from broker.models.offer import offer
from broker.models.parameters import parameters_of
from broker.models.refusals import Refusal
from broker.models.response_format import SCHEMA_IN_WORDS, in_words


class ChatCompletions:
    """A model behind api.openai.com, or behind any server that speaks like it: vLLM, Ollama, llama.cpp …"""

    def __init__(self, settings: ModelSettings, *, max_retries: int = 2) -> None:
        """`max_retries`: how often a request is sent again that was not answered, or with 429 or 5xx.

        Raises ConfigError when `settings` lack the model's name, or the key for OpenAI's own server.
        """
        self._connection = Connection(settings, max_retries=max_retries)
        self._settings = settings
        self.name = self._connection.name
        self.endpoint = self._connection.endpoint
        self.profile = self.endpoint.profile
        self.max_tools = self.endpoint.max_tools

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        """Asks for one turn: pieces of text as they come, and the whole Turn as the last item."""
        names = Names(request.tools, self.endpoint)
        body, notices = self._body(request, names)
        data = dumps(body)
        for notice in notices if opens_a_run(request.messages) else ():
            yield Notice(text=notice)
        chunks = Chunks(call_ids(request.messages))
        try:
            with self._connection.explaining(body):
                async with aclosing(self._connection.ask("/chat/completions", data)) as events:
                    async for event in events:
                        text = chunks.add(event)
                        if text:
                            yield TextDelta(text=text)
                turn = chunks.turn()
        except Refusal as refusal:
            if refusal.refused_tool is not None:
                refusal.refused_tool = names.ours(refusal.refused_tool)
            raise
        yield names.restored(turn)

    async def close(self) -> None:
        """Ends the connections to the model's server."""
        await self._connection.close()

    def _body(self, request: ModelRequest, names: Names) -> tuple[dict[str, Any], Sequence[str]]:
        """What is sent, and what the user should know about it."""
        parameters = parameters_of(self._settings, request.parameters)
        offered = offer(request, self.endpoint)
        format, messages, notices = request.response_format, request.messages, [*offered.notices]
        if format is not None and format.get("type") == "json_schema" and not self.endpoint.json_schema:
            format, messages = in_words(format, messages)
            notices.append(SCHEMA_IN_WORDS)
        body = _parameters(parameters, self.endpoint, stream=self._settings.stream)
        body["messages"] = chat_messages(messages, self.endpoint, names.sent)
        body["model"] = self.name
        body["stream"] = self._settings.stream
        if format is not None:
            body["response_format"] = format
        if not offered.tools:
            body.pop("parallel_tool_calls", None)  # OpenAI refuses it without tools
            return body, notices
        body["tools"] = [_tool(tool, self.endpoint, names) for tool in offered.tools]
        if offered.choice is not None:
            body["tool_choice"] = names.sent_choice(offered.choice)
        if request.parallel_tool_calls is not None and self.endpoint.parallel_tool_calls:
            body["parallel_tool_calls"] = request.parallel_tool_calls
        return body, notices


def _parameters(parameters: ModelParameters, endpoint: Endpoint, *, stream: bool) -> dict[str, Any]:
    """What is not about this conversation. A None in `extra_body` takes a parameter out."""
    known: dict[str, Any] = {
        "stream_options": {"include_usage": True} if stream and endpoint.stream_usage else None,
        # llama.cpp makes one call at a time unless it is told.
        "parallel_tool_calls": True if endpoint.parallel_tool_calls else None,
        "temperature": parameters.temperature,
        "top_p": parameters.top_p,
        endpoint.max_tokens: parameters.max_output_tokens,
        "seed": parameters.seed,
        "reasoning_effort": parameters.reasoning_effort,
        "stop": parameters.stop,
        **parameters.extra_body,
    }
    return {key: value for key, value in known.items() if value is not None}


def _tool(tool: Mapping[str, Any], endpoint: Endpoint, names: Names) -> Mapping[str, Any]:
    if not endpoint.strict and "strict" in tool["function"]:
        function = {key: value for key, value in tool["function"].items() if key != "strict"}
        tool = {**tool, "function": function}
    return names.sent_tool(tool)
