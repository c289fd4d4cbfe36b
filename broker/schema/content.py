"""What a backend answered → what a model reads of it: JSON, and the files beside it. Nothing is ever lost.

A call may have changed the world by the time its response is encoded; so whatever goes wrong here is told in
the result, with as much of the response as can be kept, and is never raised.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf import text_format
from google.protobuf.message import Message

from broker.schema.media import gather, joined
from broker.tool import Media, Stream

MAX_SALVAGED = 20_000
"""Characters that are kept of a message that could not be encoded."""

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
            # On the path of every call, so that nothing else is tried first.
            return Content(structured=structured, text=orjson.dumps(structured).decode(), media=media)
        except Exception as error:  # noqa: BLE001 - see the head of this file
            return _mended(lambda: encode(message), [message], error)

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
        media = gather(structured)
        bug = bugs[0] if bugs else None
        try:
            return Content(structured=structured, text=_text(structured), media=media, bug=bug)
        except Exception as error:  # noqa: BLE001 - see the head of this file
            return _salvaged(messages, error)

    return read


def _encoded(encode: Encode, message: Message, bugs: list[Exception]) -> dict[str, Any]:
    try:
        return encode(message)
    except Exception as error:  # noqa: BLE001 - see the head of this file
        bugs.append(error)
        return _salvage(message, error)


def _mended(encode: Callable[[], dict[str, Any]], messages: Sequence[Message], error: Exception) -> Content:
    """Takes the slow way, on which odd text and depth are no hindrance."""
    try:
        structured = encode()
        media = gather(structured)
        return Content(structured=structured, text=_text(structured), media=media)
    except Exception:  # noqa: BLE001 - see the head of this file
        return _salvaged(messages, error)


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


def _salvaged(messages: Sequence[Message], error: Exception) -> Content:
    kept = [_salvage(message, error) for message in messages]
    structured = kept[0] if len(kept) == 1 else {"messages": kept}
    return Content(structured=structured, text=json.dumps(structured, ensure_ascii=False), bug=error)


def _salvage(message: Message, error: Exception) -> dict[str, Any]:
    """What is said of a message that cannot be encoded. No field can have these names."""
    what = f"{type(error).__name__}: {error}"[:300]
    return {
        "@error": f"The call was made; its response could not be written as JSON ({what}).",
        "@response": _as_words(message)[:MAX_SALVAGED],
    }


def _as_words(message: Message) -> str:
    try:
        return str(text_format.MessageToString(message, as_utf8=True))
    except Exception:  # noqa: BLE001 - see the head of this file
        return f"base64: {base64.b64encode(message.SerializePartialToString()[:MAX_SALVAGED]).decode()}"
