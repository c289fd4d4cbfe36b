"""google.api.http → hints for clients of MCP, and nothing else."""

from typing import Any

import pytest

from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from tests.catalog.conftest import CatalogOf

READ_ONLY = {"readOnlyHint": True}
DESTRUCTIVE = {"readOnlyHint": False, "destructiveHint": True}
IDEMPOTENT = {"readOnlyHint": False, "idempotentHint": True}
HARMLESS = {"readOnlyHint": True, "idempotentHint": True}

ROWS: list[tuple[str, str, dict[str, bool]]] = [
    ("get", 'option (google.api.http) = {get: "/v1/pens"};', READ_ONLY),
    ("delete", 'option (google.api.http) = {delete: "/v1/pens"};', DESTRUCTIVE),
    ("post", 'option (google.api.http) = {post: "/v1/pens" body: "*"};', {}),
    ("put", 'option (google.api.http) = {put: "/v1/pens" body: "*"};', {}),
    ("patch", 'option (google.api.http) = {patch: "/v1/pens" body: "*"};', {}),
    ("custom", 'option (google.api.http) = {custom: {kind: "HEAD" path: "/v1/pens"}};', {}),
    ("nothing", "", {}),
    (
        "a get among more",
        'option (google.api.http) = {post: "/v1/pens" additional_bindings {get: "/v1/pens"}};',
        {},
    ),
    (
        "an idempotent get",
        'option idempotency_level = IDEMPOTENT; option (google.api.http) = {get: "/v1/pens"};',
        IDEMPOTENT,
    ),
    (
        "an idempotent delete",
        'option idempotency_level = IDEMPOTENT; option (google.api.http) = {delete: "/v1/pens"};',
        {**DESTRUCTIVE, **IDEMPOTENT},
    ),
    (
        "a harmless post",
        'option idempotency_level = NO_SIDE_EFFECTS; option (google.api.http) = {post: "/v1/pens"};',
        HARMLESS,
    ),
]


async def pens(catalog_of: CatalogOf, options: str, **how: Any) -> Catalog:
    return await catalog_of(
        'import "google/api/annotations.proto"; message Pen { string name = 1; }'
        f"service Pens {{ rpc Use(Pen) returns (Pen) {{ {options} }} }}",
        **how,
    )


@pytest.mark.parametrize(("options", "hints"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_the_http_method_is_a_hint_where_idempotency_says_nothing_else(
    catalog_of: CatalogOf, options: str, hints: dict[str, bool]
) -> None:
    (definition,) = (await pens(catalog_of, options)).tools("mcp")

    assert definition["annotations"] == hints


@pytest.mark.parametrize("options", [ROWS[0][1], ROWS[1][1]], ids=["get", "delete"])
async def test_the_http_method_has_no_part_in_what_the_broker_allows(
    catalog_of: CatalogOf, options: str
) -> None:
    said, unsaid = await pens(catalog_of, options), await pens(catalog_of, "")
    for ask_by_default in (False, True):
        tools = [
            next(iter(build([exposed(catalog)], {}, ask_by_default=ask_by_default)))
            for catalog in (said, unsaid)
        ]
        assert tools[0].policy == tools[1].policy
        assert not any(tool.read_only or tool.idempotent for tool in tools)


def exposed(catalog: Catalog) -> Exposed:
    (tool,) = catalog
    return Exposed(backend="shop", descriptors=catalog.descriptors(tool))


async def test_a_server_known_by_reflection_only_hints_at_nothing(catalog_of: CatalogOf) -> None:
    (definition,) = (await pens(catalog_of, ROWS[0][1], reflected=True)).tools("mcp")

    assert definition["annotations"] == {}
