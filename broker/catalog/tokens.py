"""A definition → about how many tokens a model reads of it."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BYTES_PER_TOKEN = 4.57
"""Of JSON Schemas, by o200k_base; measured over the 13,458 methods of googleapis."""
_ENCODING = "o200k_base"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenCounter:
    """Counts tokens, and says how."""

    count: Callable[[str], int]
    method: str

    def of(self, definition: Any) -> int:
        """The tokens of a definition, as it is sent: JSON without spaces."""
        return self.count(json.dumps(definition, ensure_ascii=False, separators=(",", ":")))


def token_counter() -> TokenCounter:
    """Counts with tiktoken where it is installed and has its encoding; else estimates by the length."""
    try:
        encoding = importlib.import_module("tiktoken").get_encoding(_ENCODING)
    except (ImportError, OSError):  # it fetches its encoding when it is first used
        method = f"estimated at {BYTES_PER_TOKEN} bytes a token; install tiktoken to count"
        return TokenCounter(count=estimated, method=method)
    return TokenCounter(
        # A comment may hold what looks like a special token, and is text all the same.
        count=lambda text: len(encoding.encode(text, disallowed_special=())),
        method=f"counted by tiktoken, {_ENCODING}",
    )


def estimated(text: str) -> int:
    """About how many tokens a text has; at least one, but for no text.

    >>> estimated('{"type":"object"}')
    4
    """
    return -(-len(text.encode()) * 100 // round(BYTES_PER_TOKEN * 100))
