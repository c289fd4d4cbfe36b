"""The numbers of tokens that servers send, of which any may be missing, null, or no number."""

from collections.abc import Mapping
from typing import Any


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none.

    >>> count(7), count(-1), count("7"), count(None)
    (7, 0, 0, 0)
    """
    return value if isinstance(value, int) and value > 0 else 0


def detail(usage: Mapping[str, Any], group: str, key: str) -> int:
    """One of the numbers that stand in a group of their own."""
    details = usage.get(group)
    return count(details.get(key)) if isinstance(details, dict) else 0
