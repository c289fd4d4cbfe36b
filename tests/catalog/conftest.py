"""Catalogs of .proto files that a test writes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.descriptors.pool import link
from broker.descriptors.sources import ProtoFiles

CatalogOf = Callable[..., Awaitable[Catalog]]


@pytest.fixture
def catalog_of(tmp_path: Path) -> CatalogOf:
    """Makes the catalog of a proto3 file; `reflected`: as if its server had described itself."""

    async def make(text: str, *, reflected: bool = False, backend: str = "shop") -> Catalog:
        (tmp_path / "shop.proto").write_text(f'syntax = "proto3"; package shop.v1;\n{text}')
        descriptors = link(await ProtoFiles(("shop.proto",), (tmp_path,)).load())
        if reflected:
            descriptors = replace(descriptors, trusted=False)
        return build([Exposed(backend=backend, descriptors=descriptors)], {})

    return make
