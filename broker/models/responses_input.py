"""A conversation of chat messages → the input items of a request to the Responses API."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from broker.models.chat_messages import sent_id
from broker.models.endpoints import Endpoint
from broker.models.model import KEPT_OUTPUT, ChatMessage
from broker.models.parts import Part, parts_of, split_parts, takeable

Item = dict[str, Any]
"""An item of Responses' `input` and `output`: a message, a call, its result, a piece of reasoning."""

_ID_PATTERN = r".{1,64}"
"""`call_id` may have 64 characters: https://github.com/openai/openai-openapi, FunctionCallOutputItemParam."""


def input_items(messages: Iterable[ChatMessage], endpoint: Endpoint) -> list[Item]:
    """The items that say what the messages say; what this API said itself goes back as it came."""
    items: list[Item] = []
    shown: list[Item] = []
    """What results showed besides text, where a result can only be text."""
    for message in messages:
        if message["role"] != "tool" and shown:
            items.append({"type": "message", "role": "user", "content": shown})
            shown = []
        match message["role"]:
            case "tool":
                items.append(_result(message, endpoint, shown))
            case "assistant":
                items += _assistant(message)
            case role:
                items.append({"type": "message", "role": role, "content": _content(message, endpoint)})
    return [*items, {"type": "message", "role": "user", "content": shown}] if shown else items


def without_reasoning(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The conversation for a server that cannot read the reasoning that is kept in it."""
    return [{key: value for key, value in message.items() if key != KEPT_OUTPUT} for message in messages]


def _content(message: ChatMessage, endpoint: Endpoint) -> str | list[Item]:
    content = message["content"]
    if isinstance(content, str):
        return content
    return [_input_part(takeable(part, endpoint)) for part in parts_of(content)]


def _input_part(part: Part) -> Item:
    match part.get("type"):
        case "text":
            return {"type": "input_text", "text": part.get("text", "")}
        case "image_url":
            image = part["image_url"]
            image = image if isinstance(image, dict) else {"url": image}
            return {"type": "input_image", "image_url": image["url"], "detail": image.get("detail", "auto")}
        case "file":
            return {"type": "input_file", **part["file"]}
    return part


def _result(message: ChatMessage, endpoint: Endpoint, shown: list[Item]) -> Item:
    call_id = sent_id(message["tool_call_id"], _ID_PATTERN)
    text, media = split_parts(parts_of(message["content"]), endpoint)
    output: str | list[Item] = text
    if media and endpoint.result_images:
        texts = [{"type": "input_text", "text": text}] if text else []
        output = [*texts, *map(_input_part, media)]
    elif media:
        told = "[What it shows is in the message after the results.]"
        output = "\n".join(filter(None, (text, told)))
        shown += [{"type": "input_text", "text": f"Shown by call {call_id}:"}, *map(_input_part, media)]
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def _assistant(message: ChatMessage) -> list[Item]:
    calls = message.get("tool_calls")
    calls = calls if calls else []
    kept = message.get(KEPT_OUTPUT)
    # Others than we may have written it: a client hands the conversation back.
    if (
        isinstance(kept, list)
        and all(isinstance(item, dict) for item in kept)
        and _agrees(kept, message, calls)
    ):
        return _as_it_came(kept, calls)
    text = _text(message)
    said = [{"type": "message", "role": "assistant", "content": text}] if text else []
    return [*said, *map(_call, calls)]


def _agrees(kept: Sequence[Item], message: ChatMessage, calls: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the items say what the message says, which may have been changed since."""
    asked = sum(item.get("type") == "function_call" for item in kept)
    return asked == len(calls) and "".join(map(output_text, kept)) == _text(message)


def _as_it_came(kept: Iterable[Item], calls: Iterable[Mapping[str, Any]]) -> list[Item]:
    each_call = map(_call, calls)
    items = []
    is_whole = True
    for item in kept:
        if item.get("type") == "function_call":
            items.append({**item, **next(each_call)})
        elif item.get("type") != "reasoning" or item.get("encrypted_content") or item.get("content"):
            items.append(item)
        else:
            # Nothing is stored at the server, so that it would look in vain for what was thought here.
            is_whole = False
    if is_whole:
        return items
    # By its id an item asks for the reasoning that came before it.
    return [{key: value for key, value in item.items() if key != "id"} for item in items]


def _call(call: Mapping[str, Any]) -> Item:
    function = call["function"]
    return {
        "type": "function_call",
        "call_id": sent_id(call["id"], _ID_PATTERN),
        "name": function["name"],
        "arguments": function["arguments"],
    }


def _text(message: ChatMessage) -> str:
    text = "".join(str(part.get("text", "")) for part in parts_of(message.get("content")))
    refusal = message.get("refusal")
    return text + refusal if isinstance(refusal, str) else text


def output_text(item: Mapping[str, Any]) -> str:
    """What an output item says to the user, refusals among it; "" for what is no message."""
    if item.get("type") != "message":
        return ""
    parts = item.get("content")
    said = (part.get("text", part.get("refusal")) for part in parts_of(parts))
    return "".join(text for text in said if isinstance(text, str))
