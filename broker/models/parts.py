"""The content of messages: text, or a list of parts, of which an endpoint takes only some."""

from collections.abc import Iterable
from typing import Any

from broker.models.endpoints import Endpoint

Part = dict[str, Any]
"""A part of content as Chat Completions has it: `{"type": "text", "text": …}`, `{"type": "image_url", …}`."""


def parts_of(content: Any) -> list[Part]:
    """The parts of a message's content; text is one part, and nothing is none.

    >>> parts_of("hi"), parts_of(None)
    ([{'type': 'text', 'text': 'hi'}], [])
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def split_parts(parts: Iterable[Part], endpoint: Endpoint) -> tuple[str, list[Part]]:
    """The text, and the parts beside it that the endpoint takes; words stand for those that it does not."""
    texts, media = [], []
    for part in parts:
        part = takeable(part, endpoint)
        if part.get("type") == "text":
            texts.append(str(part.get("text", "")))
        else:
            media.append(part)
    return "\n".join(texts), media


def takeable(part: Part, endpoint: Endpoint) -> Part:
    """The part, or words in its place where the endpoint would refuse the whole conversation for it."""
    match part.get("type"):
        case "image_url" if endpoint.images == "none":
            return _words("an image, which this model's server does not take")
        case "image_url" if endpoint.images == "inline" and not _url(part).startswith("data:"):
            return _words(f"an image at {_url(part)[:500]}, which this model's server does not fetch")
        case "file" if not endpoint.files:
            return _words("a file, which this model's server does not take")
    return part


def _url(part: Part) -> str:
    image = part.get("image_url")
    return str(image.get("url", "")) if isinstance(image, dict) else str(image)


def _words(what: str) -> Part:
    return {"type": "text", "text": f"[Here was {what}.]"}
