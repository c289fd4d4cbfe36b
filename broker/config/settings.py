"""What broker.yaml may say. Data only: nothing here opens a file of a backend or makes a connection."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from broker.config.model_settings import ModelSettings as ModelSettings
from broker.config.problems import quoted
from broker.config.section import Section
from broker.config.values import (
    AnyFile,
    BackendName,
    ExistingFile,
    ExistingFolder,
    Listener,
    MetadataKey,
    MetadataValue,
    ProtoFile,
    Seconds,
    Target,
    ToolPrefix,
    folder,
    is_public,
)
from broker.tool import Approval, Retry, Unknown


class TlsSettings(Section):
    """How a TLS channel to a backend is secured; all files are PEM."""

    ca: ExistingFile | None = None
    """The authorities to trust; None: gRPC's own list."""
    cert: ExistingFile | None = None
    """Our own certificate, for a backend that asks for one."""
    key: ExistingFile | None = None
    server_name: str | None = None
    """The name to find in the backend's certificate, when it is not that of the target."""

    @model_validator(mode="after")
    def _has_cert_and_key(self) -> Self:
        if (self.cert is None) != (self.key is None):
            missing = "key" if self.key is None else "cert"
            raise ValueError(
                f'"cert" and "key" go together, and "{missing}" is missing; give both or neither'
            )
        return self


class DescriptorSettings(Section):
    """Where a backend's descriptors come from: exactly one of `protos`, `protoset`, `reflection`."""

    import_paths: tuple[ExistingFolder, ...] = ()
    """The folders in which `protos` and what they import are found; none in a file: the file's own."""
    protos: tuple[ProtoFile, ...] = ()
    """.proto files, named as `import` names them."""
    protoset: ExistingFile | None = None
    """A FileDescriptorSet, as `protoc --include_imports --descriptor_set_out` or `buf build` writes it."""
    reflection: bool = False
    comments: "DescriptorSettings | None" = None
    """Where comments come from when the descriptors have none, as with reflection."""
    max_files: Annotated[int, Field(gt=0)] = 5_000
    """How many files a server may hand out by reflection."""
    max_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024
    """How many bytes a server may hand out by reflection."""

    @model_validator(mode="before")
    @classmethod
    def _write_out(cls, values: Any, info: ValidationInfo) -> Any:
        if values == "reflection":
            return {"reflection": True}
        if isinstance(values, str):
            raise ValueError(
                f'{quoted(values)} is not known; write "reflection", {{protos: […]}} or {{protoset: …}}'
            )
        if isinstance(values, dict) and values.get("protos") and not values.get("import_paths"):
            return values if folder(info) is None else {**values, "import_paths": ["."]}
        return values

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if [bool(self.protos), self.protoset is not None, self.reflection].count(True) != 1:
            raise ValueError('takes exactly one of "protos", "protoset" and "reflection: true"')
        if self.comments is not None and self.comments.reflection:
            raise ValueError('"comments" come from "protos" or a "protoset"; reflection never has any')
        return self


class BackendSettings(Section):
    """A gRPC service that we route to."""

    target: Target
    plaintext: bool = False
    """True: no TLS."""
    tls: TlsSettings = TlsSettings()
    authority: str | None = None
    """The `:authority` of each call, when it is not that of the target."""
    descriptors: DescriptorSettings
    prefix: ToolPrefix | None = None
    """Put before each tool's name, with an underscore."""
    expose: tuple[str, ...] = ("*",)
    """Patterns of full names: the methods that are tools."""
    hide: tuple[str, ...] = ()
    """Patterns of full names: the methods that are not tools, whatever `expose` says."""
    visibility: tuple[str, ...] = ()
    """Labels of google.api.visibility: what is restricted to other labels only, models do not see."""
    metadata: dict[MetadataKey, MetadataValue] = Field(default_factory=dict)
    """gRPC metadata that is sent with each call."""
    connect_timeout: Seconds = 10.0
    """How long reading descriptors by reflection may take."""
    max_message_bytes: Annotated[int, Field(gt=0)] = 4 * 1024 * 1024
    """The largest request or response."""
    max_concurrent_calls: Annotated[int, Field(gt=0)] | None = None
    """How many calls may be under way there at once, from all callers together; the others wait for their
    turn, as long as they have time. None: any number."""
    keepalive_time: Seconds | None = None
    """How long a silent connection is trusted before it is asked whether it lives; None: for ever."""
    keepalive_timeout: Seconds = 20.0
    health_check: bool = False
    """True: replicas that say NOT_SERVING get no calls. Not the default, because gRPC complains on stderr
    about every backend that has no health service."""

    @model_validator(mode="after")
    def _is_plaintext_or_tls(self) -> Self:
        if self.plaintext and self.tls.model_fields_set:
            raise ValueError('has "plaintext: true" together with "tls"; remove one of the two')
        return self


class ToolSettings(Section):
    """What the operator says about the tools that a pattern of full names fits; None: nothing is said."""

    name: str | None = None
    description: str | None = None
    hidden: bool | None = None
    bidi: bool | None = None
    """True: a method of which both sides stream is a tool too; all requests are sent, and then no more."""
    approval: Approval | None = None
    read_only: bool | None = None
    """Whether it has no side effects, where its .proto does not say it or is not right."""
    timeout: Seconds | None = None
    retry: Retry | None = None
    unknown: Unknown | None = None
    max_messages: Annotated[int, Field(gt=0)] | None = None
    max_bytes: Annotated[int, Field(gt=0)] | None = None
    max_seconds: Seconds | None = None
    max_calls: Annotated[int, Field(gt=0)] | None = None
    """How often it may be called in one run of the chat loop."""
    polling: bool | None = None
    """True: that it is called again and again with the same result is meant."""


class ServerTlsSettings(Section):
    """How our own listener is secured; all files are PEM."""

    cert: ExistingFile
    key: ExistingFile
    client_ca: ExistingFile | None = None
    """The authorities whose clients we answer; None: any client."""


class ServerSettings(Section):
    """Where `broker serve` listens."""

    grpc: Listener = "127.0.0.1:50050"
    tls: ServerTlsSettings | None = None
    insecure: bool = False
    """True: a public address without TLS is meant."""
    max_concurrent_calls: Annotated[int, Field(gt=0)] = 1_000
    drain_delay: Seconds = 1.0
    """How long NOT_SERVING is shown before no call is taken any more."""
    drain_timeout: Seconds = 30.0
    """How long calls in flight may take to finish after that."""

    @model_validator(mode="after")
    def _is_private_or_secured(self) -> Self:
        if is_public(self.grpc) and self.tls is None and not self.insecure:
            fact = f"{quoted(self.grpc)} can be reached from other machines, and there is no TLS"
            raise ValueError(
                f'{fact}; set "tls", or "insecure: true" if that is meant, or listen at 127.0.0.1'
            )
        return self


class ChatSettings(Section):
    """What a conversation may cost."""

    system: str | None = None
    """What the model is told before the conversation."""
    max_turns: Annotated[int, Field(gt=0)] = 10
    """How often the model is asked in one run; in the last turn it must answer."""
    max_calls: Annotated[int, Field(gt=0)] = 100
    """How many calls one run may make."""
    max_calls_per_tool: Annotated[int, Field(gt=0)] = 50
    """How often one run may call the same tool; a tool's own `max_calls` goes before it."""
    max_input_tokens: Annotated[int, Field(gt=0)] | None = None
    """How many tokens the model may read in one run, in all its turns."""
    max_output_tokens: Annotated[int, Field(gt=0)] | None = None
    """How many tokens it may write in one run, in all its turns."""
    timeout: Seconds | None = None
    """How long one run may take; time in which it waits for somebody's decision does not count."""
    max_parallel_calls: Annotated[int, Field(gt=0)] = 16
    """How many calls of one turn are made at once."""
    tool_search: Literal["auto", "reveal", "dispatch", "off"] = "auto"
    """How models find tools in a large catalog. `reveal`: those that a search finds are offered from the next
    turn on; `dispatch`: they are called by name through one tool, so that the list of tools never changes;
    `auto`: `reveal` where there are more than `max_tools`."""
    max_tools: Annotated[int, Field(gt=0)] | None = None
    """How many tools are offered without a search; None: as many as the model's server takes, or 128."""
    always_offered: tuple[str, ...] = ()
    """Patterns of full names: the tools that are offered without a search."""
    max_result_bytes: Annotated[int, Field(ge=1_000)] = 50_000
    """Of one result that the model is sent; of a longer one it is sent a part, and reads on as it needs."""
    max_result_tokens: Annotated[int, Field(ge=250)] = 10_000
    """The same in tokens, as estimated; the lower of the two holds."""
    max_kept_bytes: Annotated[int, Field(ge=0)] = 16 * 1024 * 1024
    """Of all results of one conversation that are kept to be read on in; the oldest go first."""
    whole_turns: Annotated[int, Field(gt=0)] = 2
    """Results older than so many questions of the user are shortened, every so many questions."""
    max_whole_bytes: Annotated[int, Field(gt=0)] = 400_000
    """Of all results in one request; beyond it the oldest are shortened, until half of it is left."""


class StateSettings(Section):
    """Where runs that wait for somebody are kept."""

    file: AnyFile | None = None
    """A SQLite file, which outlives the process; None: in memory."""
    expiry: Seconds = 3_600.0
    """How long a run waits for decisions; after that it cannot be taken up again."""
    lease: Seconds = 15.0
    """How long a process that took up a run and is gone keeps others from it."""


class AuditSettings(Section):
    """What is kept of each call, for those who have to answer for it."""

    file: AnyFile | None = None
    """One JSON line for each call is added to it. Made so that only its owner can read it. None: nothing is
    kept."""


class LogSettings(Section):
    """What is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """`info` has a line for each call; `debug` has its arguments too."""
    format: Literal["json", "console"] = "json"


class Settings(Section):
    """All of broker.yaml."""

    _file: Path | None = PrivateAttr(default=None)

    model: ModelSettings = ModelSettings()
    server: ServerSettings = ServerSettings()
    backends: dict[BackendName, BackendSettings] = Field(default_factory=dict)
    tools: dict[str, ToolSettings] = Field(default_factory=dict)
    """By pattern of full names; an exact name beats a pattern, a longer literal prefix a shorter."""
    lockfile: AnyFile | None = None
    """What `broker lock` wrote: a reflected tool that is not as it says is not offered."""
    approvals: Literal["marked", "strict"] = "marked"
    """`marked`: a tool needs approval where its .proto or `tools` says so; `strict`: also where nobody has
    marked it as free of side effects, by `idempotency_level = NO_SIDE_EFFECTS` or `read_only: true`."""
    chat: ChatSettings = ChatSettings()
    state: StateSettings = StateSettings()
    audit: AuditSettings = AuditSettings()
    log: LogSettings = LogSettings()

    @property
    def file(self) -> Path | None:
        """The file that they were read from; None: no file."""
        return self._file

    def read_from(self, file: Path | None) -> Self:
        """The same settings, which know the file that they were read from."""
        copy = self.model_copy()
        copy._file = file
        return copy
