"""The chunks of one streamed answer of Chat Completions → one Turn.

The SDK's own assembly is not used: it fails on what servers other than OpenAI's send, like calls without an
index, an index that does not begin at 0, or ids and names that come again with each piece.
"""

from collections.abc import Mapping, Set
from typing import Any

from broker.errors import ModelError
from broker.models.call_pieces import CallPieces, WholeCall
from broker.models.event_stream import END
from broker.models.model import ChatMessage, Turn, Usage
from broker.models.text import joined, server_words
from broker.models.token_counts import count, detail
from broker.tool import ToolCall

_OWN_KEYS = frozenset({"role", "content", "refusal", "tool_calls", "function_call"})
_STOPPED = frozenset({"length", "content_filter"})
"""The reasons that say that the model would have gone on."""


class Chunks:
    """Takes the chunks of one answer, as JSON values; `turn` is what they add up to."""

    def __init__(self, taken_ids: Set[str] = frozenset()) -> None:
        """`taken_ids` are those of the conversation so far: some servers begin anew in each turn."""
        self._taken_ids = taken_ids
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._extras: dict[str, list[Any]] = {}
        self._calls = CallPieces()
        self._finish_reason: str | None = None
        self._usage = Usage()
        self._is_answer = False
        self._has_said_something = False
        self._is_over = False
        """Whether the server said that nothing more comes."""

    def add(self, chunk: Any) -> str:
        """Takes one chunk, or END; gives the text in it. Raises ModelError when the server says it failed."""
        self._is_over = self._is_over or chunk == END
        if not isinstance(chunk, dict):
            return ""
        if chunk.get("error"):
            raise ModelError(f"It failed while it answered: {server_words(chunk)}")
        self._usage = _usage(chunk.get("usage"), self._usage)
        choice = _first_choice(chunk)
        if choice is None:
            return ""
        # A server that does not stream sends one choice with a whole message; others repeat it at the end.
        delta = (
            choice.get("delta") if self._has_said_something else choice.get("delta", choice.get("message"))
        )
        self._is_answer = True
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._finish_reason = reason
        self._is_over = self._is_over or bool(reason) or isinstance(choice.get("message"), dict)
        # Azure's content filter speaks in choices without a delta.
        return self._add_delta(delta) if isinstance(delta, dict) else ""

    def turn(self) -> Turn:
        """The whole turn. Raises ModelError where there was no answer at all."""
        if not self._is_answer:
            raise ModelError("It sent no answer: there is no choice in what came.")
        is_cut = self._finish_reason in _STOPPED
        calls, broken = self._calls.finish(self._taken_ids, cut=is_cut, is_over=self._is_over)
        text = joined(self._text)
        refusal = joined(self._refusal)
        extras = {key: merged for key, values in self._extras.items() if (merged := _merge(values))}
        return Turn(
            text=text + refusal,
            calls=tuple(whole.call for whole in calls),
            message=_message(text, refusal, extras, calls),
            finish_reason=self._finish_reason,
            # Of calls it shows in their arguments whether they are whole; of text it does not.
            truncated=broken or is_cut or not (calls or self._is_over),
            usage=self._usage,
        )

    def _add_delta(self, delta: Mapping[str, Any]) -> str:
        for piece in _list(delta.get("tool_calls")):
            self._calls.add(piece)
        if isinstance(delta.get("function_call"), dict):
            # What was there before `tool_calls`; some servers never changed.
            self._calls.add({"function": delta["function_call"]})
        for key, value in delta.items():
            if key not in _OWN_KEYS and value is not None:
                self._extras.setdefault(key, []).append(value)
        text = _text(delta.get("content"))
        refusal = _text(delta.get("refusal"))
        if text or refusal or delta.get("tool_calls") or delta.get("function_call"):
            self._has_said_something = True
        self._text.append(text)
        self._refusal.append(refusal)
        return joined((text, refusal))


def _first_choice(chunk: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices = (choice for choice in _list(chunk.get("choices")) if isinstance(choice, dict))
    return next((choice for choice in choices if choice.get("index") in (0, None)), None)


def _message(text: str, refusal: str, extras: Mapping[str, Any], calls: list[WholeCall]) -> ChatMessage:
    message: ChatMessage = {"role": "assistant", "content": text, **extras}
    if refusal:
        message["refusal"] = refusal
    if calls:
        message["tool_calls"] = [{**openai_call(whole.call), **whole.extras} for whole in calls]
    if not text and (refusal or calls):
        message["content"] = None
    return message


def openai_call(call: ToolCall) -> dict[str, Any]:
    """A call as an assistant's message has it."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _merge(values: list[Any]) -> Any:
    """What the pieces of something unknown add up to, like reasoning that the server wants to see again."""
    if all(isinstance(value, str) for value in values):
        return joined(values)
    if all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    if all(isinstance(value, dict) for value in values):
        return {key: item for value in values for key, item in value.items()}
    return values[-1]


def _text(content: Any) -> str:
    """Text, or the text parts of a list of parts; reasoning in other parts is not the answer."""
    if isinstance(content, str):
        return content
    parts = (part.get("text") for part in _list(content) if isinstance(part, dict))
    return "".join(part for part in parts if isinstance(part, str))


def _usage(value: Any, before: Usage) -> Usage:
    if not isinstance(value, dict):
        return before
    # DeepSeek has a word of its own for what it had read before.
    cached = detail(value, "prompt_tokens_details", "cached_tokens") or count(
        value.get("prompt_cache_hit_tokens")
    )
    return Usage(
        input_tokens=count(value.get("prompt_tokens")),
        output_tokens=count(value.get("completion_tokens")),
        cached_tokens=cached,
        reasoning_tokens=detail(value, "completion_tokens_details", "reasoning_tokens"),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
