"""What somebody at the terminal types, a line at a time."""

import sys
from collections.abc import Iterator

import typer


class Undecided(Exception):
    """A question has no answer: Ctrl-C, the end of the input, or nobody who could be asked."""


def lines() -> Iterator[str]:
    """What the user says: edited and remembered on a terminal, line by line from a pipe."""
    if not sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    import readline  # noqa: F401 - input() edits with it once it is imported

    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            typer.echo(err=True)
            return
        except KeyboardInterrupt:
            typer.echo("\nbroker: Ctrl-D ends the conversation", err=True)
            continue
        if line:
            yield line


def ask(question: str) -> str:
    """The answer to a question, on stderr; what was typed before it was shown is no answer.

    Raises Undecided at Ctrl-C and at the end of the input.
    """
    _forget_what_was_typed()
    sys.stderr.write(question)
    sys.stderr.flush()
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        line = ""
    # A line that was broken off is not an answer either.
    if not line.endswith("\n"):
        typer.echo(err=True)
        raise Undecided
    return line.strip()


def _forget_what_was_typed() -> None:
    try:
        import termios
    except ImportError:  # not made for Windows
        return
    if sys.stdin.isatty():
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
