"""What broker.yaml may say about the language model, and about the server behind which it is."""

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, SecretStr, model_validator

from broker.config.problems import nearest, quoted
from broker.config.section import Section
from broker.config.values import Seconds, Url

EndpointKind = Literal[
    "openai", "azure", "vllm", "ollama", "llama.cpp", "deepseek", "gemini", "mistral", "openrouter",
    "lm-studio", "stand-in", "other",
]  # fmt: skip
"""The kinds of model servers that are known; each is a row of `broker.models.endpoints.ENDPOINTS`."""
Images = Literal["any", "inline", "none"]
SendBack = Literal["always", "with-calls", "never"]


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{quoted(pattern)} is no regular expression: {error}") from None
    return pattern


class EndpointSettings(Section):
    """How the model's server behaves, where that is not as its row in the table says.

    What each key means is said at `broker.models.endpoints.Endpoint`.
    """

    kind: EndpointKind | None = None
    """None: what the address says."""
    profile: Literal["openai", "openai-strict"] | None = None
    has_responses: bool | None = None
    prefers_responses: bool | None = None
    tool_search_above: Annotated[int, Field(ge=0)] | None = None
    max_tokens: Literal["max_tokens", "max_completion_tokens"] | None = None
    stream_usage: bool | None = None
    parallel_tool_calls: bool | None = None
    tool_choice: Literal["ignored", "free", "forced"] | None = None
    allowed_tools: bool | None = None
    strict: bool | None = None
    json_schema: bool | None = None
    images: Images | None = None
    result_images: bool | None = None
    files: bool | None = None
    reasoning_field: Literal["reasoning", "reasoning_content"] | None = None
    send_back: SendBack | None = None
    id_pattern: Annotated[str, AfterValidator(_check_pattern)] | None = None
    letter_first: bool | None = None
    developer: bool | None = None
    one_system_message: bool | None = None
    max_tools: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _write_out(cls, values: Any) -> Any:
        if not isinstance(values, str):
            return values
        kinds = get_args(EndpointKind)
        if values not in kinds:
            raise ValueError(f"{quoted(values)} is not known; {nearest(values, kinds)}")
        return {"kind": values}


class ModelParameters(Section):
    """What a model is told about how to answer; None: nothing, so that its server decides."""

    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    max_output_tokens: Annotated[int, Field(gt=0)] | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] | None = None
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Sent along in the body of each request, for what this table does not name."""


class ModelSettings(ModelParameters):
    """The language model that the loop drives."""

    driver: Literal["auto", "chat-completions", "responses", "stand-in"] = "stand-in"
    """Which of OpenAI's two APIs is spoken; `auto`, the one that the server takes tools and reasoning by. The
    default is `stand-in` as long as neither `name` nor `base_url` is given, and then `auto`."""
    name: str | None = None
    """The model's name, as its server knows it."""
    base_url: Url | None = None
    """The address of an OpenAI-compatible server, up to and with `/v1`; None: the SDK's own default."""
    api_key: SecretStr | None = None
    timeout: Seconds = 120.0
    """How long one answer of the model may take."""
    stream: bool = True
    """False: each answer is asked for in one piece."""
    endpoint: EndpointSettings = EndpointSettings()
    """What kind of server it is, like `vllm`, or `{kind: vllm, parallel_tool_calls: false}`."""

    @model_validator(mode="before")
    @classmethod
    def _drive_what_is_named(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("driver") is not None:
            return values
        is_named = any(values.get(key) is not None for key in ("name", "base_url"))
        return {**values, "driver": "auto"} if is_named else values
