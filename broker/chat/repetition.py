"""Whether a run gets anywhere: the same call with the same result, again and again, is a loop."""

import hashlib
from collections.abc import Mapping
from typing import Any, Self

import orjson

from broker.tool import ToolCall

WARN_AT = 3
"""So many times the same call had the same result: the model is told."""
STOP_AT = 5
"""And so many times: the run ends, with one last turn to answer."""

_MAX_KEPT = 200


class Repetition:
    """Counts calls that brought nothing new. Two that take turns are found like one that is repeated.

    >>> seen = Repetition()
    >>> poll = ToolCall(id="1", name="Get", arguments='{"id": 7}')
    >>> [seen.note(poll, "pending"), seen.note(poll, "pending"), seen.note(poll, "done")]
    [1, 2, 1]
    """

    def __init__(self, seen: Mapping[str, Any] | None = None) -> None:
        """`seen` is what `to_json` made."""
        self._seen: dict[str, tuple[str, int]] = {}
        for key, (result, count) in ({} if seen is None else seen).items():
            self._seen[key] = (result, count)

    def note(self, call: ToolCall, content: str) -> int:
        """How often in a row this call has had this result, this time included."""
        key, result = _key(call), _hash(content)
        before, count = self._seen.pop(key, (result, 0))
        self._seen[key] = (result, count + 1 if before == result else 1)
        while len(self._seen) > _MAX_KEPT:
            del self._seen[next(iter(self._seen))]
        return self._seen[key][1]

    def something_changed(self, call: ToolCall) -> None:
        """This call had side effects: what other calls found before may be otherwise now."""
        key = _key(call)
        self._seen = {key: self._seen[key]} if key in self._seen else {}

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {key: [result, count] for key, (result, count) in self._seen.items()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_json` made."""
        return cls(saved)


def warning(count: int) -> str:
    """What the model reads before the result of a call that it keeps making."""
    return (
        f"You have made this call {count} times with the same arguments, and the result was always the same. "
        "Do not make it again: answer with what you have, or ask for something else."
    )


def _key(call: ToolCall) -> str:
    try:
        arguments = orjson.dumps(orjson.loads(call.arguments), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # it reads 1,024 levels, and writes 254
        arguments = call.arguments
    return _hash(f"{call.name}\n{arguments}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
