"""Arguments that fit → arguments that are damaged as models, cut streams and attackers damage them."""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

_GARBAGE: Sequence[Any] = (
    None, True, -1, 1.5, 10**400, "", "text", "1e999", "\x00", "2024-13-45T00:00:00Z", [], {}, [[]],
    {"@type": 5}, {"value": {}}, {"": ""}, [None], {"key": 1, "value": 2}, "9" * 400, "{", "[1, 2", "NaN",
)  # fmt: skip
_TIMES = 5


def mutations(value: dict[str, Any], source: random.Random) -> Iterator[str]:
    """Texts, each damaged in another way, the same for the same `source`."""
    for _ in range(_TIMES):
        damaged = copy.deepcopy(value)
        holder, key = source.choice(list(_places(damaged)))
        holder[key] = source.choice(_GARBAGE)
        yield json.dumps(damaged)
    text = json.dumps({**value, "no such field": source.choice(_GARBAGE)})
    yield text
    yield text[: source.randrange(len(text))]
    place = source.randrange(len(text))
    yield text[:place] + source.choice('{}[]",:\\\x00\ud800é9') + text[place + 1 :]
    yield text[:-1] + "," + text[1:]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a value where something stands: what holds it, and its key or index there."""
    if isinstance(value, dict):
        yield value, "extra"
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])
