"""The seam between the loop and a language model: a conversation and tools → one turn, streamed."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from broker.tool import ToolCall

ChatMessage = dict[str, Any]
"""A message of a conversation as OpenAI's Chat Completions API has it: `{"role": "user", "content": …}`."""

ToolChoice = Literal["auto", "none", "required"] | Mapping[str, Any]
"""How free the model is to call tools; a mapping is OpenAI's own form, which names the tool to call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextDelta:
    """A piece of the model's text, to be appended to the pieces before it."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What the model's server counted, in tokens; 0 where it does not count.

    >>> Usage(input_tokens=3, output_tokens=1) + Usage(input_tokens=5)
    Usage(input_tokens=8, output_tokens=1)
    """

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """All that a model said in one turn."""

    text: str
    calls: tuple[ToolCall, ...]
    """In the model's order; each id differs from the others and from those of the conversation so far."""
    message: ChatMessage
    """The turn as the conversation keeps it, with whatever its server wants to see again."""
    finish_reason: str | None = None
    """Why the model stopped, in its server's word; None where the server did not say."""
    truncated: bool = False
    """True: the model was stopped before it had finished, so that the last of `calls` is not whole."""
    usage: Usage = Usage()


class Model(Protocol):
    """A language model that the loop can drive."""

    @property
    def name(self) -> str:
        """The model's name, as its server knows it."""

    @property
    def profile(self) -> str:
        """The form in which it takes tools; one of `broker.schema.profiles.PROFILES`."""

    def stream(
        self,
        messages: Sequence[ChatMessage],
        tools: Sequence[Mapping[str, Any]],
        *,
        tool_choice: ToolChoice | None = None,
    ) -> AsyncGenerator[TextDelta | Turn, None]:
        """Asks for one turn: pieces of text as they come, and the whole Turn as the last item.

        Closing the generator ends the request. Raises ModelError when there is no turn to be had.
        """
