"""One structured line on stderr for each tool call: who answered, how it ended, how long it took."""

import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from broker.config.settings import LogSettings
from broker.errors import Code
from broker.tool import Prepared, ToolCall

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_NO_HASH = ""


class CallLog:
    """Writes the lines. At level `debug` they hold the arguments too; at no other level."""

    def __init__(self, settings: LogSettings, file: BinaryIO | None = None) -> None:
        """`file` is where the lines go; None: stderr."""
        self._log = logger(settings, file)
        self._with_arguments = settings.level == "debug"

    def refused(self, call: ToolCall, code: Code | None) -> None:
        """A call that was not understood, and so was not sent."""
        self._write(call, code, tool=call.name[:128], backend=None, ms=0.0, request_hash=_NO_HASH)

    def called(self, prepared: Prepared, code: Code | None, seconds: float) -> None:
        """A call that was executed; `code` is None when it succeeded."""
        tool = prepared.tool
        ms = round(seconds * 1000, 2)
        self._write(
            prepared.call,
            code,
            tool=tool.full_name,
            backend=tool.backend,
            ms=ms,
            request_hash=prepared.request_hash,
        )

    def _write(self, call: ToolCall, code: Code | None, **values: Any) -> None:
        if self._with_arguments:
            values["arguments"] = call.arguments[:10_000]
        self._log.info("call", code="OK" if code is None else code.name, call_id=call.id, **values)


def logger(settings: LogSettings, file: BinaryIO | None = None) -> Any:
    """A structlog logger that writes lines to `file`; None: stderr."""
    import structlog  # it takes as long to load as gRPC, and commands that only look have no use for it

    return structlog.wrap_logger(
        structlog.BytesLogger(sys.stderr.buffer if file is None else file),
        processors=[_to_json if settings.format == "json" else _to_text()],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        cache_logger_on_first_use=True,
    ).bind()


def _to_json(logger: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
    # One processor in place of structlog's four: the line costs as much as the rest of a call's dispatch.
    if "exc_info" in event:
        from structlog.processors import format_exc_info

        event = format_exc_info(logger, level, event)
    return orjson.dumps({"timestamp": datetime.now(UTC), "level": level, **event})


def _to_text() -> Any:
    from structlog.dev import ConsoleRenderer

    render = ConsoleRenderer(colors=False)

    def to_text(logger: Any, level: str, event: MutableMapping[str, Any]) -> bytes:
        stamped = {"timestamp": datetime.now(UTC).isoformat(), "level": level, **event}
        return render(logger, level, stamped).encode()

    return to_text
