"""A result → the message that hands it to the model: text that fits, and images where models see them."""

import base64
from collections.abc import Iterator
from typing import Any

import orjson

from broker.chat.fitting import MIN_LIMIT, fit_json, fit_text, fits
from broker.chat.kept_results import Kept, KeptResults
from broker.models.model import ChatMessage
from broker.tool import Media, ToolResult

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""What models see. https://platform.openai.com/docs/guides/images-vision"""
MAX_IMAGES = 10
"""Images of one result that are handed on."""
MAX_IMAGE_BYTES = 10 * 1024 * 1024
"""Bytes of all images of one result, before base64 makes a third more of them."""
_MAX_FILES = 100
"""Files of one result that are named."""


def tool_message(result: ToolResult, results: KeptResults, limit: int) -> ChatMessage:
    """A result as the conversation keeps it; `results` keep the whole of it if it is cut.

    `limit` is in bytes of text (fitting.MIN_LIMIT or more). The content is a string, or where the result has
    images and files a list of parts as in a user's message: `text` and `image_url`. What is no image, or too
    much, is said in words.
    """
    content: str | list[dict[str, Any]] = _text(result, results, limit)
    if result.media:
        content = [{"type": "text", "text": content}, *_parts(result.media)]
    return {"role": "tool", "tool_call_id": result.call_id, "content": content}


def _text(result: ToolResult, results: KeptResults, limit: int) -> str:
    if fits(result.content, limit):
        return result.content
    if result.is_error or result.structured is None:
        handle = results.keep(result.call_id, Kept(text=result.content, is_json=False))
        return fit_text(result.content, limit, handle)
    whole = orjson.dumps(result.structured).decode()
    handle = results.keep(result.call_id, Kept(text=whole, is_json=True))
    # What follows the JSON are remarks for the model, on what it gave in vain.
    remarks = result.content[len(whole) :] if result.content.startswith(whole) else ""
    room = limit - len(remarks.encode(errors="replace"))
    if room < MIN_LIMIT:
        remarks, room = "", limit
    return fit_json(result.structured, room, handle) + remarks


def _parts(media: tuple[Media, ...]) -> Iterator[dict[str, Any]]:
    images, left = 0, MAX_IMAGE_BYTES
    for place, one in enumerate(media[:_MAX_FILES]):
        about = f"media {place}: {one.media_type[:100]}, {len(one.data):,} bytes"
        if one.media_type not in IMAGE_TYPES:
            yield _words(f"[{about}; this kind of file cannot be shown here]")
        elif images == MAX_IMAGES or len(one.data) > left:
            yield _words(f"[{about}; not shown, because the images of this result are too many or too large]")
        else:
            images, left = images + 1, left - len(one.data)
            yield _words(f"[{about}]")
            yield _image(one)
    if len(media) > _MAX_FILES:
        yield _words(f"[{len(media) - _MAX_FILES:,} more files]")


def _words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _image(image: Media) -> dict[str, Any]:
    data = base64.b64encode(image.data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}}
