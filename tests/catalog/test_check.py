import re
import sys
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.catalog.catalog import Catalog
from broker.catalog.check import MANY_TOOLS, Report, Severity, check
from broker.catalog.tokens import TokenCounter, estimated, token_counter
from broker.schema.profiles import PROFILES

CatalogOf = Callable[..., Awaitable[Catalog]]
ESTIMATE = TokenCounter(count=estimated, method="estimated")
GOOD = """
message City { string name = 1; // Where.
}
service S {
  // Finds a city.
  rpc Find(City) returns (City);
}
"""


def looked_at(catalog: Catalog) -> list[tuple[Severity, str | None, str, str]]:
    report = check(catalog, ESTIMATE)
    return [(found.severity, found.tool, found.what, found.cure) for found in report.findings]


async def test_a_tool_that_is_described_and_small_has_no_findings_and_a_cost_in_each_profile(
    catalog_of: CatalogOf,
) -> None:
    catalog = await catalog_of(GOOD)

    report = check(catalog, ESTIMATE)

    assert report.findings == []
    (cost,) = report.costs
    assert cost.tool == "shop_v1_S_Find"
    for profile in PROFILES:
        definition = catalog.definition(next(iter(catalog)), profile)
        assert cost.tokens[profile] == ESTIMATE.of(definition)
        assert report.total(profile) == cost.tokens[profile] > 10


@pytest.mark.parametrize(
    ("text", "severity", "what", "cure"),
    [
        pytest.param(
            GOOD.replace("// Finds a city.", ""),
            Severity.WARNING,
            "has no description",
            "above its rpc",
            id="method without a comment",
        ),
        pytest.param(
            GOOD.replace("// Where.", ""),
            Severity.NOTE,
            'has 1 field(s) without a comment, "City.name"',
            "above each field",
            id="field without a comment",
        ),
        pytest.param(
            GOOD.replace("Finds a city.", "Finds it. " * 110),
            Severity.WARNING,
            "has a description of 1,099 characters, of which OpenAI takes 1,024",
            "first sentences",
            id="description too long",
        ),
        pytest.param(
            GOOD.replace("service S", f"service {'Very' * 8}Long"),
            Severity.NOTE,
            "has a name of 49 characters",
            "at most 48",
            id="name that leaves no room",
        ),
        pytest.param(
            GOOD.replace("service S", f"service {'Very' * 20}Long"),
            Severity.NOTE,
            "whose name is too long and was shortened with a hash",
            "give it a `name`",
            id="name that is shortened",
        ),
        pytest.param(
            GOOD.replace("name = 1", f"{'n' * 65} = 1"),
            Severity.ERROR,
            f'is not offered as `anthropic`: the request "shop.v1.City" has the field "{"n" * 65}"',
            "mend that",
            id="argument too long",
        ),
        pytest.param(
            GOOD.replace("City {", "City { // Its parts.\n map<string, District> parts = 2;").replace(
                "service", "message District { repeated City cities = 1; // Within.\n}\nservice"
            ),
            Severity.NOTE,
            "has a request that holds itself, City in District in City",
            "how deep",
            id="recursion",
        ),
        pytest.param(
            GOOD.replace(
                "City {",
                "City {" + "".join(f"// {'Words ' * 40}\nstring field_{n} = {n};" for n in range(2, 120)),
            ),
            Severity.WARNING,
            "tokens in each request",
            "hide fields",
            id="cost",
        ),
        pytest.param(
            GOOD.replace("rpc Find(City)", "rpc Find(stream City)"),
            Severity.ERROR,
            "is not offered: it takes a stream of requests",
            "`hide`",
            id="left out",
        ),
    ],
)
async def test_what_providers_and_models_stumble_over_is_found_with_its_cure(
    catalog_of: CatalogOf, text: str, severity: Severity, what: str, cure: str
) -> None:
    found = looked_at(await catalog_of(text))

    fitting = [each for each in found if what in each[2]]
    assert len(fitting) == 1, found
    assert fitting[0][0] is severity
    assert fitting[0][1]
    assert cure in fitting[0][3]


async def test_a_long_list_of_fields_is_cut_and_counted(catalog_of: CatalogOf) -> None:
    fields = "".join(f"string f{n} = {n};" for n in range(2, 10))

    ((_, _, what, _),) = looked_at(await catalog_of(GOOD.replace("City {", f"City {{ {fields}")))

    assert what.startswith('has 8 field(s) without a comment, "City.f2", ')
    assert what.endswith('"City.f6" and 3 more')


async def test_a_server_that_describes_itself_is_told_where_comments_come_from(catalog_of: CatalogOf) -> None:
    text = GOOD.replace("// Finds a city.", "").replace("// Where.", "")

    found = looked_at(await catalog_of(text, reflected=True))

    assert len(found) == 2
    assert all("`descriptors.comments`" in cure for _, _, _, cure in found)


@pytest.mark.parametrize(
    ("count", "severity", "what"),
    [
        pytest.param(MANY_TOOLS, None, "", id="few"),
        pytest.param(MANY_TOOLS + 1, Severity.NOTE, "models choose worse", id="many"),
        pytest.param(128, Severity.NOTE, "models choose worse", id="just enough"),
        pytest.param(129, Severity.ERROR, "129 tools, of which OpenAI takes 128", id="too many"),
    ],
)
async def test_all_tools_together_are_held_against_what_a_request_takes(
    catalog_of: CatalogOf, count: int, severity: Severity | None, what: str
) -> None:
    methods = "".join(f"\n// Finds.\nrpc Find{n}(City) returns (City);" for n in range(count - 1))

    found = looked_at(await catalog_of(GOOD.replace("service S {", f"service S {{ {methods}\n")))

    assert [each[0] for each in found] == ([] if severity is None else [severity])
    assert all(each[1] is None and what in each[2] for each in found)


async def test_the_worst_comes_first(catalog_of: CatalogOf) -> None:
    text = GOOD.replace("service S {", "service S { rpc Bare(City) returns (City);")
    found = looked_at(
        await catalog_of(text.replace("// Where.", "").replace("rpc Find(City)", "rpc F(stream City)"))
    )

    assert [each[0] for each in found] == [Severity.ERROR, Severity.WARNING, Severity.NOTE]


async def test_a_request_that_no_provider_accepts_is_an_error_and_hides_no_other_finding(
    catalog_of: CatalogOf,
) -> None:
    fields = "".join(f"string a_field_{'with_a_name_' * 5}{n} = {n};" for n in range(1, 3_500))
    giant = f"message Giant {{ {fields} }} service S {{ rpc Eat(Giant) returns (City);"

    report: Report = check(await catalog_of(GOOD.replace("service S {", giant)), ESTIMATE)

    assert [cost.tool for cost in report.costs] == ["shop_v1_S_Find"]
    (error,) = [found for found in report.findings if found.severity is Severity.ERROR]
    assert error.tool == "shop_v1_S_Eat"
    assert "so many fields" in error.what
    assert report.count(Severity.ERROR) == 1


async def test_a_request_of_any_value_needs_no_comment_and_cannot_be_strict(catalog_of: CatalogOf) -> None:
    text = 'import "google/protobuf/struct.proto"; message Out {} service S {\n// Takes it.\n'
    catalog = await catalog_of(text + "rpc Take(google.protobuf.Value) returns (Out); }")

    ((severity, tool, what, _),) = looked_at(catalog)
    assert (severity, tool) == (Severity.NOTE, "shop_v1_S_Take")
    assert 'cannot be strict, and `openai-strict` sends it as it is: "value" may hold any value' in what


@given(st.text(max_size=300))
def test_an_estimate_is_the_length_in_bytes_by_a_stated_ratio(text: str) -> None:
    length = len(text.encode()) / 4.57

    assert length <= estimated(text) < length + 1


@pytest.mark.parametrize(
    "problem", [pytest.param(ImportError, id="not installed"), pytest.param(OSError, id="no encoding")]
)
def test_without_tiktoken_tokens_are_estimated_and_it_says_so(
    monkeypatch: pytest.MonkeyPatch, problem: type[Exception]
) -> None:
    def get_encoding(name: str) -> Any:
        raise problem

    module = None if problem is ImportError else SimpleNamespace(get_encoding=get_encoding)
    monkeypatch.setitem(sys.modules, "tiktoken", module)

    counter = token_counter()

    assert counter.of({"a": "b"}) == 2
    assert re.search(r"estimated at 4\.57 bytes a token", counter.method)


def test_with_tiktoken_tokens_are_counted_and_special_ones_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(text: str, *, disallowed_special: tuple[str, ...]) -> list[int]:
        assert disallowed_special == ()
        return list(range(len(text)))

    encodings = {"o200k_base": SimpleNamespace(encode=encode)}
    monkeypatch.setitem(sys.modules, "tiktoken", SimpleNamespace(get_encoding=encodings.__getitem__))

    counter = token_counter()

    assert counter.of({"a": "<|endoftext|>"}) == len('{"a":"<|endoftext|>"}')
    assert counter.method == "counted by tiktoken, o200k_base"


RULED = """
import "buf/validate/validate.proto";
message City { string name = 1 [(buf.validate.field).string.max_len = 9]; // Where.
}
service S {
  // Finds a city.
  rpc Find(City) returns (City);
}
"""


async def test_rules_that_a_profile_can_only_say_in_words_are_noted(catalog_of: CatalogOf) -> None:
    found = looked_at(await catalog_of(RULED))
    assert found == [
        (
            Severity.NOTE,
            "shop_v1_S_Find",
            "has rules that `openai-strict` can only say in words: maxLength",
            "nothing: what breaks them is refused before it is sent",
        )
    ]


async def test_rules_that_are_not_checked_are_noted_with_the_reason(catalog_of: CatalogOf) -> None:
    expression = '(buf.validate.field).cel = {id: "b", expression: "this.("}'
    broken = await catalog_of(RULED.replace("(buf.validate.field).string.max_len = 9", expression))
    ((severity, tool, what, _),) = looked_at(broken)
    assert (severity, tool) == (Severity.NOTE, "shop_v1_S_Find")
    assert what.startswith('has rules that are not checked before a call, of "City": failed to compile')


async def test_rules_without_the_extra_are_noted_with_its_name(
    catalog_of: CatalogOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = await catalog_of(RULED)
    (tool,) = catalog
    monkeypatch.setitem(vars(catalog.descriptors(tool)), "validator", None)
    ((_, _, what, cure),) = [one for one in looked_at(catalog) if "not checked" in one[2]]
    assert what.endswith("the extra [validate] is not installed")
    assert "grpc-tool-broker[validate]" in cure
