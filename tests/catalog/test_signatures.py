"""google.api.method_signature → the order of a request's properties."""

from typing import Any

import pytest

from broker.catalog.catalog import Catalog
from broker.schema.profiles import PROFILES
from tests.catalog.conftest import CatalogOf

PROTO = """
import "google/api/client.proto";
import "google/api/field_behavior.proto";
message Kind { string name = 1; }
message Pen {
  string note = 1 [(google.api.field_behavior) = REQUIRED];
  string etag = 2 [(google.api.field_behavior) = OUTPUT_ONLY];
  Kind kind = 3;
  string color = 4 [(google.api.field_behavior) = REQUIRED];
  oneof ink { string blue = 5; string black = 6; }
}
"""
SIGNATURE = 'option (google.api.method_signature) = "%s";'


async def pens(catalog_of: CatalogOf, *signatures: str, streams: str = "") -> Catalog:
    options = " ".join(SIGNATURE % one for one in signatures)
    rpc = f"service Pens {{ rpc Use({streams} Pen) returns (Pen) {{ {options} }} }}"
    return await catalog_of(PROTO + rpc)


def schema_of(catalog: Catalog, profile: str) -> dict[str, Any]:
    (definition,) = catalog.tools(profile)
    found = definition.get("function", definition)
    keys = ("parameters", "inputSchema", "input_schema")
    schema: dict[str, Any] = next(found[key] for key in keys if key in found)
    return schema


@pytest.mark.parametrize(
    ("signatures", "order"),
    [
        pytest.param([], "note kind color blue black", id="none"),
        pytest.param(["color,note"], "color note kind blue black", id="its fields first"),
        pytest.param(["kind", "color"], "kind note color blue black", id="the first of several"),
        pytest.param(["", "color"], "color note kind blue black", id="the first that says something"),
        pytest.param(["kind.name, color"], "kind color note blue black", id="a path, and a blank"),
        pytest.param(
            ["etag,size,color"], "color note kind blue black", id="what is not offered or not there"
        ),
        pytest.param(["black,color"], "black color note kind blue", id="a member of a oneof"),
    ],
)
async def test_what_the_first_signature_has_comes_first(
    catalog_of: CatalogOf, signatures: list[str], order: str
) -> None:
    catalog = await pens(catalog_of, *signatures)
    for profile in set(PROFILES) - {"openai-strict"}:
        schema = schema_of(catalog, profile)
        assert list(schema["properties"]) == order.split()
        assert schema["required"] == [name for name in order.split() if name in ("note", "color")]


async def test_a_strict_schema_has_the_oneof_in_the_place_of_its_member(catalog_of: CatalogOf) -> None:
    schema = schema_of(await pens(catalog_of, "black,color"), "openai-strict")

    assert list(schema["properties"]) == schema["required"] == ["ink", "color", "note", "kind"]


async def test_only_the_order_changes(catalog_of: CatalogOf) -> None:
    signed, plain = await pens(catalog_of, "color,kind"), await pens(catalog_of)
    for profile in PROFILES:
        one, other = (schema_of(catalog, profile) for catalog in (signed, plain))
        assert sorted(one.pop("required")) == sorted(other.pop("required"))
        assert one == other


async def test_a_list_of_requests_has_no_order(catalog_of: CatalogOf) -> None:
    schema = schema_of(await pens(catalog_of, "color", streams="stream"), "mcp")

    assert list(schema["properties"]) == ["messages"]
