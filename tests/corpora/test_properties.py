"""What the properties find when something is wrong: a check that cannot fail would prove nothing."""

from pathlib import Path
from typing import Any

import pytest

from broker.catalog.catalog import Catalog
from broker.errors import InvalidArguments
from broker.schema.content import Content
from broker.tool import Tool
from tests.corpora import edges, providers, rules, sizes
from tests.corpora.properties import look
from tests.corpora.test_sample import catalog_of

TREE = "edges_Edges_edges_recursion_Tree"
WORDLESS = {"name": "n", "parameters": {"type": "object", "properties": {"password": {"type": "string"}}}}


@pytest.fixture
def catalog() -> Catalog:
    return catalog_of(edges.NAME)


def tool(catalog: Catalog, name: str = TREE) -> Tool:
    found = catalog.get(name)
    assert found is not None
    return found


def found(catalog: Catalog, name: str = TREE) -> set[str]:
    return {one.prop for one in look(catalog, tool(catalog, name)).against}


def test_an_encoder_that_loses_a_field_is_found(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    lossy = Content(structured={"branches": 5}, text='{"branches": 5}')
    monkeypatch.setattr(Catalog, "reader", lambda *_: lambda _: lossy)
    assert found(catalog) == {"P2 responses"}


def test_a_decoder_that_reads_nothing_is_found(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = catalog.decoder(tool(catalog))("{}")
    monkeypatch.setattr(Catalog, "decoder", lambda *_: lambda _: empty)
    assert "P2 requests" in found(catalog)


def test_a_decoder_that_refuses_everything_is_found(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(text: str) -> Any:
        raise InvalidArguments("no", ["no"])

    monkeypatch.setattr(Catalog, "decoder", lambda *_: refuse)
    assert {"P2 requests", "P3"} <= found(catalog)


def test_a_decoder_that_fails_on_garbage_is_found(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = catalog.decoder(tool(catalog))

    def fail(text: str) -> Any:
        if "no such field" in text:
            raise IndexError
        return decode(text)

    monkeypatch.setattr(Catalog, "decoder", lambda *_: fail)
    assert found(catalog) == {"P6"}


def test_a_rule_that_is_neither_in_keywords_nor_in_words_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(catalog_of(rules.NAME), "rules_v1_Rules_Secret") == set()

    monkeypatch.setattr(Catalog, "definition", lambda *_: WORDLESS)
    assert "P3" in found(catalog_of(rules.NAME), "rules_v1_Rules_Secret")


@pytest.mark.parametrize(
    ("encoded", "wrong", "refused"),
    [
        ({"a": "xy"}, set(), True),
        ({"a": "xy"}, {"a"}, False),
        ({"a": "x"}, set(), False),
        ({}, set(), True),
        ({}, {"a"}, False),
    ],
)
def test_a_schema_that_is_narrower_than_the_rules_is_found(
    encoded: dict[str, Any], wrong: set[str], refused: bool
) -> None:
    schema = {"properties": {"a": {"type": "string", "maxLength": 1}}, "required": ["a"]}
    assert bool(list(rules.misfits(encoded, wrong, schema))) is refused


REFUSED = {
    "a $ref": ("openai", {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}),
    "a combinator at the root": ("anthropic", {"type": "object", "properties": {}, "anyOf": [{}]}),
    "no object": ("mcp", {"type": "string"}),
    "an unknown type": ("openai", {"type": "object", "properties": {"a": {"type": "int"}}}),
    "a word that Gemini does not know": ("gemini", {"type": "object", "properties": {"a": {"const": 1}}}),
    "a key that Anthropic refuses": ("anthropic", {"type": "object", "properties": {"@type": {}}}),
    "a phantom that is required": ("openai", {"type": "object", "properties": {}, "required": ["a"]}),
}  # fmt: skip


@pytest.mark.parametrize(("profile", "schema"), REFUSED.values(), ids=REFUSED)
def test_a_schema_that_a_provider_refuses_is_found(profile: str, schema: Any) -> None:
    assert providers.refusals(profile, _definition(profile, schema, "fine"))


@pytest.mark.parametrize("profile", providers.NAMES)
@pytest.mark.parametrize("name", ["x" * 65, "with.dots and spaces", ""])
def test_a_name_that_a_provider_refuses_is_found(profile: str, name: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert providers.refusals(profile, _definition(profile, schema, name))
    assert not providers.refusals(profile, _definition(profile, schema, "fine"))


def _definition(profile: str, schema: Any, name: str) -> Any:
    if profile.startswith("openai"):
        function = {"name": name, "description": "Does.", "parameters": schema, "strict": False}
        return {"type": "function", "function": function}
    key = {"mcp": "inputSchema", "anthropic": "input_schema", "gemini": "parameters"}[profile]
    output = {"outputSchema": {"type": "object"}} if profile == "mcp" else {}
    return {"name": name, "description": "Does.", key: schema, **output}


@pytest.mark.skipif(not providers.OTHERS, reason="openai-agents is not installed; `make corpora` does that")
def test_a_strict_schema_that_other_projects_would_change_is_found() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": []}
    definition = _definition("openai-strict", schema, "fine")
    definition["function"]["strict"] = True
    assert "openai-agents changes it" in providers.refusals("openai-strict", definition)


def test_a_schema_that_grew_by_a_byte_is_found(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sizes, "FILE", tmp_path / "sizes.json")
    seen = [look(catalog, each, only_render=True) for each in list(catalog)[:5]]
    sizes.record({edges.NAME: sizes.sizes_of(seen)})
    assert list(sizes.compare({edges.NAME: sizes.sizes_of(seen)})) == []

    seen[0].sizes["mcp"] = max(each.sizes["mcp"] for each in seen) + 1
    against = list(sizes.compare({edges.NAME: sizes.sizes_of(seen)}))
    assert "edges bytes mcp max" in [one.tool for one in against]
