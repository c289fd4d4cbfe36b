"""A terminal for a command: what is typed, and what is shown."""

import os
import re
import select
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self


@dataclass(kw_only=True)
class Terminal:
    """A terminal with a command at work in it."""

    process: "subprocess.Popen[bytes]"
    file: int
    screen: bytes = b""
    seen: int = field(default=0)

    @classmethod
    def of(cls, command: Sequence[str], environment: dict[str, str]) -> Self:
        """Starts a command on a terminal of its own, with more environment."""
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"} | environment,
            start_new_session=True,
        )
        os.close(theirs)
        return cls(process=process, file=ours)

    def wait_for(self, text: str) -> None:
        """Reads until the text is shown, after what was waited for before."""
        while (place := self.screen.find(text.encode(), self.seen)) < 0:
            assert self._read(), f"the command ended without {text!r}:\n{self.screen.decode()}"
        self.seen = place + len(text.encode())

    def interrupt(self, answer: str) -> None:
        """Ctrl-C until it is answered: Python loses one that comes just before it waits for a key."""
        while answer.encode() not in self.screen[self.seen :]:
            self.process.send_signal(signal.SIGINT)
            # Long enough that no second one comes to a command that has answered and is ending.
            while (
                answer.encode() not in self.screen[self.seen :] and select.select([self.file], [], [], 5)[0]
            ):
                assert self._read(), f"the command ended without {answer!r}:\n{self.screen.decode()}"
        self.wait_for(answer)

    def end(self) -> str:
        """Reads all that is shown until the command ends."""
        while self._read():
            pass
        self.process.wait()
        return self.screen.decode()

    def type(self, keys: str) -> None:
        """What the user types."""
        os.write(self.file, keys.encode())

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ends what is still at work."""
        self.kill()
        os.close(self.file)

    def _read(self) -> bool:
        readable, _, _ = select.select([self.file], [], [], 60)
        assert readable, f"nothing more is shown:\n{self.screen.decode()}"
        try:
            read = os.read(self.file, 65_536)
        except OSError:  # Linux says so when nobody has the terminal open any more
            return False
        self.screen += read
        return bool(read)


def plain(screen: str) -> str:
    """What is shown, without how it looks."""
    return re.sub(r"\x1b\[[0-9;]*m", "", screen)
