"""The table of model servers, and how its rows are chosen and changed."""

import re
from dataclasses import fields
from typing import get_args

import pytest

from broker.config.model_settings import EndpointKind, EndpointSettings
from broker.config.settings import ModelSettings
from broker.models.endpoints import ENDPOINTS, Endpoint, endpoint_of, kind_of
from broker.schema.profiles import PROFILES


def test_each_kind_that_broker_yaml_knows_has_a_row() -> None:
    assert list(ENDPOINTS) == list(get_args(EndpointKind))


def test_each_knob_of_a_row_can_be_set_in_broker_yaml() -> None:
    knobs = {field.name for field in fields(Endpoint)} - {"source", "checked"}

    assert knobs == EndpointSettings.model_fields.keys() - {"kind"}


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_each_row_has_a_date_and_does_not_contradict_itself(kind: str) -> None:
    row = ENDPOINTS[kind]

    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", row.checked)
    assert row.source
    assert row.profile in PROFILES
    assert row.strict or row.profile != "openai-strict"
    assert row.has_responses or not row.prefers_responses
    assert row.tool_choice == "forced" or not row.allowed_tools
    # What stands in the place of an id that is not taken is taken.
    assert row.id_pattern is None or re.fullmatch(row.id_pattern, "0123abcde")
    # A row can be written in broker.yaml as it is.
    knobs = {key: getattr(row, key) for key in EndpointSettings.model_fields if key != "kind"}
    assert endpoint_of("http://m:1/v1", EndpointSettings.model_validate({**knobs, "kind": kind})) == row


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://api.openai.com/v1/", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://x.openai.azure.com/openai/v1", "azure"),
        ("https://x.services.ai.azure.com/openai/v1", "azure"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "gemini"),
        ("https://europe-west4-aiplatform.googleapis.com/v1/endpoints/openapi", "gemini"),
        ("https://api.mistral.ai/v1", "mistral"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("http://ollama.tools:11434/v1", "ollama"),
        ("http://127.0.0.1:1234/v1", "lm-studio"),
        ("http://127.0.0.1:8000/v1", "other"),
        ("http://openai.com.example.net/v1", "other"),
        ("http://notopenai.com/v1", "other"),
        ("http://[::1]:11434/v1", "ollama"),
    ],
)
def test_the_address_tells_the_kind(url: str, kind: str) -> None:
    assert kind_of(url) == kind


def test_what_broker_yaml_says_goes_before_the_address_and_the_row() -> None:
    settings = EndpointSettings(kind="vllm", parallel_tool_calls=False)

    endpoint = endpoint_of("http://localhost:11434/v1", settings)

    assert endpoint.reasoning_field == ENDPOINTS["vllm"].reasoning_field
    assert ENDPOINTS["vllm"].parallel_tool_calls
    assert not endpoint.parallel_tool_calls


def test_a_kind_may_be_written_alone() -> None:
    settings = ModelSettings.model_validate({"name": "m", "endpoint": "llama.cpp"})

    assert settings.endpoint == EndpointSettings(kind="llama.cpp")


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ({}, "stand-in"),
        ({"name": "m"}, "auto"),
        ({"base_url": "http://m:1/v1"}, "auto"),
        ({"name": "m", "driver": None}, "auto"),
        ({"name": "m", "driver": "stand-in"}, "stand-in"),
        ({"name": "m", "driver": "responses"}, "responses"),
    ],
)
def test_a_model_that_is_named_is_asked(given: dict[str, str], driver: str) -> None:
    assert ModelSettings.model_validate(given).driver == driver
