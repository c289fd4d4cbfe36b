"""One structured line on stderr for each tool call: who answered, how it ended, how long it took."""

import sys
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from broker.config.settings import LogSettings
from broker.errors import Code, Withheld, new_error_id
from broker.outcomes import Outcome, Verdict
from broker.schema.redaction import has_secrets, redacted
from broker.tool import Prepared, Tool, ToolCall

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_MAX_NAME = 128
_MAX_ARGUMENTS = 10_000


class CallLog:
    """Writes the lines. At level `debug` they hold the arguments too; at no other level."""

    def __init__(self, settings: LogSettings, file: BinaryIO | None = None) -> None:
        """`file` is where the lines go; None: stderr."""
        # Not by structlog's logger, whose way to a line takes longer than the line: it is one for each call.
        self._lines = _Lines(file)
        self._render = _renderer(settings)
        self._is_on = _LEVELS[settings.level] <= _LEVELS["info"]
        self._with_arguments = settings.level == "debug"

    @property
    def is_on(self) -> bool:
        """Whether calls have lines at this level."""
        return self._is_on

    def note(self, outcome: Outcome) -> None:
        """Writes the line of a call that has ended; one that waits has none yet."""
        if not self._is_on or outcome.verdict is Verdict.WAITING:
            return
        call, prepared = outcome.call, outcome.prepared
        event: dict[str, Any] = {
            "event": "call",
            "code": "OK" if outcome.code is None else outcome.code.name,
            "call_id": call.id[:_MAX_NAME],
            "tool": call.name[:_MAX_NAME] if prepared is None else prepared.tool.full_name,
            "backend": None if prepared is None else prepared.tool.backend,
            "ms": round(outcome.seconds * 1000, 2),
            "request_hash": None if prepared is None else prepared.request_hash,
        }
        if prepared is not None and prepared.notes:
            # The short names of what was accepted that was not exact, each once.
            event["leniencies"] = list(dict.fromkeys(note.leniency for note in prepared.notes))
        if self._with_arguments:
            event["arguments"] = _arguments(call, prepared)[:_MAX_ARGUMENTS]
        self._lines.write(self._render(None, "info", event))

    def withheld(self, prepared: Prepared, code: Code, withheld: Withheld) -> None:
        """What a backend said of a fault of its own, which nobody else is shown."""
        event = {"event": "withheld", "error_id": withheld.id, "code": code.name, "said": withheld.words}
        self._error(event, prepared.call, prepared.tool)

    def hook_failed(self, prepared: Prepared, hook: str, bug: Exception) -> str:
        """A hook of the application that raised; the id by which this line is found again."""
        error_id = new_error_id()
        event = {"event": "hook failed", "error_id": error_id, "hook": hook, "exc_info": bug}
        self._error(event, prepared.call, prepared.tool)
        return error_id

    def unaudited(self, call: ToolCall, bug: Exception) -> None:
        """A line of the audit log that could not be written."""
        self._error({"event": "audit line lost", "exc_info": bug}, call, None)

    def unencoded(self, prepared: Prepared, bug: Exception) -> None:
        """A response that could not be written as JSON, which is a fault of ours."""
        self._error({"event": "unencoded", "exc_info": bug}, prepared.call, prepared.tool)

    def _error(self, event: dict[str, Any], call: ToolCall, tool: Tool | None) -> None:
        event["call_id"] = call.id[:_MAX_NAME]
        event["tool"] = call.name[:_MAX_NAME] if tool is None else tool.full_name
        event["backend"] = None if tool is None else tool.backend
        self._lines.write(self._render(None, "error", event))


def _arguments(call: ToolCall, prepared: Prepared | None) -> str:
    """What the model wrote; where secrets may be in it, what was understood, without them."""
    if prepared is None:
        # Nobody can say which part of it is a secret.
        return f"({len(call.arguments)} characters that were not understood)"
    if not has_secrets(prepared.request):
        return call.arguments
    return orjson.dumps(redacted(prepared.request, _MAX_ARGUMENTS)).decode()


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
    from structlog.dev import ConsoleRenderer, plain_traceback

    # The formatter of its own choice shows the values of variables, and what is secret among them.
    render = ConsoleRenderer(colors=False, exception_formatter=plain_traceback)

    def to_text(logger: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
        stamped = {"timestamp": datetime.now(UTC).isoformat(), "level": level, **event}
        return str(render(logger, level, stamped)).encode("utf-8", "replace")

    return to_text


def _sayable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
