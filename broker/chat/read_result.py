"""The broker's own tool `read_result`: a handle, a path and an offset → a page of a result that was cut."""

import re
from typing import Any

import orjson

from broker.chat.fitting import page
from broker.chat.kept_results import Kept, KeptResults
from broker.chat.paths import NoSuchPath, find
from broker.errors import Code, InvalidArguments, ToolCallError
from broker.schema import arguments
from broker.schema.definitions import definition as own_definition
from broker.schema.problems import describe, got, listed, quoted
from broker.tool import ToolCall, ToolResult

NAME = "read_result"
DESCRIPTION = (
    "Reads on in a result that was too long and has been cut: what was left out of it stands in [brackets], "
    "with its path and offset. Answers with a page of it, and with next_offset where more follows."
)
_PARAMETERS = {
    "handle": {"type": "string", "description": "As the cut result names it, like r1."},
    "path": {
        "type": "string",
        "description": "What to read, as written in the brackets, like items[3].body. "
        "Left out: the whole result.",
    },
    "offset": {
        "type": "integer",
        "minimum": 0,
        "description": "The first member, key or character to read, counted from 0. Left out: 0.",
    },
}
SCHEMA = {
    "type": "object",
    "properties": _PARAMETERS,
    "required": ["handle"],
    "additionalProperties": False,
}
_ENVELOPE = 160
"""Bytes that a page has around its value at most, with numbers of 15 digits."""
_OFFSET = re.compile(r"[0-9]{1,15}")


def definition(profile: str) -> dict[str, Any]:
    """The tool's definition for one of `broker.schema.profiles.PROFILES`."""
    return own_definition(NAME, DESCRIPTION, SCHEMA, profile)


def read_result(call: ToolCall, results: KeptResults, limit: int) -> ToolResult:
    """Answers a call of the tool, in at most `limit` bytes (fitting.MIN_LIMIT or more); never raises."""
    try:
        handle, path, offset = _understood(call.arguments)
        structured = _page(_kept(results, handle), path, offset, limit)
    except InvalidArguments as error:
        return ToolResult(call_id=call.id, content=describe(NAME, error.problems), code=error.code)
    except ToolCallError as error:
        return ToolResult(call_id=call.id, content=error.message, code=error.code)
    return ToolResult(call_id=call.id, content=orjson.dumps(structured).decode(), structured=structured)


def _understood(text: str) -> tuple[str, str, int]:
    given = {
        key: value for key, value in arguments.load(text, arguments.Reading()).items() if value is not None
    }
    arguments.refuse_repeated_keys(text)
    problems = [
        f"there is no parameter {quoted(key)}; there are: {', '.join(_PARAMETERS)}."
        for key in given
        if key not in _PARAMETERS
    ]
    handle, path, offset = given.get("handle"), given.get("path", ""), given.get("offset", 0)
    if isinstance(offset, str) and _OFFSET.fullmatch(offset):
        offset = int(offset)
    if not isinstance(handle, str):
        problems.append('handle: required. Send the one that the cut result names, like "r1".')
    if not isinstance(path, str):
        problems.append(f"path: expected a string, got {got(path)}.")
    if type(offset) is not int or offset < 0:
        problems.append(f"offset: expected an integer that is not negative, got {got(offset)}.")
    if problems:
        raise InvalidArguments("", problems)
    # Many models know JSONPath, where the root has a sign of its own.
    return str(handle), path.removeprefix("$") if path[:2] in ("$", "$.", "$[") else path, offset


def _kept(results: KeptResults, handle: str) -> Kept:
    kept = results.get(handle.strip())
    if kept is not None:
        return kept
    known = results.handles
    cure = f"there are: {listed(known, handle)}" if known else "none is kept"
    raise ToolCallError(
        Code.NOT_FOUND,
        f"There is no result {quoted(handle)}; {cure}. The oldest go when there are too many. "
        "If you still need it, and the call that it came from does no harm twice, make that call again.",
    )


def _page(kept: Kept, path: str, offset: int, limit: int) -> dict[str, Any]:
    value = orjson.loads(kept.text) if kept.is_json else kept.text
    if path and not kept.is_json:
        raise InvalidArguments("", ["path: this result is plain text; leave the path out, and use offset."])
    try:
        found = find(value, path)
    except NoSuchPath as error:
        raise InvalidArguments("", [f"path: {error}."]) from None
    read = page(found, limit - _ENVELOPE, path, offset)
    if offset > 0 and offset >= read.total:
        fact = f"offset: {offset:,} is beyond the end; there are {read.total:,} {read.unit}"
        raise InvalidArguments("", [f"{fact}, counted from 0."])
    end = offset + read.count
    return {
        "unit": read.unit,
        "offset": offset,
        "count": read.count,
        "total": read.total,
        "next_offset": end if end < read.total else None,
        "value": read.value,
    }
