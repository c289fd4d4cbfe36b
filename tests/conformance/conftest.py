"""The messages of tests/protos/recorded, and their twins in edition 2023, linked once."""

import asyncio
from pathlib import Path

import pytest

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded

_PROTOS = Path(__file__).parents[1] / "protos"
_EDITION = {
    "proto2": "option features = {enum_type: CLOSED json_format: LEGACY_BEST_EFFORT};",
    "proto3": "option features.field_presence = IMPLICIT;",
}


def _twin(syntax: str) -> str:
    """The same messages, in the package `recorded.edition`."""
    text = (_PROTOS / "recorded" / f"{syntax}.proto").read_text()
    text = text.replace(f'syntax = "{syntax}";', f'edition = "2023";\n{_EDITION[syntax]}')
    return text.replace("optional ", "").replace("package recorded.", "package recorded.edition.")


@pytest.fixture(scope="session")
def descriptors(tmp_path_factory: pytest.TempPathFactory) -> Descriptors:
    folder = tmp_path_factory.mktemp("twins")
    for syntax in _EDITION:
        (folder / f"{syntax}_twin.proto").write_text(_twin(syntax))
    names = [name for syntax in _EDITION for name in (f"recorded/{syntax}.proto", f"{syntax}_twin.proto")]
    files = asyncio.run(compile_protos(names, [_PROTOS, folder]))
    return link(Loaded(files=files, services=[], trusted=True))
