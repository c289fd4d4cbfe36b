"""A plan → the bodies of the Chat Completions API: one object, or the chunks of a stream.

Source: https://platform.openai.com/docs/api-reference/chat
"""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from broker.standin.planner import Plan

MODEL = "stand-in-rule-based"
_PIECE = 24
_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One answer, with what a client needs to know it by."""

    id: str
    created: int
    """Seconds since 1970."""
    plan: Plan
    tool_calls: tuple[Mapping[str, Any], ...]
    prompt_tokens: int

    @property
    def finish_reason(self) -> str:
        """Why the answer ends."""
        return "tool_calls" if self.tool_calls else "stop"


def complete(plan: Plan, prompt_bytes: int) -> Completion:
    """Gives ids to a plan's calls. Tokens are estimated, at four characters each."""
    calls = tuple(
        {
            "id": f"call_{secrets.token_hex(12)}",
            "type": "function",
            "function": {"name": call.name, "arguments": orjson.dumps(call.arguments).decode()},
        }
        for call in plan.calls
    )
    return Completion(
        id=f"chatcmpl-{secrets.token_hex(12)}",
        created=int(time.time()),
        plan=plan,
        tool_calls=calls,
        prompt_tokens=_tokens(prompt_bytes),
    )


def to_object(completion: Completion) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": completion.plan.text, "refusal": None}
    if completion.tool_calls:
        message["tool_calls"] = list(completion.tool_calls)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": completion.finish_reason}
    return {**_head(completion, "chat.completion"), "choices": [choice], "usage": _usage(completion)}


def to_events(completion: Completion, *, include_usage: bool) -> Iterator[bytes]:
    """The server-sent events of a streamed answer, up to and with `[DONE]`."""
    head = _head(completion, "chat.completion.chunk")
    extra: dict[str, Any] = {"usage": None} if include_usage else {}
    for delta, reason in (*((delta, None) for delta in _deltas(completion)), ({}, completion.finish_reason)):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        yield _event({**head, "choices": [choice], **extra})
    if include_usage:
        yield _event({**head, "choices": [], "usage": _usage(completion)})
    yield b"data: [DONE]\n\n"


def _deltas(completion: Completion) -> Iterator[dict[str, Any]]:
    """The role; then the text in pieces, or each call's name and its arguments in pieces."""
    yield {"role": "assistant", "content": None if completion.plan.text is None else ""}
    for piece in _pieces(completion.plan.text or ""):
        yield {"content": piece}
    for index, call in enumerate(completion.tool_calls):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str) -> Sequence[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def _head(completion: Completion, kind: str) -> dict[str, Any]:
    return {"id": completion.id, "object": kind, "created": completion.created, "model": MODEL}


def _usage(completion: Completion) -> dict[str, int]:
    said = len(completion.plan.text or "") + sum(
        len(call["function"]["arguments"]) for call in completion.tool_calls
    )
    answer = _tokens(said)
    return {
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": answer,
        "total_tokens": completion.prompt_tokens + answer,
    }


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
