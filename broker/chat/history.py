"""A conversation as it was left → one that every server of models accepts.

Servers refuse a whole conversation for one call without a result, a result without a call, an id that is
there twice, or arguments that are no JSON object; and a run that was interrupted leaves such things behind.
"""

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from broker.models.model import ChatMessage

INTERRUPTED = (
    "This call was interrupted, and its result is not known: it may have taken effect or not. "
    "Find out before you make it again."
)
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")


def with_system(messages: Sequence[ChatMessage], system: str | None) -> list[ChatMessage]:
    """The messages, `system` first unless they have one of their own.

    >>> with_system([{"role": "user", "content": "hi"}], "Be brief.")[0]
    {'role': 'system', 'content': 'Be brief.'}
    """
    if system is None or any(message["role"] in ("system", "developer") for message in messages):
        return list(messages)
    return [{"role": "system", "content": system}, *messages]


def repair(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The same conversation, each call followed by exactly one result, in the order of the calls.

    A call without a result gets one that says so; a result without a call, and an assistant's message without
    anything in it, are dropped; ids are made unique, and names and arguments such that servers take them.
    What is right already is not changed.
    """
    repaired: list[ChatMessage] = []
    ids: set[str] = set()
    waiting: dict[str, deque[ChatMessage]] = {}
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            _answer(waiting, message)
        elif message["role"] == "assistant" and message.get("tool_calls"):
            asked = message["tool_calls"]
            calls = [_sound_call(call, ids, f"{place}.{number}") for number, call in enumerate(asked)]
            results = [_unanswered(call) for call in calls]
            repaired += [{**message, "tool_calls": calls}, *results]
            waiting |= _by_old_id(asked, results)
        else:
            # An empty list of calls is refused like an empty message.
            message = {key: value for key, value in message.items() if key != "tool_calls"}
            if message["role"] != "assistant" or _says_something(message):
                repaired.append(message)
    return repaired


def _answer(waiting: Mapping[str, deque[ChatMessage]], message: ChatMessage) -> None:
    """Puts a result in the place that was kept for it; where there is none, it answers no call."""
    places = waiting.get(message.get("tool_call_id", ""))
    if places:
        place = places.popleft()
        place.update({**message, "tool_call_id": place["tool_call_id"]})


def _unanswered(call: Mapping[str, Any]) -> ChatMessage:
    return {"role": "tool", "tool_call_id": call["id"], "content": INTERRUPTED}


def _by_old_id(
    asked: Iterable[Mapping[str, Any]], results: Iterable[ChatMessage]
) -> dict[str, deque[ChatMessage]]:
    places: dict[str, deque[ChatMessage]] = {}
    for call, result in zip(asked, results, strict=True):
        places.setdefault(call.get("id", ""), deque()).append(result)
    return places


def _sound_call(call: Mapping[str, Any], ids: set[str], place: str) -> dict[str, Any]:
    id = call.get("id")
    if not id or id in ids:
        # The same in each turn of a conversation, because providers cache what does not change.
        id = f"call_{hashlib.sha256(place.encode()).hexdigest()[:24]}"
    ids.add(id)
    function = call.get("function", {})
    name = _NOT_IN_A_NAME.sub("_", function.get("name", ""))[:64]
    arguments = function.get("arguments")
    return {
        **call,
        "id": id,
        "function": {
            **function,
            "name": name if name else "unnamed",
            # Ollama, and the chat templates of vLLM, read the arguments of old calls.
            "arguments": arguments if _is_object(arguments) else "{}",
        },
    }


def _is_object(arguments: Any) -> bool:
    try:
        return isinstance(arguments, str) and isinstance(orjson.loads(arguments), dict)
    except orjson.JSONDecodeError:
        return False


def _says_something(message: ChatMessage) -> bool:
    return any(value for key, value in message.items() if key != "role")
