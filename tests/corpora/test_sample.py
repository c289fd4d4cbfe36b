"""The properties of `make test-corpora` over a seeded sample: of our edge cases all, of the others some."""

import random
from functools import cache

import pytest

from broker.catalog.catalog import Catalog
from tests.corpora import corpus, edges
from tests.corpora.properties import Counterexample, look

_SAMPLED = 60
_SMALL = 300


@cache
def catalog_of(name: str) -> Catalog:
    return corpus.catalog_of(name)


def counterexamples(name: str, *, seed: str = "sample") -> list[Counterexample]:
    tools = list(catalog_of(name))
    sample = tools if len(tools) < _SMALL else random.Random(seed).sample(tools, _SAMPLED)
    return [one for tool in sample for one in look(catalog_of(name), tool).against]


@pytest.mark.parametrize("name", corpus.NAMES)
def test_no_counterexample_is_found(name: str) -> None:
    if not corpus.is_there(name):
        pytest.skip("not installed; `make corpora` does that")
    assert counterexamples(name) == []


def test_no_edge_case_is_left_out_of_any_profile() -> None:
    catalog = catalog_of(edges.NAME)
    assert not catalog.left_out
    assert not any(look(catalog, tool, only_render=True).quarantined for tool in catalog)
