"""Pieces of tool calls, as chunks of a stream bring them → whole calls, whatever the server does wrong."""

import re
import secrets
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import orjson

from broker.errors import ModelError
from broker.models.text import joined
from broker.tool import ToolCall

MAX_CALLS = 128
"""How many calls one turn may ask for."""

_MARK = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[{}\[\]]', re.DOTALL)
_OWN_KEYS = frozenset({"index", "id", "type", "function"})


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeCall:
    """A call, and what else its server said with it and wants to see again."""

    call: ToolCall
    extras: Mapping[str, Any]


@dataclass(slots=True)
class _Slot:
    """A call that is being put together."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extras: dict[str, Any] = field(default_factory=dict)

    def take(self, piece: Mapping[str, Any], function: Mapping[str, Any]) -> None:
        name = _text(function.get("name"))
        if not self.id:
            self.id = _text(piece.get("id"))
        if name.startswith(self.name):
            # Servers repeat the name in each piece, or send as much of it as they have.
            self.name = name
        elif name:
            self.name += name
        arguments = _arguments(function.get("arguments"))
        if arguments:
            self.arguments.append(arguments)
        self.extras.update({key: value for key, value in piece.items() if key not in _OWN_KEYS and value})

    def goes_on_with(self, call_id: str, name: str) -> bool:
        """Whether a piece for the same place goes on with this call, or begins another one."""
        if not name:
            # With or without a new id: some servers make one for each piece.
            return True
        if call_id and self.id and call_id != self.id:
            return False
        return name == self.name or not self.arguments


class CallPieces:
    """Puts the calls of one turn together."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []
        self._by_index: dict[int, _Slot] = {}

    def add(self, piece: Any) -> None:
        """Takes one member of a delta's `tool_calls`."""
        if not isinstance(piece, dict):
            return
        function = piece.get("function")
        function = function if isinstance(function, dict) else {}
        slot = self._slot(piece.get("index"), _text(piece.get("id")), _text(function.get("name")))
        slot.take(piece, function)

    def finish(self, taken_ids: Set[str], *, cut: bool, is_over: bool = True) -> tuple[list[WholeCall], bool]:
        """The calls in the model's order, and whether the last one is not whole.

        Ids that are missing, or in `taken_ids`, or there twice, are replaced. `cut`: the server said that the
        model was stopped. `is_over`: it said that nothing more comes, so that no arguments are no arguments.
        """
        calls: list[WholeCall] = []
        used = set(taken_ids)
        is_open = False
        for slot in self._slots:
            arguments = joined(slot.arguments)
            is_begun = bool(arguments.strip())
            if not (slot.name or is_begun):
                continue
            if not is_begun and slot is not self._slots[-1] and (cut or not is_over):
                # Of calls that come side by side, this one's arguments would have followed.
                continue
            texts, is_open = split_arguments(arguments)
            is_open = is_open or not (is_over or is_begun)
            for text in texts:
                calls.append(WholeCall(call=_call(slot, text, used), extras=slot.extras))
            _check_number(len(calls))
        return calls, bool(calls) and (cut or is_open)

    def _slot(self, index: Any, call_id: str, name: str) -> _Slot:
        found = self._find(index, call_id, name)
        if found is None or not found.goes_on_with(call_id, name):
            _check_number(len(self._slots) + 1)
            found = _Slot()
            self._slots.append(found)
        if isinstance(index, int):
            self._by_index[index] = found
        return found

    def _find(self, index: Any, call_id: str, name: str) -> _Slot | None:
        if isinstance(index, int):
            return self._by_index.get(index)
        same_id = [slot for slot in self._slots if call_id and slot.id == call_id]
        if same_id:
            return same_id[-1]
        if call_id and name:
            return None
        return self._slots[-1] if self._slots else None


def split_arguments(text: str) -> tuple[list[str], bool]:
    """The arguments of each call that `text` holds, and whether the last of them breaks off.

    Some models write the objects of several calls one after the other. An object that is there twice is
    one call: it is the server that repeats it, and doing things twice is worse than asking again.

    >>> split_arguments('{"city": "北京"}{"city": "上海"}')
    (['{"city": "北京"}', '{"city": "上海"}'], False)
    >>> split_arguments('{"city": "北')
    (['{"city": "北'], True)
    """
    text = text.strip()
    if not text:
        return ["{}"], False
    if _is_json(text):
        return [text], False
    *values, rest = _top_level(text)
    if not values or not all(map(_is_object, values)):
        return [text], bool(rest) and _breaks_off(text)
    if rest and not _breaks_off(rest):
        return [text], False
    # A server may begin with "{}" and send the arguments after it.
    texts = [text for text in dict.fromkeys([*values, rest]) if text not in ("", "{}")]
    return texts if texts else ["{}"], bool(rest)


def _top_level(text: str) -> Iterable[str]:
    """The JSON objects and arrays that stand one after the other, and then what is left."""
    depth = start = 0
    for mark in _MARK.finditer(text):
        depth += _step(mark[0])
        if depth < 0:
            break
        if depth == 0 and mark[0] in "}]":
            yield text[start : mark.end()].strip()
            start = mark.end()
    yield text[start:].strip()


def _breaks_off(text: str) -> bool:
    depth = 0
    for mark in _MARK.finditer(text):
        depth += _step(mark[0])
        if depth < 0:
            return False
    return depth > 0


def _step(mark: str) -> int:
    return 1 if mark in "{[" else -1 if mark in "}]" else 0


def _call(slot: _Slot, arguments: str, used: set[str]) -> ToolCall:
    id = joined([slot.id])
    if not id or id in used:
        id = f"call_{secrets.token_hex(12)}"
    used.add(id)
    return ToolCall(id=id, name=joined([slot.name]), arguments=arguments)


def _check_number(calls: int) -> None:
    if calls > MAX_CALLS:
        raise ModelError(f"It asked for more than {MAX_CALLS} tool calls at once; none was made.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: Any) -> str:
    """Text as it is; an object, which some servers send, as JSON text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    try:
        return orjson.dumps(value).decode()
    except (orjson.JSONEncodeError, UnicodeEncodeError) as error:
        raise ModelError(
            f"The arguments of a call in its answer cannot be written as JSON: {error}."
        ) from None


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_object(text: str) -> bool:
    return text.startswith("{") and _is_json(text)
