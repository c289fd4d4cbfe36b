"""Files in a response → text in its JSON, or a `Media` beside it that the JSON names by its place.

A file is a google.api.HttpBody, or a bytes field whose option `media_type` says so. No other bytes are looked
into: they stay base64. What a file is called is the sender's word; an image is one only if it begins as one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.tool import Media

HTTP_BODY = "google.api.HttpBody"

MAX_TEXT = 100_000
"""Characters of one file that are shown as text; a longer one is cut, and is a `Media` as a whole."""
MAX_FILES = 16
"""Files of one result."""
MAX_BYTES = 8 * 1024 * 1024
"""Bytes of all files of one result."""

FILE_PROPERTIES: dict[str, dict[str, Any]] = {
    "content_type": {"type": "string"},
    "bytes": {"type": "integer"},
    "text": {"type": "string"},
    "truncated": {"type": "string"},
    "media": {"type": "integer"},
    "omitted": {"type": "string"},
}
"""The JSON Schema of each property that `encode_file` writes, and `gather` settles."""

_UNKNOWN = "application/octet-stream"
# A token on either side: https://www.rfc-editor.org/rfc/rfc9110#name-media-type
_MEDIA_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+*-]{1,60}/[a-z0-9!#$&^_.+*-]{1,60})\s*(?:;.*)?", re.DOTALL)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([a-z0-9_-]{1,30})", re.IGNORECASE)
# What Python knows beyond these are no charsets of text, or are slow to decode.
_CHARSETS = frozenset(
    {
        "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "utf-16", "gb2312",
        "gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
    }
)  # fmt: skip
_TEXTUAL = frozenset({"application/json", "application/xml", "application/yaml", "application/x-ndjson"})
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BEGINNINGS = re.compile(rb"(\x89PNG\r\n\x1a\n)|(\xff\xd8\xff)|(GIF8[79]a)|(RIFF.{4}WEBP)", re.DOTALL)


class _Held:
    """Stands where the place of a file will be; no JSON value, so that it cannot be sent by mistake."""

    def __init__(self, media: Media) -> None:
        self.media = media


def encode_file(content_type: str, data: bytes) -> dict[str, Any]:
    """A file of the type that its sender says; `gather` must be given what it is part of.

    >>> encode_file("text/csv; charset=utf-8", b"a,b")
    {'content_type': 'text/csv', 'bytes': 3, 'text': 'a,b'}
    """
    media_type = _settled(content_type.lower(), data)
    encoded: dict[str, Any] = {"content_type": media_type, "bytes": len(data)}
    if not data:
        return encoded
    text = _text(media_type, content_type, data)
    if text is not None:
        encoded["text"] = text[:MAX_TEXT]
    if text is None or len(text) > MAX_TEXT:
        encoded["media"] = _Held(Media(media_type=media_type, data=data))
    if text is not None and len(text) > MAX_TEXT:
        encoded["truncated"] = f"{len(text) - MAX_TEXT:,} more characters"
    return encoded


def _settled(content_type: str, data: bytes) -> str:
    """What the file is: providers refuse a whole conversation for an image that is none."""
    match = _MEDIA_TYPE.fullmatch(content_type)
    said = _UNKNOWN if match is None else match[1]
    if not data or not (said in _IMAGES or said in ("image/*", _UNKNOWN)):
        return said
    begun = _BEGINNINGS.match(data)
    return _UNKNOWN if begun is None or begun.lastindex is None else _IMAGES[begun.lastindex - 1]


def _text(media_type: str, content_type: str, data: bytes) -> str | None:
    textual = media_type.startswith("text/") or media_type.endswith(("+json", "+xml"))
    if not textual and media_type not in _TEXTUAL:
        return None
    named = _CHARSET.search(content_type)
    charset = "utf-8" if named is None else named[1].lower()
    if charset not in _CHARSETS:
        return None
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        return None


def gather(encoded: Any) -> tuple[Media, ...]:
    """The files of a whole response, in its order; each `media` in it becomes the place of its file here.

    A file that goes over MAX_FILES or MAX_BYTES is left out, and its place says so.
    """
    taken: list[Media] = []
    size = 0
    for file in _files(encoded):
        media = file["media"].media
        if len(taken) < MAX_FILES and size + len(media.data) <= MAX_BYTES:
            file["media"] = len(taken)
            taken.append(media)
            size += len(media.data)
        else:
            del file["media"]
            file["omitted"] = f"a result holds at most {MAX_FILES} files and {MAX_BYTES:,} bytes of them"
    return tuple(taken)


def _files(encoded: Any) -> Iterator[dict[str, Any]]:
    pending = [encoded]  # no recursion: a response may be as deep as protobuf allows
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if type(node.get("media")) is _Held:
                yield node
            pending += reversed(node.values())
        elif isinstance(node, list):
            pending += reversed(node)


def is_http_body(message: Descriptor) -> bool:
    """Whether the type is google.api.HttpBody, and has the fields that are read of it."""
    if message.full_name != HTTP_BODY:
        return False
    kinds = {field.name: field.type for field in message.fields if not field.is_repeated}
    wanted = {"content_type": FieldDescriptor.TYPE_STRING, "data": FieldDescriptor.TYPE_BYTES}
    return wanted.items() <= kinds.items()


def may_hold_files(message: Descriptor, descriptors: Descriptors) -> bool:
    """Whether a response of this type can hold a file, at any depth."""
    found, pending = {message.full_name}, [message]
    for held in pending:  # grows while it is read
        # What an Any or an extension holds is known only when it is there.
        if is_http_body(held) or held.full_name == "google.protobuf.Any" or held.is_extendable:
            return True
        for field in held.fields:
            if field.type == FieldDescriptor.TYPE_BYTES and descriptors.field_options(field).media_type:
                return True
            inner = field.message_type
            if inner is not None and inner.full_name not in found:
                found.add(inner.full_name)
                pending.append(inner)
    return False


def chunk_field(message: Descriptor) -> str | None:
    """The field whose values, in a stream of such messages, are parts of one file; None: they are not."""
    if is_http_body(message):
        return "data"
    only = message.fields[0] if len(message.fields) == 1 else None
    if only is None or only.is_repeated or only.type != FieldDescriptor.TYPE_BYTES:
        return None
    return only.name


def joined(messages: Sequence[Message], chunk: str) -> Sequence[Message]:
    """The messages of a stream as one: the first, with the parts of all."""
    if len(messages) < 2:
        return messages
    whole = type(messages[0])()
    whole.CopyFrom(messages[0])
    setattr(whole, chunk, b"".join(getattr(message, chunk) for message in messages))
    return [whole]


def body_encoder(message: Descriptor, encode_field: Callable[[FieldDescriptor], Any]) -> Callable[[Any], Any]:
    """google.api.HttpBody → a file; `encode_field` gives the encoder of its other fields."""
    others = {
        field.name: encode_field(field)
        for field in message.fields
        if field.name not in ("content_type", "data")
    }

    def encode(body: Any) -> dict[str, Any]:
        encoded = encode_file(body.content_type, body.data)
        for name, convert in others.items():
            value = getattr(body, name)
            if value and convert is not None:
                encoded[name] = convert(value)
        return encoded

    return encode
