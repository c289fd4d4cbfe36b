"""Bugs for which other bridges from gRPC to language models have paid, one test for each.

They are told in those projects' issues and release notes; each test would fail if the broker had the bug.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from broker import assembly
from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.catalog.naming import tool_name
from broker.config.settings import Settings
from broker.descriptors.bare import parse_file_set
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.errors import Code, InvalidArguments
from broker.schema.profiles import PROFILES
from broker.tool import ToolCall
from tests.corpora.providers import nodes, parameters_of

PLAIN = [profile for profile in PROFILES if profile != "openai-strict"]


def linked(folder: Path, services: list[str], **protos: str) -> Descriptors:
    """Files of proto3 by name, compiled and linked."""
    for name, text in protos.items():
        (folder / f"{name}.proto").write_text(f'syntax = "proto3";\n{text}')
    files = asyncio.run(compile_protos([f"{name}.proto" for name in protos], [folder]))
    return link(Loaded(files=files, services=services, trusted=True))


def catalog_of(folder: Path, text: str) -> Catalog:
    """The tools of one file with the service `S`."""
    descriptors = linked(folder, ["shop.v1.S"], shop=f"package shop.v1;\n{text}")
    return build([Exposed(backend="shop", descriptors=descriptors)], {})


def parameters(catalog: Catalog, profile: str) -> Any:
    """The schema of the only tool's arguments."""
    (tool,) = catalog
    return parameters_of(catalog.definition(tool, profile))


def decoded(catalog: Catalog, arguments: Any) -> Any:
    (tool,) = catalog
    return catalog.decoder(tool)(json.dumps(arguments))


NODE = """
message Node { string name = 1; Node next = 2; map<string, Node> named = 3; repeated Node all = 4; }
service S { rpc Walk(Node) returns (Node); }
"""


@pytest.mark.parametrize("profile", PROFILES)
def test_a_type_in_itself_does_not_overflow_the_stack(tmp_path: Path, profile: str) -> None:
    catalog = catalog_of(tmp_path, NODE)

    schema = parameters(catalog, profile)
    assert set(schema["properties"]) == {"name", "next", "named", "all"}
    assert len(json.dumps(schema)) < 4_096
    assert decoded(catalog, {"next": {"next": {"next": {"name": "deep"}}}}).next.next.next.name == "deep"


@pytest.mark.parametrize("profile", PROFILES)
def test_no_reference_dangles(tmp_path: Path, profile: str) -> None:
    schema = parameters(catalog_of(tmp_path, NODE), profile)

    references = [node["$ref"] for node in nodes(schema) if "$ref" in node]
    assert all(one.removeprefix("#/$defs/") in schema.get("$defs", {}) for one in references)
    assert bool(references) == (profile == "openai-strict")


MAPS = """
message Prices {
  map<string, double> by_name = 1;
  map<int64, string> by_number = 2;
  map<bool, Prices> by_flag = 3;
}
service S { rpc Set(Prices) returns (Prices); }
"""


@pytest.mark.parametrize("profile", PROFILES)
def test_the_keys_and_the_values_of_a_map_are_in_its_schema(tmp_path: Path, profile: str) -> None:
    by_name = parameters(catalog_of(tmp_path, MAPS), profile)["properties"]["by_name"]

    if "items" in by_name:
        assert by_name["items"]["properties"] == {"key": {"type": "string"}, "value": {"type": "number"}}
    else:
        assert by_name["additionalProperties"] == {"type": "number"}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"by_name": {"a": 1}, "by_number": {"-7": "b"}, "by_flag": {"true": {}}}, id="objects"),
        pytest.param(
            {
                "by_name": [{"key": "a", "value": 1}],
                "by_number": [{"key": "-7", "value": "b"}],
                "by_flag": [{"key": True, "value": {}}],
            },
            id="entries",
        ),
    ],
)
def test_no_key_of_a_map_is_dropped(tmp_path: Path, arguments: Any) -> None:
    request = decoded(catalog_of(tmp_path, MAPS), arguments)

    assert dict(request.by_name) == {"a": 1}
    assert dict(request.by_number) == {-7: "b"}
    assert list(request.by_flag) == [True]


@pytest.mark.parametrize("profile", PROFILES)
def test_well_known_types_in_lists_and_maps_have_their_own_form_too(tmp_path: Path, profile: str) -> None:
    catalog = catalog_of(
        tmp_path,
        'import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";'
        "message R { repeated google.protobuf.Timestamp at = 1;"
        " map<string, google.protobuf.Int32Value> by = 2; }"
        "service S { rpc Do(R) returns (R); }",
    )
    properties = parameters(catalog, profile)["properties"]

    assert properties["at"]["items"] == {"type": "string", "format": "date-time"}
    by = properties["by"]
    value = by["items"]["properties"]["value"] if "items" in by else by["additionalProperties"]
    assert value == {"type": "integer"}
    request = decoded(catalog, {"at": ["2024-05-01T12:00:00Z"], "by": {"a": 0}})
    (tool,) = catalog
    assert catalog.encoder(tool)(request) == {"at": ["2024-05-01T12:00:00Z"], "by": {"a": 0}}


NULLS = """
import "google/protobuf/struct.proto";
message R {
  oneof one { string a = 1; int32 b = 2; google.protobuf.NullValue c = 3; }
  optional int32 count = 4; R inner = 5; repeated string tags = 6; map<string, string> labels = 7;
  google.protobuf.Struct extra = 8;
}
service S { rpc Do(R) returns (R); }
"""


def test_null_is_absent_wherever_a_model_writes_it_for_want_of_a_value(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path, NULLS)
    blank = dict.fromkeys(("one", "count", "inner", "tags", "labels", "extra"))

    assert decoded(catalog, blank) == decoded(catalog, {})
    assert decoded(catalog, {**blank, "one": {"a": "kept"}}).WhichOneof("one") == "a"
    assert decoded(catalog, {**blank, "inner": blank}) == decoded(catalog, {"inner": {}})


@pytest.mark.parametrize("profile", PLAIN)
def test_outside_strict_schemas_no_field_is_said_to_take_null(tmp_path: Path, profile: str) -> None:
    properties = parameters(catalog_of(tmp_path, NULLS), profile)["properties"]

    # A google.protobuf.NullValue is nothing else.
    assert [name for name, one in properties.items() if "null" in one.get("type", "")] == ["c"]


def test_two_members_of_a_oneof_are_never_sent(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        "message R { oneof by { string name = 1; int32 number = 2; } } service S { rpc Get(R) returns (R); }",
    )

    for arguments in (
        {"name": "a", "number": 5},
        {"by": {"name": "a", "number": 5}},
        {"by": {"name": "a"}, "number": 5},
    ):
        with pytest.raises(InvalidArguments, match="name"):
            decoded(catalog, arguments)


def test_names_that_are_shortened_do_not_collide() -> None:
    # Alike in all but what is cut off.
    names = [f"com.team{n:x}.{'very.' * 12}v1.SomewhatLongService.GetSomething" for n in range(4_096)]

    assert len({tool_name(name).rpartition("_")[0] for name in names}) == 1, "all is told apart by its hash"
    assert len({tool_name(name) for name in names}) == len(names)


async def test_an_error_keeps_its_path_and_its_context_however_deep_it_arose(
    broker: Any, tmp_path: Path
) -> None:
    call = ToolCall(id="1", name="probe_v1_ProbeService_Echo", arguments='{"number": "many", "txt": 1}')

    result = await broker.call(call)

    assert result.code is Code.INVALID_ARGUMENT
    for word in ("probe_v1_ProbeService_Echo", "number", '"many"', '"txt"', '"text"', "Nothing was sent"):
        assert word in result.content


def test_a_problem_deep_in_lists_and_maps_has_its_whole_path(tmp_path: Path) -> None:
    catalog = catalog_of(
        tmp_path,
        "message R { repeated R all = 1; map<string, R> named = 2; int32 n = 3; }"
        "service S { rpc Do(R) returns (R); }",
    )

    with pytest.raises(InvalidArguments) as refused:
        decoded(catalog, {"all": [{}, {"named": {"k.1": {"all": [{"n": "x"}]}}}]})
    (problem,) = refused.value.problems
    assert problem.startswith('all[1].named["k.1"].all[0].n: expected an integer')


async def test_what_a_backend_says_of_its_failure_reaches_the_model(broker: Any) -> None:
    arguments = '{"code": 9, "message": "the account is closed", "details": true}'

    result = await broker.call(ToolCall(id="1", name="probe_v1_ProbeService_Fail", arguments=arguments))

    assert result.code is Code.FAILED_PRECONDITION
    assert "the account is closed" in result.content
    assert "must not be empty" in result.content


@pytest.mark.parametrize("profile", PROFILES)
def test_an_optional_field_of_proto3_brings_no_phantom(tmp_path: Path, profile: str) -> None:
    catalog = catalog_of(
        tmp_path, "message R { optional string nickname = 1; } service S { rpc Do(R) returns (R); }"
    )

    assert list(parameters(catalog, profile)["properties"]) == ["nickname"]
    assert "_nickname" not in json.dumps(catalog.tools(profile))


def test_files_may_come_in_any_order(tmp_path: Path) -> None:
    linked(
        tmp_path,
        [],
        a='package a; import "b.proto"; message A { b.B b = 1; } service S { rpc Do(A) returns (A); }',
        b='package b; import "c.proto"; message B { c.C c = 1; }',
        c="package c; message C { string name = 1; }",
    )
    files = asyncio.run(compile_protos(["a.proto"], [tmp_path])).file
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)):
        turned = parse_file_set(b"")
        turned.file.extend(files[place] for place in order)
        descriptors = link(Loaded(files=turned, services=["a.S"], trusted=False))
        catalog = build([Exposed(backend="a", descriptors=descriptors)], {})
        assert "name" in json.dumps(catalog.tools("openai"))


def test_services_that_differ_only_in_their_package_are_both_tools(tmp_path: Path) -> None:
    service = "message R { string n = 1; } service UserService { rpc Get(R) returns (R); }"
    descriptors = linked(
        tmp_path,
        ["first.v1.UserService", "second.v1.UserService"],
        one=f"package first.v1; {service}",
        two=f"package second.v1; {service}",
    )

    names = [tool.name for tool in build([Exposed(backend="users", descriptors=descriptors)], {})]
    assert names == ["first_v1_UserService_Get", "second_v1_UserService_Get"]


@pytest.mark.parametrize("length", range(30, 90))
def test_no_name_grows_past_64_after_its_prefix(length: int) -> None:
    full_name = f"shop.v1.{'S' * (length - 20)}ervice.GetThings"

    name = tool_name(full_name, prefix="acme_staging")
    assert len(name) <= 64
    assert name.startswith("acme_staging_")


async def test_two_backends_may_have_different_files_of_one_name(tmp_path: Path) -> None:
    backends = {}
    for team in ("red", "blue"):
        (tmp_path / team / "common").mkdir(parents=True)
        (tmp_path / team / "common" / "types.proto").write_text(
            f'syntax = "proto3"; package common; message Id {{ string {team} = 1; }} '
            "service Ids { rpc Get(Id) returns (Id); }"
        )
        backends[team] = {
            "target": "127.0.0.1:1",
            "plaintext": True,
            "prefix": team,
            "descriptors": {"protos": ["common/types.proto"], "import_paths": [tmp_path / team]},
        }

    async with assembly.open(
        Settings.model_validate({"backends": backends, "log": {"level": "error"}})
    ) as opened:
        shown = {name_of["name"]: parameters_of(name_of) for name_of in opened.catalog.tools("mcp")}
    assert list(shown["red_common_Ids_Get"]["properties"]) == ["red"]
    assert list(shown["blue_common_Ids_Get"]["properties"]) == ["blue"]
