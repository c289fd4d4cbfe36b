"""Text as servers of models send it → text that can be kept and shown."""

from collections.abc import Iterable
from typing import Any

_LONGEST = 500


def joined(pieces: Iterable[str]) -> str:
    """One text of its pieces, with the halves of a character that was cut in two put together.

    Servers in JavaScript cut emoji so. Half a character that stays alone becomes U+FFFD.

    >>> joined(["天气 \\ud83c", "\\udf27"]), joined(["\\ud83c"])
    ('天气 🌧', '\ufffd')
    """
    text = "".join(pieces)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def server_words(body: Any) -> str:
    """What a server says in the body of an error, on one line of at most 500 characters; "" for nothing.

    >>> server_words({"error": {"message": "model not found", "code": 404}}), server_words({"detail": "no"})
    ('model not found', 'no')
    """
    # Gemini puts the error into a list.
    if isinstance(body, list) and body and isinstance(body[0], dict) and body[0].get("error"):
        body = body[0]
    while isinstance(body, dict):
        body = next((body[key] for key in ("error", "message", "detail", "code") if body.get(key)), None)
    if body is None:
        return ""
    line = " ".join(joined([str(body)]).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
