"""What flags, config and environment say about the model → its settings."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from broker.config.settings import ModelSettings, Settings
from broker.errors import ConfigError

DEFAULT_NAME = "gpt-5.4"
"""Which of OpenAI's models is asked when none is named."""


def model_values(
    settings: Settings, env: Mapping[str, str], *, name: str | None, base_url: str | None
) -> dict[str, Any]:
    """What flags say about the model goes before what the config says, and that before the environment.

    The environment is OPENAI_API_KEY, OPENAI_BASE_URL and MODEL; when none speaks, the stand-in answers.
    Raises ConfigError when a server is named without a model.
    """
    configured = "model" in settings.model_fields_set
    values = dict(settings.model) if configured else _of_environment(env)
    if name is not None or base_url is not None:
        inherited = {} if values["driver"] == "stand-in" else values
        flags = {"name": name, "base_url": base_url}
        given = {key: value for key, value in flags.items() if value is not None}
        values = {"driver": "auto", "api_key": env.get("OPENAI_API_KEY"), **inherited, **given}
    if values["driver"] == "stand-in" or values.get("name") is not None:
        return values
    if values.get("base_url") is not None:
        raise ConfigError("the model has no name; give the name that its server knows with --model or MODEL")
    return {**values, "name": DEFAULT_NAME}


def introduction(model: ModelSettings) -> str:
    """The line that says who answers."""
    if model.driver == "stand-in":
        return "answered by the rule-based stand-in, no language model; set OPENAI_API_KEY to ask one"
    if model.base_url is None:
        return f'answered by model "{model.name}" of OpenAI'
    # Not the address itself: it may hold a password.
    return f'answered by model "{model.name}" at {urlsplit(model.base_url).hostname}'


def _of_environment(env: Mapping[str, str]) -> dict[str, Any]:
    if not env.get("OPENAI_API_KEY"):
        return {"driver": "stand-in"}
    return {
        "driver": "auto",
        "api_key": env["OPENAI_API_KEY"],
        "base_url": env.get("OPENAI_BASE_URL"),
        "name": env.get("MODEL"),
    }
