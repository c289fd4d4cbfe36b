"""One structured line on stderr for each tool call: who answered, how it ended, how long it took."""

import sys
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from broker.config.settings import LogSettings
from broker.errors import Code
from broker.tool import Prepared, ToolCall

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_NOTHING: dict[str, str] = {}
_EXACT: dict[str, list[str]] = {}
_MAX_NAME = 128


class CallLog:
    """Writes the lines. At level `debug` they hold the arguments too; at no other level."""

    def __init__(self, settings: LogSettings, file: BinaryIO | None = None) -> None:
        """`file` is where the lines go; None: stderr."""
        self._log = logger(settings, file)
        self._with_arguments = settings.level == "debug"

    def refused(self, call: ToolCall, code: Code) -> None:
        """A call that was not understood, and so was not sent."""
        self._log.info(
            "call",
            code=code.name,
            call_id=call.id[:_MAX_NAME],
            tool=call.name[:_MAX_NAME],
            backend=None,
            ms=0.0,
            request_hash=None,
            **self._arguments(call),
        )

    def called(self, prepared: Prepared, code: Code | None, seconds: float) -> None:
        """A call that was executed; `code` is None when it succeeded."""
        tool = prepared.tool
        self._log.info(
            "call",
            code="OK" if code is None else code.name,
            call_id=prepared.call.id[:_MAX_NAME],
            tool=tool.full_name,
            backend=tool.backend,
            ms=round(seconds * 1000, 2),
            request_hash=prepared.request_hash,
            **_leniencies(prepared),
            **self._arguments(prepared.call),
        )

    def _arguments(self, call: ToolCall) -> dict[str, str]:
        return {"arguments": call.arguments[:10_000]} if self._with_arguments else _NOTHING


def _leniencies(prepared: Prepared) -> dict[str, list[str]]:
    """The short names of what was accepted that was not exact, each once; no key where all was exact."""
    names = dict.fromkeys(note.leniency for note in prepared.notes)
    return {"leniencies": list(names)} if names else _EXACT


class _Lines:
    """Writes lines, and never fails: a call that was made must not fail for the line about it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        with suppress(OSError, ValueError):
            self._file.write(line + b"\n")
            self._file.flush()

    debug = info = warning = error = write


def logger(settings: LogSettings, file: BinaryIO | None = None) -> Any:
    """A structlog logger that writes lines to `file`; None: stderr."""
    import structlog  # it takes as long to load as gRPC, and commands that only look have no use for it

    return structlog.wrap_logger(
        _Lines(sys.stderr.buffer if file is None else file),
        processors=[_to_json if settings.format == "json" else _to_text()],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        cache_logger_on_first_use=True,
    ).bind()


def _to_json(logger: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
    # One processor in place of structlog's four, because it runs for each call.
    if "exc_info" in event:
        from structlog.processors import format_exc_info

        event = format_exc_info(logger, level, event)
    event["level"] = level
    event["timestamp"] = datetime.now(UTC)
    try:
        return orjson.dumps(event)
    except TypeError:  # half a character, which no UTF-8 can say
        return orjson.dumps({key: _sayable(value) for key, value in event.items()})


def _to_text() -> Any:
    from structlog.dev import ConsoleRenderer

    render = ConsoleRenderer(colors=False)

    def to_text(logger: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
        stamped = {"timestamp": datetime.now(UTC).isoformat(), "level": level, **event}
        return str(render(logger, level, stamped)).encode("utf-8", "replace")

    return to_text


def _sayable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
