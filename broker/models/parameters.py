"""What the settings and one request say about how to answer → the parameters of that request."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from broker.config.model_settings import ModelParameters, ModelSettings
from broker.config.problems import dotted, wordings
from broker.errors import ModelError


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
        return ModelParameters.model_validate(dict(given))
    except ValidationError as error:
        problems = (f"{dotted(path)}: {words}" for path, words in wordings(error, ModelParameters))
        raise ModelError(f"The parameters of the model are wrong: {'; '.join(problems)}.") from None
