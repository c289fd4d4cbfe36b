"""A broker.yaml, or values given by flags → settings, or a line for each problem."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from broker.config import lockfile
from broker.config.problems import KeyPath, Problem, wordings
from broker.config.settings import Settings
from broker.errors import ConfigError, StartError

_MAX_TOLD = 20
"""So many problems of a file are told at once."""


def load(path: Path | str, *, env: Mapping[str, str] = os.environ, unlocked: bool = False) -> Settings:
    """A broker.yaml → its settings. `${NAME}` is taken from `env`, and paths are relative to the file.

    `unlocked`: the lockfile that it names need not exist yet.

    Raises ConfigError with a line for each problem, in the order of the file:
    `broker.yaml:12:5: tools."mail.v1.*".timeot: unknown key; did you mean "timeout"?`
    """
    from broker.config import yaml_file  # PyYAML is for those who have a file

    path = Path(path)
    document = yaml_file.read(path, env)
    values = {} if document.values is None else document.values
    try:
        settings = Settings.model_validate(values, context={"folder": path.absolute().parent})
    except ValidationError as error:
        document.note(wordings(error, Settings))
    else:
        document.note([] if unlocked else _lockfile_problems(settings))
    if document.problems:
        lines = [problem.line(path) for problem in sorted(document.problems)]
        more = [f"{path}: and {len(lines) - _MAX_TOLD} more"] if len(lines) > _MAX_TOLD else []
        raise ConfigError("\n".join(lines[:_MAX_TOLD] + more))
    return settings.read_from(path)


@contextmanager
def placed(settings: Settings) -> Iterator[None]:
    """Within, a StartError gets the file, line and column of its `key`, where the settings have a file."""
    try:
        yield
    except StartError as error:
        if settings.file is None or not error.key:
            raise
        raise type(error)(_place(settings.file, error)) from error


def _place(file: Path, error: StartError) -> str:
    from broker.config import yaml_file

    place = yaml_file.read(file, os.environ).place(error.key)
    return Problem(place, error.key, str(error)).line(file)


def _lockfile_problems(settings: Settings) -> list[tuple[KeyPath, str]]:
    if settings.lockfile is None:
        return []
    try:
        lockfile.read(settings.lockfile)
    except ValueError as error:
        return [(("lockfile",), str(error))]
    return []


def from_values(values: dict[str, Any], *, base: Path) -> Settings:
    """Settings from what was given by flags, with paths relative to `base`.

    Raises ConfigError with a line for each problem, which begins with the key that it is about.
    """
    try:
        return Settings.model_validate(values, context={"folder": base.absolute()})
    except ValidationError as error:
        lines = (f"{_flag(path)}: {message}" for path, message in wordings(error, Settings))
        raise ConfigError("\n".join(lines)) from None


def _flag(path: KeyPath) -> str:
    return next(key for key in reversed(path) if isinstance(key, str))
