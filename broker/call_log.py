"""One structured line on stderr for each tool call: who answered, how it ended, how long it took."""

import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from broker.config.settings import LogSettings
from broker.errors import Code
from broker.tool import Prepared, ToolCall

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_MAX_NAME = 128


class CallLog:
    """Writes the lines. At level `debug` they hold the arguments too; at no other level."""

    def __init__(self, settings: LogSettings, file: BinaryIO | None = None) -> None:
        """`file` is where the lines go; None: stderr."""
        # Not by structlog's logger, whose way to a line takes longer than the line: it is one for each call.
        self._lines = _Lines(file)
        self._render = _renderer(settings)
        self._is_on = _LEVELS[settings.level] <= _LEVELS["info"]
        self._with_arguments = settings.level == "debug"

    def refused(self, call: ToolCall, code: Code) -> None:
        """A call that was not understood, and so was not sent."""
        if self._is_on:
            self._write(
                {
                    "event": "call",
                    "code": code.name,
                    "call_id": call.id[:_MAX_NAME],
                    "tool": call.name[:_MAX_NAME],
                    "backend": None,
                    "ms": 0.0,
                    "request_hash": None,
                },
                call,
            )

    def called(self, prepared: Prepared, code: Code | None, seconds: float) -> None:
        """A call that was executed; `code` is None when it succeeded."""
        if not self._is_on:
            return
        tool = prepared.tool
        event = {
            "event": "call",
            "code": "OK" if code is None else code.name,
            "call_id": prepared.call.id[:_MAX_NAME],
            "tool": tool.full_name,
            "backend": tool.backend,
            "ms": round(seconds * 1000, 2),
            "request_hash": prepared.request_hash,
        }
        if prepared.notes:
            # The short names of what was accepted that was not exact, each once.
            event["leniencies"] = list(dict.fromkeys(note.leniency for note in prepared.notes))
        self._write(event, prepared.call)

    def unencoded(self, prepared: Prepared, bug: Exception) -> None:
        """A response that could not be written as JSON, which is a fault of ours."""
        about = {"call_id": prepared.call.id[:_MAX_NAME], "tool": prepared.tool.full_name}
        self._lines.write(self._render(None, "error", {"event": "unencoded", **about, "exc_info": bug}))

    def _write(self, event: dict[str, Any], call: ToolCall) -> None:
        if self._with_arguments:
            event["arguments"] = call.arguments[:10_000]
        self._lines.write(self._render(None, "info", event))


class _Lines:
    """Writes lines, and never fails: a call that was made must not fail for the line about it."""

    def __init__(self, file: BinaryIO | None) -> None:
        """`file` is where they go; None: stderr."""
        self._file = sys.stderr.buffer if file is None else file

    def write(self, line: bytes) -> None:
        try:
            self._file.write(line + b"\n")
            self._file.flush()
        except (OSError, ValueError):
            pass

    debug = info = warning = error = write


def logger(settings: LogSettings, file: BinaryIO | None = None) -> Any:
    """A structlog logger that writes lines to `file`; None: stderr."""
    import structlog  # it takes as long to load as gRPC, and commands that only look have no use for it

    return structlog.wrap_logger(
        _Lines(file),
        processors=[_renderer(settings)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        cache_logger_on_first_use=True,
    ).bind()


_Render = Callable[[Any, str, MutableMapping[str, Any]], bytes]
"""A processor, as structlog has them: logger, level, event → line."""


def _renderer(settings: LogSettings) -> _Render:
    return _to_json if settings.format == "json" else _to_text()


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


def _to_text() -> _Render:
    from structlog.dev import ConsoleRenderer

    render = ConsoleRenderer(colors=False)

    def to_text(logger: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
        stamped = {"timestamp": datetime.now(UTC).isoformat(), "level": level, **event}
        return str(render(logger, level, stamped)).encode("utf-8", "replace")

    return to_text


def _sayable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
