"""broker.yaml → frozen settings. Data only: nothing here opens a file of a backend or makes a connection."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from broker.tool import Approval, Retry

_DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<unit>ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _to_seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f'{value!r} is not a length of time; write it like "500ms", "2s" or "1m"')
    return float(match["number"]) * _SECONDS[match["unit"]]


Seconds = Annotated[float, BeforeValidator(_to_seconds), Field(gt=0)]
"""A length of time: a number of seconds, or text like "500ms", "2s", "1m", "1h"."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ModelSettings(_Settings):
    """The language model that the loop drives."""

    driver: Literal["stand-in", "chat-completions"] = "stand-in"
    name: str | None = None
    """The model's name, as its server knows it."""
    base_url: str | None = None
    """The address of an OpenAI-compatible server, up to and with `/v1`; None: the SDK's own default."""
    api_key: SecretStr | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    max_output_tokens: Annotated[int, Field(gt=0)] | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    stop: tuple[str, ...] | None = None
    extra_body: dict[str, Any] = {}
    """Sent along in the body of each request, for what this table does not name."""
    timeout: Seconds = 120.0
    """How long one answer of the model may take."""


class TlsSettings(_Settings):
    """How a TLS channel to a backend is secured; all files are PEM."""

    ca: Path | None = None
    """The authorities to trust; None: gRPC's own list."""
    cert: Path | None = None
    """Our own certificate, for a backend that asks for one."""
    key: Path | None = None
    server_name: str | None = None
    """The name to find in the backend's certificate, when it is not that of the target."""


class DescriptorSettings(_Settings):
    """Where a backend's descriptors come from: exactly one of `protos`, `protoset`, `reflection`."""

    protos: tuple[str, ...] = ()
    """.proto files, named as `import` names them."""
    import_paths: tuple[Path, ...] = ()
    """The folders in which `protos` and what they import are found."""
    protoset: Path | None = None
    """A FileDescriptorSet, as `protoc --include_imports --descriptor_set_out` or `buf build` writes it."""
    reflection: bool = False
    comments: "DescriptorSettings | None" = None
    """Where comments come from when the descriptors have none, as with reflection."""
    max_files: Annotated[int, Field(gt=0)] = 5_000
    """How many files a server may hand out by reflection."""
    max_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024
    """How many bytes a server may hand out by reflection."""


class BackendSettings(_Settings):
    """A gRPC service that we route to."""

    target: str
    """gRPC's own target string: `localhost:50051`, `dns:///stocks.tools:443`, `unix:/run/mail.sock`."""
    plaintext: bool = False
    """True: no TLS."""
    tls: TlsSettings = TlsSettings()
    authority: str | None = None
    """The `:authority` of each call, when it is not that of the target."""
    descriptors: DescriptorSettings
    prefix: str | None = None
    """Put before each tool's name, with an underscore."""
    expose: tuple[str, ...] = ("*",)
    """Patterns of full names: the methods that are tools."""
    hide: tuple[str, ...] = ()
    """Patterns of full names: the methods that are not tools, whatever `expose` says."""
    metadata: dict[str, SecretStr] = {}
    """gRPC metadata that is sent with each call."""
    connect_timeout: Seconds = 10.0
    """How long reading descriptors by reflection may take."""
    max_message_bytes: Annotated[int, Field(gt=0)] = 4 * 1024 * 1024
    """The largest request or response."""
    keepalive_time: Seconds | None = None
    """How long a silent connection is trusted before it is asked whether it lives; None: for ever."""
    keepalive_timeout: Seconds = 20.0


class ToolSettings(_Settings):
    """What the operator says about the tools that a pattern of full names fits; None: nothing is said."""

    name: str | None = None
    description: str | None = None
    hidden: bool | None = None
    approval: Approval | None = None
    timeout: Seconds | None = None
    retry: Retry | None = None
    max_messages: Annotated[int, Field(gt=0)] | None = None
    max_bytes: Annotated[int, Field(gt=0)] | None = None
    max_seconds: Seconds | None = None


class ServerTlsSettings(_Settings):
    """How our own listener is secured; all files are PEM."""

    cert: Path
    key: Path
    client_ca: Path | None = None
    """The authorities whose clients we answer; None: any client."""


class ServerSettings(_Settings):
    """Where `broker serve` listens."""

    grpc: str = "127.0.0.1:50050"
    """Address and port; port 0 takes a free one."""
    tls: ServerTlsSettings | None = None
    insecure: bool = False
    """True: a public address without TLS is meant."""
    max_concurrent_calls: Annotated[int, Field(gt=0)] = 1_000
    drain_delay: Seconds = 1.0
    """How long NOT_SERVING is shown before no call is taken any more."""
    drain_timeout: Seconds = 30.0
    """How long calls in flight may take to finish after that."""


class ChatSettings(_Settings):
    """What a conversation may cost."""

    system: str | None = None
    """What the model is told before the conversation."""
    max_turns: Annotated[int, Field(gt=0)] = 10
    """How often the model is asked in one run; in the last turn it must answer."""
    max_parallel_calls: Annotated[int, Field(gt=0)] = 16


class LogSettings(_Settings):
    """What is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """`info` has a line for each call; `debug` has its arguments too."""
    format: Literal["json", "console"] = "json"


class Settings(_Settings):
    """All of broker.yaml."""

    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    backends: dict[str, BackendSettings] = {}
    tools: dict[str, ToolSettings] = {}
    """By pattern of full names; an exact name beats a pattern, a longer literal prefix a shorter, key by key."""
    chat: ChatSettings = ChatSettings()
    log: LogSettings = LogSettings()
