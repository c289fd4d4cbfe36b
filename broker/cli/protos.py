"""`broker protos`: our .proto files, for the code generators of other languages."""

from pathlib import Path
from typing import Annotated

import typer

import broker

_FOLDER = Path("broker/v1")


def protos(
    *,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where broker/v1 is written.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
) -> None:
    """Write broker/v1/*.proto: our service, and the options for your own methods and fields."""
    from broker.errors import ConfigError

    ours = {directory / _FOLDER / file.name: file.read_bytes() for file in _files()}
    written = {path: content for path, content in ours.items() if not _holds(path, content)}
    differing = [str(path) for path in written if path.exists()]
    if differing and not force:
        raise ConfigError(f"{', '.join(differing)}: differs from ours; --force overwrites it")
    for path in ours:
        if path in written:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(written[path])
        typer.echo(f"{path}\t{'written' if path in written else 'unchanged'}")
    typer.echo(f'broker: import "broker/v1/annotations.proto" with protoc -I{directory}', err=True)


def _files() -> list[Path]:
    """Beside the generated code in a wheel; in protos/ in a checkout."""
    package = Path(broker.__file__).parent
    installed = sorted((package / "v1").glob("*.proto"))
    return installed if installed else sorted((package.parent / "protos" / _FOLDER).glob("*.proto"))


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content
