"""The seam between the loop and a language model: a conversation and tools → one turn, streamed."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from broker.tool import ToolCall

ChatMessage = dict[str, Any]
"""A message of a conversation as OpenAI's Chat Completions API has it: `{"role": "user", "content": …}`."""

KEPT_OUTPUT = "responses_output"
"""The key of an assistant's message that holds the items that the Responses API said in this turn, reasoning
among them: that API sees them again, and no other server does."""

Mode = Literal["auto", "none", "required"]
ToolChoice = Mode | Mapping[str, Any]
"""How free the model is to call tools. A mapping is one of Chat Completions' own forms: the one tool to call,
`{"type": "function", "function": {"name": …}}`, or those to choose from, `{"type": "allowed_tools", …}`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRequest:
    """What a model is asked in one turn."""

    messages: Sequence[ChatMessage]
    """The conversation so far, repaired: each call is followed by exactly one result. The content of a result
    may be a list of parts, `text`, `image_url` and `file`, whatever the model's server makes of them."""
    tools: Sequence[Mapping[str, Any]] = ()
    """Definitions in the model's profile."""
    tool_choice: ToolChoice | None = None
    """None: the model chooses."""
    parallel_tool_calls: bool | None = None
    """Whether it may ask for several calls at once; None: as its server takes it."""
    response_format: Mapping[str, Any] | None = None
    """What its answer must look like, as Chat Completions' `response_format`; None: text."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """For this run, over those of the settings: `temperature`, `max_output_tokens` and so on."""


def call_ids(messages: Iterable[ChatMessage]) -> set[str]:
    """The ids of all calls in a conversation."""
    asked = (message.get("tool_calls") for message in messages)
    return {call["id"] for calls in asked if calls for call in calls}


def opens_a_run(messages: Sequence[ChatMessage]) -> bool:
    """Whether the model is asked for the first time since somebody else than a tool has spoken."""
    return not messages or messages[-1]["role"] != "tool"


@dataclass(frozen=True, kw_only=True, slots=True)
class TextDelta:
    """A piece of the model's text, to be appended to the pieces before it."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """Something that the user should know about how the model was asked; nobody has to act on it."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What the model's server counted, in tokens; 0 where it does not count.

    >>> Usage(input_tokens=3, output_tokens=1) + Usage(input_tokens=5)
    Usage(input_tokens=8, output_tokens=1, cached_tokens=0, reasoning_tokens=0)
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Those of the input that its server had read before."""
    reasoning_tokens: int = 0
    """Those of the output that nobody sees."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
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

    @property
    def max_tools(self) -> int | None:
        """How many tools may be offered to it at once; None: its server names no limit, or searches them."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Notice | Turn, None]:
        """Asks for one turn: pieces of text as they come, and the whole Turn as the last item.

        Closing the generator ends the request. Raises ModelError when there is no turn to be had.
        """
