"""What google.api.visibility restricts → unknown to models, unless the operator selects one of its labels."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from broker.assembly import build_catalog, load_descriptors
from broker.catalog.exposure import Exposed, build
from broker.config.settings import Settings
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.schema.arguments import ExactReading
from broker.schema.enums import enumeration
from broker.schema.json_schema import input_schema
from broker.schema.problems import Refused
from broker.schema.rendering import render_output
from tests.schema.conftest import Codec

PROTOS = Path(__file__).parents[1] / "protos"
GOODS, UPDATE = "visibility.v1.Goods", "visibility.v1.Update"
SHOWN = ["name", "kind", "kinds", "retail", "listed", "more"]
ALL = [
    "name",
    "margin",
    "secret",
    "secrets",
    "rank",
    "kind",
    "kinds",
    "retail",
    "wholesale",
    "listed",
    "more",
]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    files = asyncio.run(compile_protos(["visibility.proto"], [PROTOS]))
    return Loaded(files=files, services=["visibility.v1.Shop", "visibility.v1.Back"], trusted=True)


@pytest.fixture(scope="module")
def public(loaded: Loaded) -> Codec:
    return Codec(link(loaded))


@pytest.fixture(scope="module")
def internal(loaded: Loaded) -> Codec:
    return Codec(link(loaded, visibility=["OTHER", "INTERNAL"]))


def offered(codec: Codec) -> tuple[list[str], dict[str, str]]:
    catalog = build([Exposed(backend="shop", descriptors=codec.descriptors)], {})
    return [tool.method.name for tool in catalog], {
        full_name.removeprefix("visibility.v1."): why for (_, full_name), why in catalog.left_out.items()
    }


def test_a_restricted_method_is_left_out_with_what_restricts_it_and_the_cure(public: Codec) -> None:
    names, left_out = offered(public)

    assert names == ["Open", "Empty"]
    restricted = {
        "Back.Office": '"visibility.v1.Back" to "INTERNAL"',
        "Shop.Restricted": '"visibility.v1.Shop.Restricted" to "INTERNAL, PREVIEW"',
        "Shop.TakesSecret": '"visibility.v1.Secret" to "INTERNAL"',
        "Shop.GivesSecret": '"visibility.v1.Secret" to "INTERNAL"',
    }
    assert left_out == {
        name: f"google.api.visibility restricts {what}; to offer it all the same, name one of its labels in "
        "`visibility` of the backend"
        for name, what in restricted.items()
    }


def test_one_selected_label_is_enough(internal: Codec, loaded: Loaded) -> None:
    assert offered(internal) == (
        ["Office", "Open", "Restricted", "TakesSecret", "GivesSecret", "Empty"],
        {},
    )
    assert offered(Codec(link(loaded, visibility=["PREVIEW"])))[0] == ["Open", "Restricted", "Empty"]


async def test_the_labels_are_selected_for_a_backend() -> None:
    shop = {
        "target": "127.0.0.1:1",
        "plaintext": True,
        "descriptors": {"protos": ["visibility.proto"], "import_paths": [PROTOS]},
    }
    settings = Settings.model_validate(
        {"backends": {"public": shop, "preview": {**shop, "prefix": "p", "visibility": ["PREVIEW"]}}}
    )
    catalog = build_catalog(settings, await load_descriptors(settings.backends))

    names = [(tool.backend, tool.method.name) for tool in catalog]
    assert names == [
        *(("public", name) for name in ("Open", "Empty")),
        *(("preview", name) for name in ("Open", "Restricted", "Empty")),
    ]


def form(descriptors: Descriptors) -> Any:
    return input_schema(descriptors.pool.FindMessageTypeByName(GOODS), descriptors)


def test_the_schemas_have_no_restricted_field_and_none_of_a_restricted_type(
    public: Codec, internal: Codec
) -> None:
    for codec, names in ((public, SHOWN), (internal, ALL)):
        assert [one.name for one in form(codec.descriptors).properties] == names
        output = render_output(codec.message(GOODS), codec.descriptors)
        assert list(output["properties"]) == names
    assert [oneof.members for oneof in form(public.descriptors).oneofs] == [("retail", "listed")]


def test_the_schema_of_an_enum_says_nothing_of_its_restricted_values(public: Codec, internal: Codec) -> None:
    expected = {
        public: (["KIND_UNSPECIFIED", "KIND_PAPER"], "Values: KIND_PAPER = Made of paper."),
        internal: (
            ["KIND_UNSPECIFIED", "KIND_PAPER", "KIND_DRAFT"],
            "Values: KIND_PAPER = Made of paper; KIND_DRAFT = Made of nothing.",
        ),
    }
    for codec, (names, words) in expected.items():
        by_name = {one.name: one for one in form(codec.descriptors).properties}
        assert by_name["kind"].shape.schema["enum"] == names
        assert by_name["kinds"].shape.value.schema["enum"] == names
        assert by_name["kind"].values == words


REFUSED = [
    ("a field", GOODS, {"margin": "x"}, 'unknown field "margin".'),
    ("another spelling of it", GOODS, {"Margin": "x"}, 'unknown field "Margin".'),
    ("a field of a restricted type", GOODS, {"secret": {}}, 'unknown field "secret".'),
    ("a map of it", GOODS, {"secrets": {}}, 'unknown field "secrets".'),
    ("a field of a restricted enum", GOODS, {"rank": 0}, 'unknown field "rank".'),
    ("an extension", GOODS, {"[visibility.v1.cost]": "x"}, 'unknown field "[visibility.v1.cost]".'),
    ("a member of a oneof", GOODS, {"price": {"wholesale": "x"}}, 'price: unknown field "wholesale".'),
    ("a value", GOODS, {"kind": "KIND_DRAFT"}, 'kind: "KIND_DRAFT" is not a Kind value.'),
    ("a value's rest", GOODS, {"kind": "draft"}, 'kind: "draft" is not a Kind value.'),
    ("a value's number", GOODS, {"kind": 2}, "kind: number 2 is not a Kind value."),
    (
        "a value in a map",
        GOODS,
        {"kinds": {"a": "KIND_DRAFT"}},
        'kinds["a"]: "KIND_DRAFT" is not a Kind value.',
    ),
    ("a path", UPDATE, {"update_mask": "margin"}, 'update_mask: "margin": Goods has no field "margin".'),
    (
        "what an Any holds",
        GOODS,
        {"more": {"@type": "type.googleapis.com/visibility.v1.Secret"}},
        'more: "type.googleapis.com/visibility.v1.Secret" is no type that this backend knows.',
    ),
]


@pytest.mark.parametrize(
    ("name", "arguments", "problem"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_restricted_is_unknown_in_arguments_and_told_by_no_problem(
    public: Codec, internal: Codec, name: str, arguments: dict[str, Any], problem: str
) -> None:
    text = json.dumps(arguments)
    (said,) = public.problems(name, text)

    assert said.startswith(problem)
    assert not any(
        hidden in said.removeprefix(problem) for hidden in ("margin", "wholesale", "DRAFT", "secret")
    )
    if problem != 'kind: "draft" is not a Kind value.' and "Margin" not in text:
        internal.decode(name, text)


def test_a_restricted_number_of_an_open_enum_is_not_taken_for_one_of_a_newer_proto(codec: Codec) -> None:
    genre = codec.descriptors.pool.FindEnumTypeByName("schema.proto3.Genre")
    decode = enumeration(genre, {"GENRE_CRIME"}).decode
    known = genre.values_by_name["GENRE_CRIME"].number
    exact = ExactReading()  # as ProtoJSON says, which keeps numbers without a name

    assert decode(77, exact) == 77
    with pytest.raises(Refused, match="is not a Genre value"):
        decode(known, exact)


def full(codec: Codec) -> Any:
    goods = codec.new(GOODS, name="pen", margin="9", wholesale="1", kind=2, rank=0)
    goods.secret.code = "c"
    goods.secrets["a"].code = "d"
    goods.kinds["a"] = 2
    goods.more.Pack(codec.new("visibility.v1.Secret", code="e"))
    for name in ("hint", "cost"):
        goods.Extensions[codec.descriptors.pool.FindExtensionByName(f"visibility.v1.{name}")] = name
    return goods


def test_results_leave_out_restricted_fields_and_have_numbers_for_restricted_values(
    public: Codec, internal: Codec
) -> None:
    secret = {"@type": "type.googleapis.com/visibility.v1.Secret"}

    assert public.encode(full(public)) == {
        "name": "pen",
        "kind": 2,
        "kinds": {"a": 2},
        "more": secret,
        "[visibility.v1.hint]": "hint",
    }
    assert internal.encode(full(internal)) == {
        "name": "pen",
        "margin": "9",
        "secret": {"code": "c"},
        "secrets": {"a": {"code": "d"}},
        "rank": "RANK_UNSPECIFIED",
        "kind": "KIND_DRAFT",
        "kinds": {"a": "KIND_DRAFT"},
        "wholesale": "1",
        "more": {**secret, "code": "e"},
        "[visibility.v1.hint]": "hint",
        "[visibility.v1.cost]": "cost",
    }
