"""The events of streamed answers of the Responses API, as OpenAI sends them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.models.scripted_server import Answer

Event = dict[str, Any]
Item = dict[str, Any]


def said(text: str) -> Item:
    """An output item that is an answer in words."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def refused(text: str) -> Item:
    """An output item that is a refusal."""
    content = [{"type": "refusal", "refusal": text}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def call(call_id: str, name: str, arguments: str, **more: Any) -> Item:
    """An output item that is a call."""
    item = {"type": "function_call", "id": f"fc_{call_id}", "call_id": call_id, "status": "completed"}
    return {**item, "name": name, "arguments": arguments, **more}


def reasoning(encrypted: str | None) -> Item:
    """An output item that is what the model thought."""
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": encrypted}


def response(items: Sequence[Item], status: str = "completed", **more: Any) -> Event:
    """The response that the last event holds, and an answer in one piece is."""
    return {"object": "response", "id": "resp_1", "status": status, "output": list(items), **more}


def of_item(place: int, item: Item, pieces: Iterable[str]) -> list[Event]:
    """The events of one item, of which the text or the arguments come in `pieces`."""
    where = {"output_index": place, "item_id": item.get("id")}
    begun = {**item, "status": "in_progress"}
    deltas: list[Event] = []
    match item["type"]:
        case "function_call":
            begun["arguments"] = ""
            kind = "response.function_call_arguments"
            deltas = [{"type": f"{kind}.delta", **where, "delta": piece} for piece in pieces]
            deltas.append({"type": f"{kind}.done", **where, "arguments": item["arguments"]})
        case "message":
            begun["content"] = []
            key = "refusal" if item["content"][0]["type"] == "refusal" else "output_text"
            deltas = [
                {"type": f"response.{key}.delta", **where, "content_index": 0, "delta": piece}
                for piece in pieces
            ]
    added = {"type": "response.output_item.added", "output_index": place, "item": begun}
    done = {"type": "response.output_item.done", "output_index": place, "item": item}
    return [added, *deltas, done]


def events(items: Sequence[Item], status: str = "completed", **more: Any) -> list[Event]:
    """A whole stream, each text in two pieces."""
    whole: list[Event] = [{"type": "response.created", "response": response([], "in_progress")}]
    for place, item in enumerate(items):
        text = _text(item)
        whole += of_item(place, item, [text[:4], text[4:]])
    return [*whole, {"type": f"response.{status}", "response": response(items, status, **more)}]


def sent(stream: Iterable[Any], **more: Any) -> Answer:
    """The events on the wire."""
    blocks = [f"event: {one.get('type', 'x')}\ndata: {json.dumps(one)}\n\n".encode() for one in stream]
    return Answer(blocks=blocks, **more)


def _text(item: Item) -> str:
    if item["type"] == "function_call":
        return str(item["arguments"])
    parts = item.get("content") or [{}]
    return str(parts[0].get("text", parts[0].get("refusal", "")))
