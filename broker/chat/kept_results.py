"""The results that a conversation was too small for, whole, each under a short handle: `r1`, `r2` …"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.models.model import ChatMessage

MAX_RESULTS = 100
"""How many are kept of one conversation; the oldest go first."""
_HANDLE = re.compile(r"\br([1-9][0-9]{0,8})\b")
_NAMED = re.compile(r"\bhandle=r([1-9][0-9]{0,8})\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A whole result."""

    text: str
    is_json: bool
    """True: read by path, False: by characters."""


class KeptResults:
    """Those of one conversation, bounded in number and in bytes. A handle is never given twice."""

    def __init__(self, max_bytes: int, messages: Iterable[ChatMessage] = ()) -> None:
        """`max_bytes` are of UTF-8, in all; `messages` may name handles of an earlier run."""
        self._max_bytes = max_bytes
        self._kept: dict[str, Kept] = {}
        self._bytes = 0
        self._last = last_handle(messages)
        self._handles: dict[str, str] = {}
        """By id of the call; those of results that had to go stay, so that a call keeps its handle."""

    @property
    def handles(self) -> tuple[str, ...]:
        """Of all that can be read, the oldest first."""
        return tuple(self._kept)

    def get(self, handle: str) -> Kept | None:
        """The result; None where there is none, or none any more."""
        return self._kept.get(handle)

    def handle_of(self, call_id: str) -> str | None:
        """The handle that the result of a call has, or had."""
        return self._handles.get(call_id)

    def keep(self, call_id: str, kept: Kept) -> str | None:
        """Keeps the result of a call, and says its handle; None: it is too large to be kept.

        A call has one result: the same call a second time has the same handle, and changes nothing.
        """
        if call_id in self._handles:
            return self._handles[call_id]
        if _size(kept) > self._max_bytes:
            return None
        self._last += 1
        handle = self._handles[call_id] = f"r{self._last}"
        self._add(handle, kept)
        return handle

    def _add(self, handle: str, kept: Kept) -> None:
        self._kept[handle] = kept
        self._bytes += _size(kept)
        while self._bytes > self._max_bytes or len(self._kept) > MAX_RESULTS:
            self._bytes -= _size(self._kept.pop(next(iter(self._kept))))

    def to_json(self, max_bytes: int | None = None) -> dict[str, Any]:
        """What `from_json` takes, as JSON values: the newest results, of at most `max_bytes` in all."""
        left = self._max_bytes if max_bytes is None else max_bytes
        saved: list[dict[str, Any]] = []
        for handle, kept in reversed(self._kept.items()):
            left -= _size(kept)
            if left < 0:
                break
            saved.append({"handle": handle, "text": kept.text, "is_json": kept.is_json})
        return {"last": self._last, "calls": dict(self._handles), "results": saved[::-1]}

    @classmethod
    def from_json(cls, saved: Any, max_bytes: int) -> "KeptResults":
        """What `to_json` made, within the bounds that hold now. Raises ValueError for anything else."""
        made = cls(max_bytes)
        try:
            made._last = _number(saved["last"])
            made._handles = {_text(call_id): _handle(handle) for call_id, handle in saved["calls"].items()}
            for one in saved["results"]:
                kept = Kept(text=_text(one["text"]), is_json=one["is_json"] is True)
                made._add(_handle(one["handle"]), kept)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the kept results were not saved by the broker: {error!r}") from None
        return made


def last_handle(messages: Iterable[ChatMessage]) -> int:
    """The highest number of a handle that results in a conversation name; 0: none does.

    >>> last_handle([{"role": "tool", "tool_call_id": "a", "content": "cut … read_result with handle=r3"}])
    3
    """
    texts = (text for message in messages if message["role"] == "tool" for text in _texts(message))
    return max((int(number) for text in texts for number in _NAMED.findall(text)), default=0)


def _texts(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    return [text for part in parts if isinstance(text := part.get("text"), str)]


def _size(kept: Kept) -> int:
    return len(kept.text.encode(errors="replace"))


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _handle(value: Any) -> str:
    if _HANDLE.fullmatch(_text(value)) is None:
        raise TypeError(value)
    return str(value)
