"""The images of a conversation, each under a handle that a model can give to a tool: `image:1`, `image:2` …

They are counted as they come, in what users and tools have said, so that an image keeps its handle.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from broker.models.model import ChatMessage
from broker.schema.leniency import data_uri

MAX_IMAGES = 1_000
"""Images that get a handle; later ones are seen by the model, and that is all."""
MAX_CHARACTERS = 28 * 1024 * 1024
"""Of an image in base64, which are 21 MB; a larger one gets no handle."""


class Attachments(Mapping[str, bytes]):
    """The images by handle. One at an address of the web has none: nothing is ever fetched."""

    def __init__(self, messages: Iterable[ChatMessage]) -> None:
        """An image becomes bytes when it is first asked for."""
        numbers = count(1)
        parts = [part for message in messages for part in _parts(message) if _is_attachable(part)]
        self._urls = {_handle(next(numbers)): image_url(part) for part in parts[:MAX_IMAGES]}
        self._bytes: dict[str, bytes] = {}

    def __getitem__(self, handle: str) -> bytes:
        """Raises KeyError where there is no such image, or its base64 is not sound."""
        if handle not in self._bytes:
            data = data_uri(self._urls[handle])
            if data is None:
                raise KeyError(handle)
            self._bytes[handle] = data
        return self._bytes[handle]

    def __iter__(self) -> Iterator[str]:
        return iter(self._urls)

    def __len__(self) -> int:
        return len(self._urls)


def with_handles(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The same conversation, each image with its handle before it, in words for the model."""
    numbers = count(1)
    return [_told(message, numbers) if _parts(message) else message for message in messages]


def _told(message: ChatMessage, numbers: "count[int]") -> ChatMessage:
    parts: list[Any] = []
    for part in _parts(message):
        if _is_attachable(part) and (number := next(numbers)) <= MAX_IMAGES:
            handle = _handle(number)
            words = f'This image is {handle}. To give it to a tool, send "{handle}" for a field of bytes.'
            parts.append({"type": "text", "text": words})
        parts.append(part)
    return {**message, "content": parts}


def _parts(message: ChatMessage) -> list[Any]:
    content = message.get("content")
    return content if message["role"] in ("user", "tool") and isinstance(content, list) else []


def _is_attachable(part: Any) -> bool:
    url = image_url(part)
    return url.startswith("data:image/") and ";base64," in url[:200] and len(url) <= MAX_CHARACTERS


def image_url(part: Any) -> str:
    """The address of an image in a message's part; empty for any other part."""
    image = part.get("image_url") if isinstance(part, Mapping) else None
    url = image.get("url") if isinstance(image, Mapping) else None
    return url if isinstance(url, str) else ""


def _handle(number: int) -> str:
    return f"image:{number}"
