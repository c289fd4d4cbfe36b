"""The files of a result → files on disk, and a line on stderr about each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from broker.tool import Media


def keep(media: Sequence["Media"], output: Path | None) -> None:
    """Writes each file to `output`, with its place before the suffix where there are several.

    None: nothing is written. What came is told either way.
    """
    for place, one in enumerate(media):
        told = f"broker: media {place}: {one.media_type}, {len(one.data):,} bytes"
        if output is None:
            typer.echo(f"{told}; --output FILE writes it", err=True)
            continue
        path = output if len(media) == 1 else output.with_stem(f"{output.stem}-{place}")
        _write(path, one.data)
        typer.echo(f"{told}, is in {path}", err=True)
    if output is not None and not media:
        typer.echo(f"broker: no file came, so {output} was not written", err=True)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        typer.echo(f"broker: {path} cannot be written: {error.strerror}; the call was made", err=True)
        raise typer.Exit(1) from None
