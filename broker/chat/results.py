"""What a model is shown of results: what fits now, what it can read on in, what of old ones is left."""

from collections.abc import Mapping, Sequence
from typing import Any

from broker.chat.ageing import age
from broker.chat.attachments import Attachments, with_handles
from broker.chat.fitting import limit_of
from broker.chat.kept_results import KeptResults
from broker.chat.read_result import read_result
from broker.chat.tool_messages import tool_message
from broker.config.settings import ChatSettings
from broker.models.model import ChatMessage
from broker.tool import ToolCall, ToolResult


class Results:
    """The results of one conversation, within what the settings allow."""

    def __init__(
        self, settings: ChatSettings, messages: Sequence[ChatMessage] = (), saved: Any = None
    ) -> None:
        """`messages` may name results of earlier runs; `saved` is what `to_json` made of this one."""
        self._settings = settings
        self._limit = limit_of(settings.max_result_bytes, settings.max_result_tokens)
        self._kept = (
            KeptResults(settings.max_kept_bytes, messages)
            if saved is None
            else KeptResults.from_json(saved, settings.max_kept_bytes)
        )

    @property
    def can_be_read_on(self) -> bool:
        """Whether there are results that the model has seen only in part."""
        return bool(self._kept.handles)

    def message(self, result: ToolResult) -> ChatMessage:
        """A result as the conversation keeps it; the whole of one that does not fit is kept beside it."""
        return tool_message(result, self._kept, self._limit)

    def shown(self, messages: Sequence[ChatMessage]) -> list[ChatMessage]:
        """The conversation as the model is sent it: images with their handles, old results shortened."""
        settings = self._settings
        told = with_handles(messages)
        return age(told, self._kept, keep_turns=settings.whole_turns, max_bytes=settings.max_whole_bytes)

    def attachments(self, messages: Sequence[ChatMessage]) -> Mapping[str, bytes]:
        """The images of the conversation, by handle."""
        return Attachments(messages)

    async def read(self, call: ToolCall) -> ToolResult:
        """Answers a call of `read_result`."""
        return read_result(call, self._kept, self._limit)

    def to_json(self) -> Any:
        """JSON values."""
        return self._kept.to_json()
