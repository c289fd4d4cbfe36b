from typing import Any

import pytest

from broker.cli.model import DEFAULT_NAME, introduction, model_values
from broker.cli.service import changed
from broker.config.settings import ModelSettings, Settings
from broker.errors import ConfigError

KEY = {"OPENAI_API_KEY": "sk-1"}
LOCAL = ModelSettings(driver="chat-completions", name="qwen", base_url="http://127.0.0.1:8000/v1")


def model(configured: ModelSettings | None, env: dict[str, str], **flags: str) -> ModelSettings:
    settings = Settings() if configured is None else Settings(model=configured)
    given: dict[str, Any] = {"name": None, "base_url": None, **flags}
    return changed(settings, model=model_values(settings, env, **given)).model


def test_the_stand_in_answers_when_nobody_says_anything() -> None:
    assert model(None, {}).driver == "stand-in"
    assert model(None, {"OPENAI_API_KEY": "", "MODEL": "x"}).driver == "stand-in"


def test_a_key_in_the_environment_asks_a_language_model() -> None:
    asked = model(None, KEY | {"OPENAI_BASE_URL": "http://m:1/v1", "MODEL": "qwen"})

    assert (asked.driver, asked.name, asked.base_url) == ("auto", "qwen", "http://m:1/v1")
    assert asked.api_key is not None
    assert asked.api_key.get_secret_value() == "sk-1"
    assert model(None, KEY).name == DEFAULT_NAME


def test_the_config_goes_before_the_environment_and_flags_before_both() -> None:
    stand_in = ModelSettings(driver="stand-in")

    assert model(stand_in, KEY).driver == "stand-in"
    assert model(LOCAL, KEY | {"MODEL": "x"}) == LOCAL
    assert model(LOCAL, KEY, name="llama") == LOCAL.model_copy(update={"name": "llama"})
    assert model(stand_in, KEY, name="llama").api_key is not None
    assert model(None, {}, name="llama", base_url="http://m:1/v1").base_url == "http://m:1/v1"


def test_a_server_without_a_model_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"^the model has no name; give the name that its server knows with --model"
    ):
        model(None, {}, base_url="http://m:1/v1")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            ModelSettings(),
            "answered by the rule-based stand-in, no language model; set OPENAI_API_KEY to ask one",
        ),
        (ModelSettings(driver="chat-completions", name="gpt"), 'answered by model "gpt" of OpenAI'),
        (
            ModelSettings(driver="chat-completions", name="qwen", base_url="http://me:pass@m.lan:1/v1"),
            'answered by model "qwen" at m.lan',
        ),
    ],
)
def test_the_one_who_answers_is_introduced(settings: ModelSettings, said: str) -> None:
    assert introduction(settings) == said
