"""What the settings and one request say about how to answer → the parameters of that request."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from broker.config.model_settings import ModelParameters, ModelSettings
from broker.config.problems import dotted, wordings
from broker.errors import ModelError

# Whoever asks for a run could get past its limits by them, or have other answers than the loop can read.
_OWN = frozenset(
    {
        *("model", "messages", "input", "instructions", "tools", "functions", "tool_choice", "function_call"),
        *("parallel_tool_calls", "response_format", "text", "stream", "n"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "store", "previous_response_id"),
    }
)


def parameters_of(settings: ModelSettings, given: Mapping[str, Any]) -> ModelParameters:
    """The settings, with what was `given` for this run instead; of `extra_body`, key by key.

    Raises ModelError for a parameter that there is not, or a value that it cannot have.
    """
    if not given:
        return settings
    own = parsed(given)
    values = {key: getattr(own, key) for key in own.model_fields_set}
    values["extra_body"] = {**settings.extra_body, **own.extra_body}
    return settings.model_copy(update=values)


def parsed(given: Mapping[str, Any]) -> ModelParameters:
    """Raises ModelError for a parameter that there is not, or a value that it cannot have."""
    try:
        parameters = ModelParameters.model_validate(dict(given))
    except ValidationError as error:
        problems = (f"{dotted(path)}: {words}" for path, words in wordings(error, ModelParameters))
        raise ModelError(f"The parameters of the model are wrong: {'; '.join(problems)}.") from None
    own = sorted(_OWN & parameters.extra_body.keys())
    if own:
        fact = f'extra_body: "{own[0]}" is the broker\'s to say. Leave it out.'
        raise ModelError(f"The parameters of the model are wrong: {fact}")
    return parameters
