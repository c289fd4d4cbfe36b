"""What a backend answered → what a model reads of it: JSON, and the files beside it. Nothing is ever lost.

A call may have changed the world by the time its response is encoded; so whatever goes wrong here is told in
the result, with as much of the response as can be kept, and is never raised.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf.message import Message

from broker.schema.media import gather, joined
from broker.schema.salvage import salvaged
from broker.tool import Media, Stream

Encode = Callable[[Message], dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A response as a model reads it."""

    structured: Mapping[str, Any]
    text: str
    """`structured` as JSON."""
    media: tuple[Media, ...] = ()
    bug: Exception | None = None
    """Why a message could not be encoded."""


def message_reader(encode: Encode, has_files: bool) -> Callable[[Any], Content]:
    """Reads the one response of a call. `has_files`: whether there can be any."""

    def read(message: Message) -> Content:
        try:
            structured = encode(message)
            media = gather(structured) if has_files else ()
            # On the path of every call, so nothing is tried that most messages do not need.
            return Content(structured=structured, text=orjson.dumps(structured).decode(), media=media)
        except Exception:  # noqa: BLE001 - see the head of this file
            bugs: list[Exception] = []
            return _content(_encoded(encode, message, bugs), bugs)

    return read


def stream_reader(encode: Encode, chunk: str | None) -> Callable[[Stream], Content]:
    """Reads a stream of responses. `chunk`: the field whose values are parts of one file, if they are."""

    def read(stream: Stream) -> Content:
        messages = stream.messages if chunk is None else joined(stream.messages, chunk)
        bugs: list[Exception] = []
        encoded = [_encoded(encode, message, bugs) for message in messages]
        structured = {
            "messages": encoded,
            "count": len(encoded),
            "complete": stream.complete,
            "reason": stream.reason,
        }
        return _content(structured, bugs)

    return read


def _encoded(encode: Encode, message: Message, bugs: list[Exception]) -> dict[str, Any]:
    try:
        return encode(message)
    except Exception as error:  # noqa: BLE001 - see the head of this file
        bugs.append(error)
        return salvaged(encode, message, error)


def _content(structured: dict[str, Any], bugs: list[Exception]) -> Content:
    media = gather(structured)
    text = _text(structured)
    return Content(structured=structured, text=text, media=media, bug=bugs[0] if bugs else None)


def _text(structured: dict[str, Any]) -> str:
    try:
        return orjson.dumps(structured).decode()
    except TypeError:
        _spell_out(structured)
        # orjson gives up at 254 levels, which messages reach that lie in an Any.
        return json.dumps(structured, ensure_ascii=False)


def _spell_out(structured: Any) -> None:
    """Replaces, in place, text that is no UTF-8: proto2 lets it pass, and then its strings are bytes."""
    pending = [structured]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            entries = [(_as_text(key), _as_text(value)) for key, value in node.items()]
            node.clear()
            node.update(entries)
            pending += node.values()
        elif isinstance(node, list):
            node[:] = map(_as_text, node)
            pending += node


def _as_text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
