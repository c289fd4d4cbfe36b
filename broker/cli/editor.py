"""JSON → the JSON that the user makes of it: in their editor, or on one line."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import typer

from broker.cli import keyboard


def edit(text: str) -> str | None:
    """What the user made of the text; None: nothing, for a reason that they were told.

    The editor is VISUAL or EDITOR; without one, the user writes one line. Raises Undecided at Ctrl-C.
    """
    editor = os.environ.get("VISUAL", os.environ.get("EDITOR", ""))
    if not editor:
        line = keyboard.ask("arguments, as JSON on one line (EDITOR names an editor): ")
        return line if line else None
    try:
        return _edited(shlex.split(editor), text)
    except KeyboardInterrupt:
        raise keyboard.Undecided from None
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        typer.echo(f'broker: "{editor}" could not edit the request: {error}', err=True)
        return None


def _edited(editor: list[str], text: str) -> str:
    # The folder and the file are the user's alone: a request may hold what others should not read.
    with tempfile.TemporaryDirectory(prefix="broker-") as folder:
        file = Path(folder) / "request.json"
        file.write_text(text, encoding="utf-8")
        # The model's words may go into a pipe, but the user's questions do not.
        subprocess.run([*editor, str(file)], check=True, stdout=sys.stderr)
        return file.read_text(encoding="utf-8")
