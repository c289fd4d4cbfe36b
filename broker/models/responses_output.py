"""The events of one streamed answer of Responses, or the answer in one piece → one Turn."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from broker.errors import ModelError
from broker.models.call_pieces import CallPieces, WholeCall
from broker.models.chunks import openai_call
from broker.models.model import KEPT_OUTPUT, ChatMessage, Turn, Usage
from broker.models.parts import parts_of
from broker.models.responses_input import Item, output_text
from broker.models.text import joined, server_words
from broker.models.token_counts import count, detail

_MAX_ITEMS = 10_000
_ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
"""The last event of a stream, and the status of the response that it says."""


def is_last(event: Any) -> bool:
    """Whether nothing follows the event that matters: some servers leave the stream open after it."""
    return isinstance(event, dict) and event.get("type") in _ENDS


class Output:
    """Takes the events of one answer, as JSON values; `turn` is what they add up to."""

    def __init__(self, taken_ids: Set[str] = frozenset()) -> None:
        """`taken_ids` are those of the calls in the conversation so far."""
        self._taken_ids = taken_ids
        self._items: dict[int, Item] = {}
        """What is whole, by its place."""
        self._pieces: dict[int, list[str]] = {}
        """Text, or arguments, of what is under way."""
        self._begun: dict[int, Item] = {}
        self._said: list[str] = []
        """The pieces of text, of all items."""
        self._response: Mapping[str, Any] = {}
        self._status: str | None = None
        self._unfinished = False
        """Whether no end came of some item."""

    def add(self, event: Any) -> str:
        """Takes one event; gives the text in it. Raises ModelError when it says that the server failed."""
        if not isinstance(event, dict):
            return ""
        kind = event.get("type")
        if kind == "error" or (kind is None and event.get("error")):
            raise ModelError(f"It failed while it answered: {server_words(event)}")
        if kind in _ENDS:
            return self._end(event.get("response"), _ENDS[kind])
        if kind is None and (event.get("object") == "response" or "output" in event):
            return self._end(event, "completed")
        place = event.get("output_index")
        place = place if isinstance(place, int) else len(self._items)
        match kind:
            case "response.output_item.added":
                self._begun[place] = _item(event.get("item"))
                self._check_number(len(self._begun))
            case "response.output_item.done":
                return self._whole(place, _item(event.get("item")))
            case "response.output_text.delta" | "response.refusal.delta":
                text = self._piece(place, event.get("delta"))
                self._said.append(text)
                return text
            case "response.function_call_arguments.delta":
                self._piece(place, event.get("delta"))
            case "response.function_call_arguments.done":
                self._pieces[place] = [_text(event.get("arguments"))]
        return ""

    def turn(self) -> Turn:
        """The whole turn. Raises ModelError where there was no answer at all."""
        items = [self._items[place] for place in sorted(self._all_items())]
        if not items and self._status is None:
            raise ModelError("It sent no answer: there is no output in what came.")
        truncated = self._status == "incomplete"
        is_over = self._status is not None or not self._unfinished
        calls, broken = _calls(items, self._taken_ids, cut=truncated, is_over=is_over)
        text = joined(map(output_text, items))
        return Turn(
            text=text,
            calls=tuple(whole.call for whole in calls),
            message=_message(items, calls),
            finish_reason=self._finish_reason(),
            truncated=truncated or broken or not (calls or is_over),
            usage=_usage(self._response.get("usage")),
        )

    def _end(self, response: Any, status: str) -> str:
        self._response = response if isinstance(response, dict) else {}
        said = self._response.get("status")
        self._status = said if isinstance(said, str) and said else status
        if self._status in ("failed", "cancelled"):
            words = server_words(self._response.get("error"))
            raise ModelError(f"It failed while it answered: {words if words else self._status}")
        output = self._response.get("output")
        # Some servers leave it empty, having said it all before.
        if not isinstance(output, list) or not output or self._items:
            return ""
        return self._take_all(output)

    def _take_all(self, output: list[Any]) -> str:
        """Takes the output of an answer of which no item was sent whole; gives the text that is new in it."""
        said = joined(self._said)
        self._pieces.clear()
        self._begun.clear()
        self._check_number(len(output))
        self._items = {place: _item(item) for place, item in enumerate(output)}
        text = joined(map(output_text, self._items.values()))
        return text.removeprefix(said) if text.startswith(said) else ""

    def _whole(self, place: int, item: Item) -> str:
        """Takes a whole item; gives the text of it that was not there before."""
        before = joined(self._pieces.get(place, ()))
        if _is_another(item, self._items.get(place, item)):
            place = _MAX_ITEMS + len(self._items)
        self._items[place] = item
        self._check_number(len(self._items))
        if item.get("type") == "function_call" and not item.get("arguments"):
            item["arguments"] = before
        text = output_text(item)
        return text.removeprefix(before) if text.startswith(before) else ""

    def _piece(self, place: int, delta: Any) -> str:
        text = _text(delta)
        self._pieces.setdefault(place, []).append(text)
        self._check_number(len(self._pieces))
        return joined([text])

    def _all_items(self) -> Set[int]:
        """The places of all items, once those of which no end came are put together from their pieces."""
        for place in self._pieces.keys() | self._begun.keys():
            if place not in self._items:
                begun = self._begun.get(place, {"type": "message", "role": "assistant"})
                self._unfinished = True
                self._items[place] = _put_together(begun, joined(self._pieces.get(place, ())))
        return self._items.keys()

    def _finish_reason(self) -> str | None:
        details = self._response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return reason if isinstance(reason, str) else self._status

    def _check_number(self, items: int) -> None:
        if items > _MAX_ITEMS:
            raise ModelError(f"Its answer has more than {_MAX_ITEMS:,} items; it was not read to the end.")


def _is_another(item: Item, before: Item) -> bool:
    """Whether a server gives one place to several items, which are to be told apart by what they are."""
    keys = ("type", "call_id") if item.get("type") == "function_call" else ("type",)
    return any(item.get(key) != before.get(key) for key in keys)


def _put_together(begun: Item, pieces: str) -> Item:
    match begun.get("type"):
        case "function_call":
            whole = begun.get("arguments")
            return {**begun, "arguments": pieces if pieces else whole}
        case "message":
            return {**begun, "content": [{"type": "output_text", "text": pieces}]}
    return begun


def _calls(
    items: list[Item], taken_ids: Set[str], *, cut: bool, is_over: bool
) -> tuple[list[WholeCall], bool]:
    pieces = CallPieces()
    for place, item in enumerate(items):
        if item.get("type") == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            pieces.add({"index": place, "id": item.get("call_id"), "function": function, "item": item})
    return pieces.finish(taken_ids, cut=cut, is_over=is_over)


def _message(items: list[Item], calls: list[WholeCall]) -> ChatMessage:
    text, refusal = (_said(items, key) for key in ("text", "refusal"))
    message: ChatMessage = {"role": "assistant", "content": text}
    if refusal:
        message["refusal"] = refusal
    if calls:
        message["tool_calls"] = [openai_call(whole.call) for whole in calls]
    if not text and (refusal or calls):
        message["content"] = None
    message[KEPT_OUTPUT] = list(_kept(items, calls))
    return message


def _kept(items: list[Item], calls: list[WholeCall]) -> Iterator[Item]:
    """The items as they are sent back; what a call asks for is in the message, and filled in again there."""
    by_item: dict[int, list[WholeCall]] = {}
    for whole in calls:
        by_item.setdefault(id(whole.extras["item"]), []).append(whole)
    for item in items:
        if item.get("type") != "function_call":
            yield item
        for whole in by_item.get(id(item), ()):
            yield {**item, "call_id": whole.call.id, "name": whole.call.name, "arguments": ""}


def _said(items: list[Item], key: str) -> str:
    parts = (
        part for item in items if item.get("type") == "message" for part in parts_of(item.get("content"))
    )
    return joined(_text(part.get(key)) for part in parts)


def _usage(value: Any) -> Usage:
    if not isinstance(value, dict):
        return Usage()
    return Usage(
        input_tokens=count(value.get("input_tokens")),
        output_tokens=count(value.get("output_tokens")),
        cached_tokens=detail(value, "input_tokens_details", "cached_tokens"),
        reasoning_tokens=detail(value, "output_tokens_details", "reasoning_tokens"),
    )


def _item(value: Any) -> Item:
    return dict(value) if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
