import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.catalog.naming import MAX_LENGTH, tool_name

identifier = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,40}", fullmatch=True)
full_names = st.lists(identifier, min_size=2, max_size=12).map(".".join)
prefixes = st.none() | st.from_regex(r"[a-z][a-z0-9_]{0,19}", fullmatch=True)


@given(full_names, prefixes)
def test_a_name_is_always_one_that_every_provider_takes(full_name: str, prefix: str | None) -> None:
    name = tool_name(full_name, prefix)

    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
    assert prefix is None or name.startswith(f"{prefix}_")


@pytest.mark.parametrize(
    ("full_name", "prefix", "name"),
    [
        pytest.param("a.v1.S.M", None, "a_v1_S_M", id="short"),
        pytest.param("S.M", None, "S_M", id="no package"),
        pytest.param("a.v1.S.M", "acme", "acme_a_v1_S_M", id="prefix"),
        pytest.param("p" * 57 + ".S.Mthd", None, "p" * 57 + "_S_Mthd", id="exactly 64"),
    ],
)
def test_a_short_name_is_the_full_name_with_underscores(
    full_name: str, prefix: str | None, name: str
) -> None:
    assert tool_name(full_name, prefix) == name


def test_a_long_name_keeps_service_and_method_and_loses_leading_packages() -> None:
    name = tool_name("com.example.engineering.platform.deployments.v1.DeploymentService.CreateRollback")

    assert re.fullmatch(r"platform_deployments_v1_DeploymentService_CreateRollback_[0-9a-z]{6}", name)


def test_a_prefix_counts_in_the_length_so_that_a_prefixed_name_never_grows_past_the_limit() -> None:
    full_name = "example.platform.deployments.v1.DeploymentService.CreateRelease"
    assert len(tool_name(full_name)) == 63

    name = tool_name(full_name, "production")

    assert len(name) <= MAX_LENGTH
    assert name.startswith("production_")


def test_service_and_method_that_are_too_long_alone_keep_the_end() -> None:
    name = tool_name("a.v1." + "Very" * 20 + "Service.ListThings")

    assert len(name) == MAX_LENGTH
    assert re.search(r"Service_ListThings_[0-9a-z]{6}$", name)


def test_two_long_names_that_end_alike_differ() -> None:
    tail = ".deployments.v1.DeploymentService.CreateRollbackOfTheLastRelease"

    assert tool_name("com.example.blue" + tail) != tool_name("com.example.green" + tail)
