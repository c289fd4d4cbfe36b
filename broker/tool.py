"""The vocabulary: a tool, a call of it, its result, who calls, and what may happen around a call."""

import enum
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from broker.errors import Code, ToolCallError


class Approval(enum.StrEnum):
    """Whether somebody has to agree to a call before it is sent."""

    NEVER = "never"
    REQUIRED = "required"
    DENY = "deny"
    """Nobody can agree to it: the tool is shown, and never called."""


class Unknown(enum.StrEnum):
    """What becomes of an argument that the tool does not have."""

    REJECT = "reject"
    """The call is refused, with the nearest name."""
    DROP = "drop"
    """It is left out, and the result says so."""


class Retry(enum.StrEnum):
    """When a call that failed on the way may be sent again."""

    IDEMPOTENT = "idempotent"
    """Where the method's `idempotency_level` says that it does no harm."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What may happen around a call. Lengths of time are in seconds, sizes in bytes.

    >>> Policy(timeout=2.0).approval
    <Approval.NEVER: 'never'>
    """

    timeout: float = 30.0
    """How long one call may take; the caller's own deadline is kept too."""
    approval: Approval = Approval.NEVER
    retry: Retry = Retry.IDEMPOTENT
    unknown: Unknown = Unknown.REJECT
    max_messages: int = 100
    """How many messages of a stream are collected before it is cancelled."""
    max_bytes: int = 262_144
    """How many bytes of a stream are collected before it is cancelled."""
    max_seconds: float = 30.0
    """How long a stream is collected before it is cancelled."""
    max_calls: int | None = None
    """How often it may be called in one run of the chat loop; None: as often as the loop allows any tool."""
    polling: bool = False
    """True: that it is called again and again with the same result is meant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """One RPC method as a model sees it. (`backend`, `full_name`) is its identity, never `name`."""

    name: str
    """What the model calls: 1 to 64 of `A-Z a-z 0-9 _ -`."""
    description: str
    method: MethodDescriptor
    backend: str
    """The name of the service that answers, as in broker.yaml."""
    idempotent: bool = False
    """Whether its .proto says that calling it twice does no more than calling it once, and is trusted."""
    read_only: bool = False
    """Whether its .proto, or the operator, says that it has no side effects. A reflected server's word counts
    here: this decides which calls run side by side, never whether somebody is asked."""
    policy: Policy = field(default_factory=Policy)

    @property
    def full_name(self) -> str:
        """`weather.v1.WeatherService.GetWeather`."""
        return str(self.method.full_name)

    @property
    def method_path(self) -> str:
        """`/weather.v1.WeatherService/GetWeather`, the `:path` of the call."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A model's request to call a tool."""

    id: str
    """The provider's string that ties the result to the call."""
    name: str
    arguments: str
    """JSON text, as the model wrote it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """An image or another file in a result, beside its text."""

    media_type: str
    """As IANA lists them: `image/png`."""
    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolResult:
    """The answer to one call: exactly one for each."""

    call_id: str
    content: str
    """What the model reads: the response as JSON text, or what went wrong and what to do about it."""
    structured: Mapping[str, Any] | None = None
    """The response as JSON values; None when the call failed."""
    code: Code | None = None
    """Why the call failed; None when it did not."""
    media: tuple[Media, ...] = ()
    """Images and files of the response, which `content` names by their place in this list."""
    notes: tuple[str, ...] = ()
    """How the arguments were understood where they were not exact; one line for each leniency."""
    error_id: str | None = None
    """Stands in `content`, and in the log beside what the model is not told; None: it is told everything."""

    @property
    def is_error(self) -> bool:
        """True: nothing was done, or the backend refused or failed."""
        return self.code is not None


# https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Custom-Metadata; `-bin` keys hold bytes.
_METADATA_KEY = re.compile(r"(?!grpc-)[0-9a-z_.-]+(?<!-bin)")
_METADATA_VALUE = re.compile(r"[ -~]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Somebody's agreement to one call: that of this principal, to this tool, with exactly this request."""

    call_id: str
    backend: str
    full_name: str
    request_hash: str
    principal: str | None
    edited: bool = field(default=False, compare=False)
    """True: they gave other arguments than the model's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallContext:
    """Who calls, until when, with what metadata, and with whose agreement."""

    principal: str | None = None
    """Who calls, as the way in has established it; None: nobody in particular."""
    deadline: float | None = None
    """The point in time (`time.monotonic()`) after which nobody waits for the result; None: none."""
    metadata: tuple[tuple[str, str], ...] = ()
    """gRPC metadata that is sent along to the backend."""
    grants: tuple[Grant, ...] = ()
    """The calls that somebody has agreed to."""
    attachments: Mapping[str, bytes] = field(default_factory=dict, hash=False, repr=False)
    """What a call may give for a `bytes` field by a handle: `image:1` → the image."""
    run_id: str | None = None
    """The run of the chat loop that the call belongs to; None: it was made by itself."""

    def __post_init__(self) -> None:
        """Raises ValueError for metadata that gRPC cannot send."""
        for key, value in self.metadata:
            if not (_METADATA_KEY.fullmatch(key) and _METADATA_VALUE.fullmatch(value)):
                raise ValueError(
                    f"the metadata {key[:64]!r} cannot be sent: "
                    "a key is of a-z 0-9 _ . - and a value is printable ASCII"
                )

    def time_remaining(self) -> float | None:
        """Seconds until the deadline, not below 0; None where there is none.

        >>> CallContext().time_remaining() is None
        True
        """
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """How one argument was understood that was not exact."""

    leniency: str
    """The short name of what was accepted, as in `broker.schema.notes.Leniency`."""
    text: str
    """One line: the path, what was given, what it was taken as."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A call that was understood: what `execute` sends, and what an approval is bound to."""

    call: ToolCall
    tool: Tool
    request: Message
    """Where requests are streamed: all of them, in the field `messages` of a message of ours."""
    request_bytes: bytes
    """The request as it is sent; those of a stream follow each other, each with its length before it."""
    request_hash: str
    """SHA-256 of `request_bytes`, in hexadecimal."""
    notes: tuple[Note, ...] = ()
    """How the arguments were understood where they were not exact; at most ten."""

    @classmethod
    def of(cls, call: ToolCall, tool: Tool, request: Message, notes: tuple[Note, ...] = ()) -> "Prepared":
        """A call that is to send `request`, with the bytes and the hash of it."""
        # A field may be named SerializeToString, so the method is taken from the class.
        request_bytes = type(request).SerializeToString(request, deterministic=True)
        return cls(
            call=call,
            tool=tool,
            request=request,
            request_bytes=request_bytes,
            request_hash=hashlib.sha256(request_bytes).hexdigest(),
            notes=notes,
        )

    def grant(self, principal: str | None) -> Grant:
        """What `principal` agrees to by agreeing to this call."""
        return Grant(
            call_id=self.call.id,
            backend=self.tool.backend,
            full_name=self.tool.full_name,
            request_hash=self.request_hash,
            principal=principal,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """What was collected of a stream of responses."""

    messages: tuple[Message, ...]
    complete: bool
    """False: the stream was cut, and there may be more."""
    reason: str
    """Why it ended: `end`, `max_messages`, `max_bytes`, `max_seconds` or `error`."""
    error: ToolCallError | None = None
    """What ended it after some messages had come."""


Invoke = Callable[[Prepared, CallContext], Awaitable[Message | Stream]]
"""Sends a request to its backend. A guard is a function that takes one and returns one."""
