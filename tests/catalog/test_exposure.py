from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from broker.catalog.exposure import Exposed, build
from broker.config.settings import ToolSettings
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import ProtoFiles
from broker.errors import CatalogError
from broker.schema.profiles import PROFILES
from broker.tool import Approval, Tool
from tests.catalog.conftest import CatalogOf


def names(exposed: Exposed, tools: Mapping[str, ToolSettings] | None = None) -> list[str]:
    return [tool.method.name for tool in build([exposed], {} if tools is None else tools)]


def test_every_method_is_a_tool_in_the_order_of_the_file(probe_descriptors: Descriptors) -> None:
    exposed = Exposed(backend="probe", descriptors=probe_descriptors)

    assert names(exposed) == ["Echo", "Fail", "Flaky", "Wait", "Count", "Garbage", "Dangerous", "Renamed"]


def test_a_method_that_takes_a_stream_is_left_out_with_the_reason(probe_descriptors: Descriptors) -> None:
    catalog = build([Exposed(backend="probe", descriptors=probe_descriptors)], {})

    assert "stream of requests" in catalog.left_out["probe", "probe.v1.ProbeService.Collect"]


async def test_a_request_that_no_model_accepts_is_left_out_and_takes_no_other_tool_down(
    tmp_path: Path,
) -> None:
    fields = "\n".join(f"string a_field_{'with_a_name_' * 5}{n} = {n};" for n in range(1, 3_500))
    (tmp_path / "giant.proto").write_text(
        f'syntax = "proto3"; package giant; message Giant {{ {fields} }} message Small {{ string name = 1; }}'
        "service S { rpc Eat(Giant) returns (Small); rpc Drink(Small) returns (Small); }"
    )
    descriptors = link(await ProtoFiles(("giant.proto",), (tmp_path,)).load())
    catalog = build([Exposed(backend="giant", descriptors=descriptors)], {})

    assert [tool["function"]["name"] for tool in catalog.tools()] == ["giant_S_Drink"]
    assert "so many fields" in catalog.refused("openai")["giant_S_Eat"]


@pytest.mark.parametrize(
    ("expose", "hide", "tools", "expected"),
    [
        pytest.param(["*.Echo"], [], {}, ["Echo"], id="a pattern"),
        pytest.param(
            ["*.F*", "probe.v1.ProbeService.Echo"], ["*.Flaky"], {}, ["Echo", "Fail"], id="hide wins"
        ),
        pytest.param(
            ["*.Echo", "*.Fail"], [], {"*.Fail": {"hidden": True}}, ["Echo"], id="hidden by the operator"
        ),
        pytest.param(
            ["*.Secret"], [], {"*.Secret": {"hidden": False}}, ["Secret"], id="the operator beats the proto"
        ),
    ],
)
def test_patterns_say_which_methods_are_tools(
    probe_descriptors: Descriptors,
    expose: list[str],
    hide: list[str],
    tools: dict[str, Any],
    expected: list[str],
) -> None:
    exposed = Exposed(backend="probe", descriptors=probe_descriptors, expose=expose, hide=hide)
    settings = {pattern: ToolSettings(**said) for pattern, said in tools.items()}

    assert names(exposed, settings) == expected


def test_options_of_the_proto_name_describe_and_guard_a_tool(probe_descriptors: Descriptors) -> None:
    catalog = build([Exposed(backend="probe", descriptors=probe_descriptors)], {})

    renamed = catalog.get("probe_alias")
    assert renamed is not None
    assert renamed.full_name == "probe.v1.ProbeService.Renamed"
    assert renamed.description == "Says what the model shall read."
    dangerous = catalog.get("probe_v1_ProbeService_Dangerous")
    assert dangerous is not None
    assert dangerous.policy.approval is Approval.REQUIRED
    assert dangerous.policy.timeout == 90


def test_options_of_a_reflected_server_only_tighten(probe_descriptors: Descriptors) -> None:
    reflected = replace(probe_descriptors, trusted=False)

    catalog = build([Exposed(backend="probe", descriptors=reflected)], {})

    assert catalog.get("probe_alias") is None
    dangerous = catalog.get("probe_v1_ProbeService_Dangerous")
    assert dangerous is not None
    assert dangerous.policy.approval is Approval.REQUIRED
    assert dangerous.policy.timeout == 30, "the 90 seconds of the option are longer than the default"


def test_the_operator_has_the_last_word_key_by_key(probe_descriptors: Descriptors) -> None:
    tools = {
        "probe.v1.ProbeService.Dangerous": ToolSettings(timeout=3),
        "probe.v1.*": ToolSettings(timeout=4, approval=Approval.NEVER),
        "*": ToolSettings(timeout=5, approval=Approval.REQUIRED, max_messages=7),
    }

    catalog = build([Exposed(backend="probe", descriptors=probe_descriptors)], tools)

    dangerous = catalog.get("probe_v1_ProbeService_Dangerous")
    assert dangerous is not None
    policy = dangerous.policy
    assert (policy.timeout, policy.approval, policy.max_messages) == (3, Approval.NEVER, 7)


def test_one_service_on_two_backends_is_refused_with_both_culprits_and_the_cure(
    probe_descriptors: Descriptors,
) -> None:
    backends = [
        Exposed(backend=name, descriptors=probe_descriptors, expose=["*.Echo"]) for name in ("one", "two")
    ]

    with pytest.raises(CatalogError) as refused:
        build(backends, {})

    message = str(refused.value)
    assert '"probe.v1.ProbeService.Echo" of backend "one"' in message
    assert '"probe.v1.ProbeService.Echo" of backend "two"' in message
    assert "`prefix`" in message


def test_one_service_on_two_backends_is_fine_with_a_prefix(probe_descriptors: Descriptors) -> None:
    backends = [
        Exposed(backend=name, descriptors=probe_descriptors, expose=["*.Echo"], prefix=name)
        for name in ("one", "two")
    ]

    assert [tool.name for tool in build(backends, {})] == [
        "one_probe_v1_ProbeService_Echo",
        "two_probe_v1_ProbeService_Echo",
    ]


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        pytest.param("PROBE_V1_PROBESERVICE_ECHO", "would both be called", id="differs by case alone"),
        pytest.param("read_result", "the broker's own", id="reserved"),
        pytest.param("no dots.here", "1 to 64 of A-Z a-z 0-9 _ -", id="characters"),
        pytest.param("x" * 65, "1 to 64", id="too long"),
    ],
)
def test_an_alias_that_cannot_be_used_is_refused(
    probe_descriptors: Descriptors, alias: str, words: str
) -> None:
    exposed = Exposed(backend="probe", descriptors=probe_descriptors, expose=["*.Echo", "*.Fail"])

    with pytest.raises(CatalogError, match=words):
        build([exposed], {"*.Fail": ToolSettings(name=alias)})


@pytest.mark.parametrize(
    ("expose", "tools", "words"),
    [
        pytest.param(
            ["probe.v1.ProbeService.Ecko"],
            {},
            r'"probe.v1.ProbeService.Ecko" fits no method',
            id="expose",
        ),
        pytest.param(
            ["*"],
            {"probe.v1.ProbeService.Dangerus": {}},
            'did you mean "probe.v1.ProbeService.Dangerous"',
            id="tools",
        ),
        pytest.param(["*"], {"xyz": {}}, "correct it or take it out", id="nothing near"),
    ],
)
def test_a_pattern_that_fits_nothing_is_refused_since_it_would_protect_nothing(
    probe_descriptors: Descriptors, expose: list[str], tools: dict[str, Any], words: str
) -> None:
    exposed = Exposed(backend="probe", descriptors=probe_descriptors, expose=expose)
    settings = {pattern: ToolSettings(**said) for pattern, said in tools.items()}

    with pytest.raises(CatalogError, match=words):
        build([exposed], settings)


NAMED = """
syntax = "proto3"; package named; import "broker/v1/annotations.proto";
message Nothing {}
service S {
  rpc First(Nothing) returns (Nothing) { option (broker.v1.tool).name = "ALIAS"; }
  rpc Second(Nothing) returns (Nothing) { option (broker.v1.tool).name = "OTHER"; }
  rpc Third(Nothing) returns (Nothing);
}
"""


async def named_tools(folder: Path, alias: str, other: str = "fine") -> Exposed:
    (folder / "named.proto").write_text(NAMED.replace("ALIAS", alias).replace("OTHER", other))
    return Exposed(backend="named", descriptors=link(await ProtoFiles(("named.proto",), (folder,)).load()))


@pytest.mark.parametrize(
    ("alias", "words"),
    [
        pytest.param("no dots.here", "1 to 64 of A-Z a-z 0-9 _ -", id="characters"),
        pytest.param("x" * 65, "1 to 64", id="too long"),
        pytest.param("call_tool", "the broker's own", id="reserved"),
        pytest.param("NAMED_S_THIRD", '"named.S.Third" of backend "named"', id="the name of another"),
        pytest.param("mine", '"named.S.Second" of backend "named"', id="the name that the operator gave"),
    ],
)
async def test_a_name_that_a_proto_asks_for_in_vain_leaves_out_its_own_tool_alone(
    tmp_path: Path, alias: str, words: str
) -> None:
    exposed = await named_tools(tmp_path, alias)

    catalog = build([exposed], {"named.S.Second": ToolSettings(name="mine")})

    assert [tool.name for tool in catalog] == ["mine", "named_S_Third"]
    assert words in catalog.left_out["named", "named.S.First"]


async def test_of_two_protos_that_ask_for_one_name_the_first_has_it(tmp_path: Path) -> None:
    catalog = build([await named_tools(tmp_path, "same", "SAME")], {})

    assert [tool.full_name for tool in catalog] == ["named.S.First", "named.S.Third"]
    assert '"named.S.First" of backend "named"' in catalog.left_out["named", "named.S.Second"]


async def test_messages_that_no_codec_takes_are_left_out_and_take_no_other_tool_down(tmp_path: Path) -> None:
    chain = "".join(f"message A{n} {{ A{n + 1} a = 1; }}" for n in range(1_500))
    (tmp_path / "deep.proto").write_text(
        f'syntax = "proto3"; package deep; {chain} message A1500 {{ string name = 1; }}'
        "service S { rpc Dive(A0) returns (A1500); rpc Swim(A1500) returns (A1500); }"
    )
    catalog = build(
        [Exposed(backend="deep", descriptors=link(await ProtoFiles(("deep.proto",), (tmp_path,)).load()))], {}
    )

    assert [tool["name"] for tool in catalog.tools("mcp")] == ["deep_S_Swim"]
    assert "too deep in each other" in catalog.refused("mcp")["deep_S_Dive"]


def test_a_bug_that_one_tool_brings_out_takes_no_other_tool_down(
    probe_descriptors: Descriptors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(tool: Tool, *_: Any) -> dict[str, Any]:
        if tool.method.name == "Echo":
            raise ZeroDivisionError("a bug")
        return {"name": tool.name}

    monkeypatch.setattr("broker.catalog.catalog.render", render)
    exposed = Exposed(backend="probe", descriptors=probe_descriptors, expose=["*.Echo", "*.Fail"])
    catalog = build([exposed], {})

    assert catalog.tools() == [{"name": "probe_v1_ProbeService_Fail"}]
    assert "ZeroDivisionError: a bug" in catalog.refused("openai")["probe_v1_ProbeService_Echo"]


def test_a_profile_that_does_not_exist_is_a_key_error_and_leaves_out_nothing(
    probe_descriptors: Descriptors,
) -> None:
    catalog = build([Exposed(backend="probe", descriptors=probe_descriptors, expose=["*.Echo"])], {})

    with pytest.raises(KeyError, match="opnai"):
        catalog.tools("opnai")
    assert not catalog.left_out


async def test_what_only_one_provider_refuses_is_offered_to_the_others(catalog_of: CatalogOf) -> None:
    catalog = await catalog_of(
        f"message R {{ string {'n' * 65} = 1; }} service S {{ rpc Find(R) returns (R); }}"
    )

    assert {profile: len(catalog.tools(profile)) for profile in PROFILES} == {
        "openai": 1, "openai-strict": 1, "mcp": 1, "anthropic": 0, "gemini": 1,
    }  # fmt: skip
    assert [list(catalog.refused(profile)) for profile in ("anthropic", "openai")] == [["shop_v1_S_Find"], []]
    assert list(catalog.not_offered("openai")) == []
    ((backend, full_name, reason),) = catalog.not_offered("anthropic")
    assert (backend, full_name) == ("shop", "shop.v1.S.Find")
    assert "takes only names that match" in reason


def test_one_service_on_two_backends_is_left_out_of_each_with_its_own_reason(
    probe_descriptors: Descriptors,
) -> None:
    backends = [
        Exposed(backend=name, descriptors=probe_descriptors, expose=["*.Collect", "*.Echo"], prefix=name)
        for name in ("one", "two")
    ]
    held = build(backends, {}).without({"two_probe_v1_ProbeService_Echo": "it changed"})

    assert list(held.left_out) == [
        ("one", "probe.v1.ProbeService.Collect"),
        ("two", "probe.v1.ProbeService.Collect"),
        ("two", "probe.v1.ProbeService.Echo"),
    ]
    assert [tool.name for tool in held] == ["one_probe_v1_ProbeService_Echo"]
