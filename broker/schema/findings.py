"""What the decoding of one value finds below it: problems that refuse it, notes on how it was understood."""

from collections.abc import Callable
from typing import Any, NoReturn

from broker.schema.notes import Leniency, Noted, Understood
from broker.schema.problems import MAX_COLLECTED, Problem, Refused, joined


class Findings:
    """Collects them, with their paths; made only when there is something to collect."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._notes: list[Noted] = []

    def refuse(self, text: str, path: str = "") -> None:
        """Adds one problem of the value itself, or of what lies at `path` in it."""
        self._problems.append((path, text))

    def refused(self, step: str, refused: Refused) -> None:
        """Adds what was refused below `step`: a field's name, `[2]`, or `["key"]`."""
        self._problems += [(joined(step, path), text) for path, text in refused.problems]

    def note(self, leniency: Leniency, text: str, path: str = "") -> None:
        """Adds one note on the value itself, or on what lies at `path` in it."""
        if len(self._notes) < MAX_COLLECTED:
            self._notes.append((path, leniency, text))

    def understood(self, step: str, inner: Understood) -> Any:
        """The value that was understood below `step`; keeps the notes on it."""
        if len(self._notes) < MAX_COLLECTED:
            self._notes += [(joined(step, path), leniency, text) for path, leniency, text in inner.notes]
        return inner.value

    @property
    def full(self) -> bool:
        """Whether there are so many problems that no more are looked for."""
        return len(self._problems) >= MAX_COLLECTED

    @property
    def refuses(self) -> bool:
        """Whether there is a problem."""
        return bool(self._problems)

    def conclude(self, value: Any) -> Any:
        """The value, which was decoded exactly; raises Refused or Understood where it was not."""
        if self._problems:
            raise Refused(problems=self._problems)
        if self._notes:
            raise Understood(value, self._notes)
        return value


def read_as(
    leniency: Leniency, text: str, decode: Callable[[Any, Any], Any], value: Any, reading: Any
) -> NoReturn:
    """Decodes `value`, which something else was taken as; raises Understood, or Refused."""
    found = Findings()
    found.note(leniency, text)
    try:
        decoded = decode(value, reading)
    except Understood as inner:
        decoded = found.understood("", inner)
    found.conclude(decoded)
    raise AssertionError("there is a note")
