"""The audit log: a file with one JSON line for each call, for those who have to answer for what was done."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from broker.call_log import CallLog
from broker.errors import ConfigError
from broker.outcomes import Outcome, Verdict
from broker.schema.redaction import redacted
from broker.tool import Prepared, ToolCall

_MAX_NAME = 128
_MAX_ARGUMENTS = 4096


class AuditLog:
    """An observer that adds each outcome to a file; `close` it when no call is made any more."""

    def __init__(self, file: Path, log: CallLog) -> None:
        """`log` is told of lines that cannot be written. Raises ConfigError when the file cannot be used."""
        self._log = log
        self._is_broken_off = False
        # Not to wait, at start, for somebody who reads a named pipe.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            self._file = os.open(file, flags, mode=0o600)
        except OSError as error:
            raise ConfigError(f'"{file}" cannot be written to: {error.strerror}', ("audit", "file")) from None

    def note(self, outcome: Outcome) -> None:
        """Adds its line. A line that cannot be written fails no call."""
        try:
            self._write(orjson.dumps(_entry(outcome)) + b"\n")
        except Exception as bug:  # noqa: BLE001 - the call was made, whatever becomes of the line about it
            self._log.unaudited(outcome.call, bug)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        # One write, so that lines of several processes do not run into each other.
        line = b"\n" + line if self._is_broken_off else line
        written = os.write(self._file, line)
        self._is_broken_off = written < len(line)
        if self._is_broken_off:
            raise OSError(f"only {written} of {len(line)} bytes were written")


def _entry(outcome: Outcome) -> dict[str, Any]:
    call, prepared, context = outcome.call, outcome.prepared, outcome.context
    is_waiting = outcome.verdict is Verdict.WAITING
    return {
        "time": datetime.now(UTC),
        "principal": None if context.principal is None else _sayable(context.principal),
        "run_id": context.run_id,
        "call_id": _sayable(call.id),
        "tool": _sayable(call.name),
        "backend": None if prepared is None else prepared.tool.backend,
        "full_name": None if prepared is None else prepared.tool.full_name,
        **(_unread(call) if prepared is None else _read(prepared)),
        "decision": outcome.verdict.value,
        "code": None if is_waiting else "OK" if outcome.code is None else outcome.code.name,
        "ms": round(outcome.seconds * 1000, 2),
    }


def _read(prepared: Prepared) -> dict[str, Any]:
    arguments = redacted(prepared.request, _MAX_ARGUMENTS)
    return {"arguments": arguments, "request_hash": prepared.request_hash}


def _unread(call: ToolCall) -> dict[str, Any]:
    # Nobody can say which part of it is a secret.
    text = call.arguments.encode("utf-8", "replace")
    digest = hashlib.sha256(text).hexdigest()
    return {"arguments_bytes": len(text), "arguments_hash": digest, "request_hash": None}


def _sayable(text: str) -> str:
    """The beginning of a text of a model's or a client's, which may hold half a character."""
    return text[:_MAX_NAME].encode("utf-8", "replace").decode()
