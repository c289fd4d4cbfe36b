"""How each kind of model server behaves: the one table of it, each row with source and date.

Servers that speak "like OpenAI" differ in what they take, and many refuse a whole request for one word that
they do not know. Where a row is wrong for a server, `model.endpoint` in broker.yaml says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from broker.config.model_settings import EndpointSettings, Images, SendBack


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """What one kind of server takes; the defaults are those of a server of which nothing is known."""

    source: str
    checked: str
    """When the source said so: year and month."""
    profile: Literal["openai", "openai-strict"] = "openai"
    """The form of the tools. Strict schemas are worth their price only where models are held to them."""
    has_responses: bool = False
    """Whether there is `/responses` beside `/chat/completions`."""
    prefers_responses: bool = False
    """Whether its newer models take tools together with reasoning over Responses only."""
    tool_search_above: int | None = None
    """More tools than this are deferred over Responses, and found by the server's `tool_search`; None: it has
    none."""
    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Chat Completions' word for the limit of output."""
    stream_usage: bool = True
    """Whether it takes `stream_options`, and then counts tokens in streams."""
    parallel_tool_calls: bool = True
    """Whether it takes `parallel_tool_calls`."""
    tool_choice: Literal["ignored", "free", "forced"] = "forced"
    """`free`: only "auto" and "none"; `forced`: also "required" and the name of a tool."""
    allowed_tools: bool = False
    """Whether it takes `tool_choice: {type: allowed_tools}`; otherwise the other tools are left out."""
    strict: bool = True
    """Whether it takes the key `strict` in the definition of a tool."""
    json_schema: bool = True
    """Whether it takes `response_format: {type: json_schema}`; otherwise the schema is told in words."""
    images: Images = "any"
    """`inline`: only `data:` URLs, because it fetches none."""
    result_images: bool = False
    """Whether Responses takes images and files in the output of a call; Chat Completions never does."""
    files: bool = False
    """Whether it takes parts of the type `file`."""
    reasoning_field: Literal["reasoning", "reasoning_content"] = "reasoning_content"
    """The key of an assistant's message that holds its reasoning."""
    send_back: SendBack = "always"
    """In which turns it is sent back what it said besides text and calls: reasoning, signatures."""
    id_pattern: str | None = None
    """What the ids of calls must look like; others are replaced by 9 hexadecimal digits."""
    letter_first: bool = False
    """Whether the names of tools must begin with a letter or an underscore."""
    developer: bool = False
    """Whether it knows the role `developer`; otherwise that becomes `system`."""
    one_system_message: bool = False
    """Whether it takes no more than one system message; then they are joined."""
    max_tools: int | None = None
    """How many tools it takes in one request; None: it names no limit."""


_OPENAI_REASONING = "https://github.com/openai/openai-openapi/issues/541"

ENDPOINTS: Mapping[str, Endpoint] = {
    "openai": Endpoint(
        source=f"{_OPENAI_REASONING}, https://developers.openai.com/api/docs/guides/tools-tool-search",
        checked="2026-11",
        profile="openai-strict",
        has_responses=True,
        prefers_responses=True,
        tool_search_above=64,
        max_tokens="max_completion_tokens",
        allowed_tools=True,
        result_images=True,
        files=True,
        # It refuses keys of messages that it does not know.
        send_back="never",
        id_pattern=r".{1,40}",
        developer=True,
        max_tools=128,
    ),
    "azure": Endpoint(
        source=f"{_OPENAI_REASONING}, https://learn.microsoft.com/azure/foundry/openai/how-to/tool-search",
        checked="2026-11",
        # Its limits of strict schemas are older and narrower: 100 properties, 5 levels.
        has_responses=True,
        prefers_responses=True,
        tool_search_above=64,
        max_tokens="max_completion_tokens",
        result_images=True,
        send_back="never",
        id_pattern=r".{1,40}",
        developer=True,
        max_tools=128,
    ),
    "vllm": Endpoint(
        source="https://docs.vllm.ai/en/latest/features/tool_calling.html",
        checked="2026-11",
        # With tool_choice "auto" it holds a model to its schemas only if one of them is strict.
        profile="openai-strict",
        reasoning_field="reasoning",
        one_system_message=True,
    ),
    "ollama": Endpoint(
        source="https://github.com/ollama/ollama/blob/main/docs/api/openai-compatibility.mdx",
        checked="2026-11",
        parallel_tool_calls=False,
        tool_choice="ignored",
        images="inline",
        reasoning_field="reasoning",
    ),
    "llama.cpp": Endpoint(
        source="https://github.com/ggml-org/llama.cpp/blob/master/docs/function-calling.md",
        checked="2026-11",
        one_system_message=True,
    ),
    "deepseek": Endpoint(
        source="https://api-docs.deepseek.com/guides/thinking_mode",
        checked="2026-11",
        json_schema=False,
        images="none",
        # A turn with calls is refused without its reasoning.
        send_back="with-calls",
    ),
    "gemini": Endpoint(
        source="https://ai.google.dev/gemini-api/docs/openai",
        checked="2026-11",
        parallel_tool_calls=False,
        strict=False,
        letter_first=True,
    ),
    "mistral": Endpoint(
        source="https://docs.vllm.ai/en/latest/features/tool_calling.html#mistral-models-mistral",
        checked="2026-11",
        send_back="never",
        id_pattern=r"[a-zA-Z0-9]{9}",
    ),
    "openrouter": Endpoint(
        source="https://openrouter.ai/docs/guides/features/tool-calling",
        checked="2026-11",
        files=True,
        reasoning_field="reasoning",
    ),
    "lm-studio": Endpoint(
        source="https://lmstudio.ai/docs/developer/openai-compat",
        checked="2026-11",
        images="inline",
        one_system_message=True,
    ),
    "stand-in": Endpoint(
        source="broker/standin",
        checked="2026-11",
        allowed_tools=True,
        images="none",
    ),
    "other": Endpoint(source="what most servers take", checked="2026-11"),
}
"""By kind."""

_HOSTS: Mapping[str, str] = {
    ".openai.com": "openai",
    ".azure.com": "azure",
    ".deepseek.com": "deepseek",
    ".generativelanguage.googleapis.com": "gemini",
    # Each region has a host of its own, like `europe-west4-aiplatform.googleapis.com`.
    "aiplatform.googleapis.com": "gemini",
    ".mistral.ai": "mistral",
    ".openrouter.ai": "openrouter",
}
"""By the end of a dot and the host."""
_PORTS: Mapping[int, str] = {11434: "ollama", 1234: "lm-studio"}
"""Only those that nothing else listens at: 8000 and 8080 may be vLLM and llama.cpp, and a hundred others."""


def endpoint_of(url: str, settings: EndpointSettings) -> Endpoint:
    """The row for the server at `url`, with what the settings change in it.

    >>> endpoint_of("http://localhost:11434/v1", EndpointSettings()).tool_choice
    'ignored'
    >>> endpoint_of("http://models.lan/v1", EndpointSettings(kind="vllm", max_tools=20)).max_tools
    20
    """
    row = ENDPOINTS[kind_of(url) if settings.kind is None else settings.kind]
    knobs = {key: value for key, value in settings if key != "kind" and value is not None}
    return replace(row, **knobs)


def kind_of(url: str) -> str:
    """What the address of a server tells about its kind; "other" where it tells nothing.

    >>> kind_of("https://eu.api.openai.com/v1"), kind_of("http://openai.com.example.net/v1")
    ('openai', 'other')
    """
    address = urlsplit(url)
    for end, kind in _HOSTS.items():
        if f".{address.hostname}".endswith(end):
            return kind
    return "other" if address.port is None else _PORTS.get(address.port, "other")
