"""What can go wrong, sorted by who must act.

    BrokerError
    ├── StartError            the operator, at start; `key` is where in broker.yaml
    │   ├── ConfigError       a file, a key, a target, a listener
    │   ├── DescriptorError   a .proto, a protoset or a reflection that cannot be read
    │   └── CatalogError      two methods with one name, a pattern that matches nothing
    ├── ModelError            the operator or the user: the model's server cannot be used
    ├── RunError              the caller of the chat loop: what it asks for cannot be done; nothing was sent
    └── ToolCallError         the model, on a call: turned into a ToolResult, never raised to the caller
        └── InvalidArguments  the arguments were not understood; nothing was sent

Anything else that is raised is a bug of the broker.
"""

import enum
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field


class Code(enum.IntEnum):
    """The sixteen gRPC status codes that say that a call did not succeed; success is None.

    Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md

    >>> Code(5).name
    'NOT_FOUND'
    """

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class BrokerError(Exception):
    """The root of all errors that somebody other than the broker's developers can mend."""


class StartError(BrokerError):
    """What keeps the broker from starting."""

    def __init__(self, message: str, key: tuple[str | int, ...] = ()) -> None:
        """`key` leads to what the error is about in broker.yaml: `("backends", "weather", "tls", "ca")`."""
        super().__init__(message)
        self.key = key


class ConfigError(StartError):
    """Settings that cannot be used; the message says where (file, line, key) and what to write instead."""


class DescriptorError(StartError):
    """Descriptors that cannot be read; the message holds the compiler's own lines where there are any."""


class CatalogError(StartError):
    """Methods that cannot be offered together; the message names each culprit and the cure."""


class ModelError(BrokerError):
    """The model's server refused, failed, or answered what nobody can read."""

    def __init__(self, message: str, *, is_refusal: bool = False, refused_tool: str | None = None) -> None:
        """`is_refusal`: the server would refuse the same conversation again, perhaps only for one tool."""
        super().__init__(message)
        self.is_refusal = is_refusal
        self.refused_tool = refused_tool
        """The name of the tool whose definition the server does not accept, where it says so."""


class RunError(BrokerError):
    """What the caller of the chat loop asks for cannot be done; nothing was sent, and nothing has changed."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


class ToolCallError(BrokerError):
    """One call that did not succeed: a `code`, and a `message` worded for the model that made it."""

    def __init__(self, code: Code, message: str, withheld: "Withheld | None" = None) -> None:
        """`withheld` is what only the operator reads."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.withheld = withheld


def new_error_id() -> str:
    """Ties what a model is told of a fault to the line of the log about it: 12 hexadecimal digits."""
    return secrets.token_hex(6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Withheld:
    """What went wrong inside, in words that may tell more than a model, and its user, should know."""

    words: str
    id: str = field(default_factory=new_error_id)
    """What the model is given in their place, and the log has beside them."""


class InvalidArguments(ToolCallError):
    """Arguments that do not fit the request; `problems` has a line for each, beginning with its path."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)
        self.problems = tuple(problems)
