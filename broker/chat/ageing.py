"""A conversation → the same with old results shortened, so that it does not grow without end.

The same messages give the same text, and more messages change what is before them rarely and in large
steps: what a provider has cached of the conversation is of use until the next step.
"""

from collections import deque
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import orjson

from broker.chat.attachments import image_url
from broker.chat.kept_results import Kept, KeptResults
from broker.models.model import ChatMessage

PREVIEW = 300
"""Characters that stay of an old result; one that is little longer stays as it is."""
_WORTH = 2 * PREVIEW
_IMAGE_SHARE = 16
"""An image costs far fewer tokens than its bytes suggest; about a sixteenth of them are counted."""


def age(
    messages: Sequence[ChatMessage], results: KeptResults, *, keep_turns: int, max_bytes: int
) -> list[ChatMessage]:
    """Shortens results that are more than `keep_turns` questions of the user old, or too much together.

    They are shortened every `keep_turns` questions, so that as many to twice as many stay whole; and when
    more than `max_bytes` of them are whole, the oldest, until half of that is left. The results that the
    model has not answered yet are never touched. What is shortened can be read by its handle in `results`.
    """
    old = _old(messages, keep_turns, max_bytes)
    return [
        _shortened(message, results) if place in old else message for place, message in enumerate(messages)
    ]


@dataclass(slots=True)
class _Whole:
    """The results that are still whole, as a conversation goes on: their places and bytes."""

    waiting: deque[tuple[int, int]] = field(default_factory=deque)
    bytes: int = 0

    def add(self, place: int, size: int) -> None:
        self.waiting.append((place, size))
        self.bytes += size

    def leave(self, before: int, max_bytes: int) -> Iterable[int]:
        """The places of those that are no longer whole: the oldest before a place, until few enough are."""
        while self.waiting and self.waiting[0][0] < before and self.bytes > max_bytes:
            place, size = self.waiting.popleft()
            self.bytes -= size
            yield place


def _old(messages: Sequence[ChatMessage], keep_turns: int, max_bytes: int) -> Set[int]:
    """Where results are old; found by going through the conversation as it came about."""
    whole, old = _Whole(), set[int]()
    questions: list[int] = []
    last_turn = 0
    for place, message in enumerate(messages):
        if message["role"] == "user":
            questions.append(place)
            if len(questions) % keep_turns == 0 and len(questions) > keep_turns:
                old.update(whole.leave(questions[-keep_turns], -1))
        elif message["role"] == "assistant":
            last_turn = place
        elif message["role"] == "tool":
            whole.add(place, _size(message.get("content")))
            if whole.bytes > max_bytes:
                old.update(whole.leave(last_turn, max_bytes // 2))
    return old


def _size(content: Any) -> int:
    """About what a result costs, in bytes of text."""
    if isinstance(content, str):
        return len(content.encode(errors="replace"))
    return sum(
        len(image_url(part)) // _IMAGE_SHARE if image_url(part) else _size(part.get("text") or "")
        for part in content or ()
    )


def _shortened(message: ChatMessage, results: KeptResults) -> ChatMessage:
    content, call_id = message.get("content"), message["tool_call_id"]
    if isinstance(content, str):
        return {**message, "content": _preview(content, call_id, results)}
    parts = [
        {"type": "text", "text": "[an image that is no longer shown]"}
        if image_url(part)
        else {**part, "text": _preview(part.get("text") or "", call_id, results)}
        for part in content or ()
    ]
    return {**message, "content": parts}


def _preview(text: str, call_id: str, results: KeptResults) -> str:
    if len(text) <= _WORTH:
        return text
    handle = results.handle_of(call_id)
    if handle is None:
        handle = results.keep(call_id, Kept(text=text, is_json=_is_json(text)))
    where = "is not kept" if handle is None else f"can be read by read_result with handle={handle}"
    return (
        f"{text[:PREVIEW]}… [{len(text) - PREVIEW:,} more characters; the whole of this old result {where}]"
    )


def _is_json(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict | list)
    except orjson.JSONDecodeError:
        return False
