"""A conversation → the messages of a request to Chat Completions, as its server takes them."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from broker.models.endpoints import Endpoint
from broker.models.model import KEPT_OUTPUT, ChatMessage
from broker.models.parts import parts_of, split_parts, takeable

_ALWAYS_SENT = frozenset({"role", "content", "refusal", "name", "audio", "tool_calls", "function_call"})
_OF_CALLS = frozenset({"id", "type", "function"})
_REASONING = ("reasoning_content", "reasoning")
_SYSTEM = ("system", "developer")


def chat_messages(
    messages: Iterable[ChatMessage], endpoint: Endpoint, sent_name: Callable[[str], str]
) -> list[ChatMessage]:
    """The messages that say the same and are not refused; `sent_name` is how a tool is called there.

    Only text can be the result of a call here: images and files follow in one message of the user, after all
    results of the turn.
    """
    sent: list[ChatMessage] = []
    shown: list[dict[str, Any]] = []
    """What results showed besides text, each after the words that say whose it is."""
    for message in messages:
        if message["role"] == "tool":
            sent.append(_result(message, endpoint, shown))
            continue
        if shown:
            sent.append({"role": "user", "content": shown})
            shown = []
        match message["role"]:
            case "assistant":
                sent += _assistant(message, endpoint, sent_name)
            case "user":
                sent.append(_user(message, endpoint))
            case _:
                sent.append(_system(message, endpoint))
    if shown:
        sent.append({"role": "user", "content": shown})
    return _one_system_message(sent) if endpoint.one_system_message else sent


def sent_id(call_id: str, pattern: str | None) -> str:
    """The id of a call as an endpoint takes it, the same in each request.

    >>> sent_id("call_1", None), len(sent_id("call_1", "[a-zA-Z0-9]{9}"))
    ('call_1', 9)
    """
    if pattern is None or re.fullmatch(pattern, call_id):
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:9]


def _result(message: ChatMessage, endpoint: Endpoint, shown: list[dict[str, Any]]) -> ChatMessage:
    call_id = sent_id(message["tool_call_id"], endpoint.id_pattern)
    text, media = split_parts(parts_of(message["content"]), endpoint)
    for part in media:
        name = f"Attachment {len(shown) // 2 + 1}"
        text = "\n".join(filter(None, (text, f"[{name} is shown in the message after the results.]")))
        shown += [{"type": "text", "text": f"{name}, of the result of call {call_id}:"}, part]
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def _user(message: ChatMessage, endpoint: Endpoint) -> ChatMessage:
    content = message["content"]
    if isinstance(content, str):
        return message
    return {**message, "content": [takeable(part, endpoint) for part in content]}


def _system(message: ChatMessage, endpoint: Endpoint) -> ChatMessage:
    if message["role"] == "developer" and not endpoint.developer:
        return {**message, "role": "system"}
    return message


def _assistant(
    message: ChatMessage, endpoint: Endpoint, sent_name: Callable[[str], str]
) -> list[ChatMessage]:
    calls = message.get("tool_calls")
    keeps_all = endpoint.send_back == "always" or (endpoint.send_back == "with-calls" and bool(calls))
    sent = {
        key: value
        for key, value in message.items()
        if key in _ALWAYS_SENT or (keeps_all and key != KEPT_OUTPUT)
    }
    if keeps_all:
        _name_reasoning(sent, endpoint.reasoning_field)
    if calls:
        sent["tool_calls"] = [_call(call, endpoint, sent_name, keeps_all) for call in calls]
    # What holds only the other API's output is empty here, and an empty message is refused.
    return [sent] if any(value for key, value in sent.items() if key not in ("role", "name")) else []


def _call(
    call: Mapping[str, Any], endpoint: Endpoint, sent_name: Callable[[str], str], keeps_all: bool
) -> dict[str, Any]:
    function = call["function"]
    return {
        **(call if keeps_all else {key: call[key] for key in _OF_CALLS if key in call}),
        "id": sent_id(call["id"], endpoint.id_pattern),
        "function": {**function, "name": sent_name(function["name"])},
    }


def _name_reasoning(message: ChatMessage, field: str) -> None:
    """Gives reasoning that another server said the key by which this one knows it."""
    for other in _REASONING:
        if other != field and other in message:
            said = message.pop(other)
            message.setdefault(field, said)


def _one_system_message(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    system = [message for message in messages if message["role"] in _SYSTEM]
    if len(system) < 2:
        return list(messages)
    texts = ("".join(part.get("text", "") for part in parts_of(one["content"])) for one in system)
    joined = {**system[0], "content": "\n\n".join(texts)}
    return [joined, *(message for message in messages if message["role"] not in _SYSTEM)]
