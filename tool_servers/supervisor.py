"""Starts servers of the Procfile beside each other: `python -m tool_servers.supervisor NAME…`, at the root.

Honcho does the work: it starts them, puts their names before their lines, and stops them together. Told to
stop, by Ctrl-C, by SIGTERM or by a terminal that closes, the exit status is 0. When one ends by itself, the
others are stopped too, and the last line says which one it was.
"""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from honcho import manager
from honcho.environ import parse_procfile
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message, Printer

_PROCFILE = Path(__file__).with_name("Procfile")
KILL_AFTER = 15
"""Seconds; the servers themselves give calls in flight 10 of them."""


class _Lines(Printer):  # type: ignore[misc]
    """Prints each line behind its server's name; remembers which ended first, and what each said last."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.first: str | None = None
        self.last: dict[str, str] = {}

    def write(self, message: Message) -> None:
        said = message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
        if message.name != SYSTEM_PRINTER_NAME:
            self.last[message.name] = said.strip()
        elif self.first is None and " stopped (" in said:
            self.first = said.strip()
        try:
            super().write(message)
        except OSError:
            # The terminal or the pipe is gone; the servers are still here, and have to be stopped.
            return

    def farewell(self) -> str:
        """What to say when nobody asked for the end."""
        first = self.first or ""
        words = self.last.get(first.partition(" ")[0])
        return f"servers: {first}, so the others were stopped too" + (
            f"; it said last: {words}" if words else ""
        )


class _Servers(Manager):  # type: ignore[misc]
    """Can be told to stop while it starts them: Honcho itself fails where one has no process id yet."""

    told = False

    def _start(self) -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            # Whoever starts us by nohup wants us to outlive the terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._stop)
        super()._start()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.told = True

    def _any_stopped(self) -> bool:
        # Asked for once all have started; what has stopped then has the others stopped.
        return self.told or bool(super()._any_stopped())


def main(names: Sequence[str]) -> int:
    """Runs them until the end; returns the exit status."""
    commands = parse_procfile(_PROCFILE.read_text()).processes
    manager.KILL_WAIT = KILL_AFTER
    lines = _Lines()
    servers = _Servers(lines)
    for name in names:
        servers.add_process(name, commands[name])
    servers.loop()
    if servers.told:
        return 0
    sys.stderr.write(f"{lines.farewell()}\n")
    return servers.returncode if servers.returncode and servers.returncode > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
