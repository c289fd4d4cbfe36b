"""The neutral form of a message's JSON: what fields there are, not yet in any provider's dialect.

A form holds the fields of one message only; a field that is a message names its type, and whoever renders the
form asks for that type's form in its turn. So the form knows nothing of depth, of `$ref`, or of recursion.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor

from broker.schema.kinds import Use
from broker.schema.scalars import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A value whose JSON Schema is known without its surroundings; `{}` fits any value."""

    schema: Mapping[str, Any]
    hint: str | None = None
    """What must be said of the value in words."""
    constraints: Mapping[str, Any] = field(default_factory=dict)
    """What of the schema is said by rules."""
    place: str = ""
    """What stands before a rule in words: "Each item: " in a list."""
    dynamic: bool = False
    """Whether no closed schema can describe it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nested:
    """A message that is written as an object."""

    message: Descriptor
    use: Use = Use.WHOLE


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list."""

    item: "Leaf | Nested"
    bounds: Mapping[str, int] = field(default_factory=dict)
    """How many elements it may have, in the keywords of JSON Schema."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """A map; its keys are strings in JSON, whatever they are in the .proto."""

    key: Kind
    value: "Leaf | Nested"


Shape = Leaf | Nested | Items | Entries


def innermost(shape: Shape) -> Leaf | Nested:
    """What a shape holds: itself, or what its items or the values of its entries are."""
    match shape:
        case Items():
            return shape.item
        case Entries():
            return shape.value
        case _:
            return shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Property:
    """One field."""

    name: str
    shape: Shape
    required: bool = False
    keywords: Mapping[str, Any] = field(default_factory=dict)
    """Rules of a list or map itself."""
    comment: str = ""
    """Cleaned and whole."""
    notes: tuple[str, ...] = ()
    """What else a model must be told, in sentences that no budget cuts."""
    values: str = ""
    """What the values of its enum are, where their comments say so."""
    default: Any = None
    """The default that proto2 declares, as JSON; None: none."""
    oneof: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Oneof:
    """Fields of which at most one may be given."""

    name: str
    members: tuple[str, ...]
    """The names of those that are offered: two or more."""
    required: bool = False
    """Whether one of them must be given."""
    comment: str = ""

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return f"{'Exactly' if self.required else 'At most'} one of: {', '.join(self.members)}."


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """A message as an object: its fields in the order of the .proto."""

    message: Descriptor
    properties: tuple[Property, ...]
    oneofs: tuple[Oneof, ...] = ()
    rules: tuple[str, ...] = ()
    """What holds for the message as a whole, in words."""
