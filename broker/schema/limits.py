"""What each provider accepts in a tool's definition: the one table of it, each row with source and date."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one provider accepts; None where it names no limit."""

    source: str
    checked: str
    """When the source said so: year and month."""
    name: str
    """The pattern of a tool's name."""
    description: int | None = None
    """Characters of a tool's description."""
    tools: int | None = None
    """Tools in one request."""
    root_key: str | None = None
    """The pattern of the names of the root's properties; one other name fails the whole request."""
    keywords: frozenset[str] | None = None
    """The keywords of JSON Schema that are taken; None: all."""
    formats: frozenset[str] | None = None
    """The values of `format` that are taken; None: all."""
    text_enums: bool = False
    """Whether the values of an enum can only be text."""
    lookaround: bool = True
    """Whether a pattern may look ahead or behind."""
    properties: int | None = None
    """Properties in one schema, at all depths."""
    depth: int | None = None
    """Objects in objects."""
    characters: int | None = None
    """Characters of all names of properties and definitions, and of all values of enums."""
    enum_values: int | None = None
    """Values of all enums of one schema together."""
    long_enum: int | None = None
    """An enum with more values is a long one."""
    long_enum_characters: int | None = None
    """Characters of all values of a long enum."""
    branches: int | None = None
    """Branches of one `anyOf`: ours, since a longer choice costs more than it tells."""


_OPENAI_NAME = "[a-zA-Z0-9_-]{1,64}"

LIMITS: Mapping[str, Limits] = {
    "openai": Limits(
        source="https://platform.openai.com/docs/guides/function-calling",
        checked="2026-03",
        name=_OPENAI_NAME,
        description=1024,
        tools=128,
    ),
    "openai-strict": Limits(
        source="https://platform.openai.com/docs/guides/structured-outputs#supported-schemas",
        checked="2026-02",
        name=_OPENAI_NAME,
        description=1024,
        tools=128,
        keywords=frozenset(
            {
                "type", "description", "properties", "required", "additionalProperties", "items", "enum",
                "const", "anyOf", "$ref", "$defs", "pattern", "format", "multipleOf", "minimum", "maximum",
                "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
            }
        ),
        formats=frozenset(
            {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
        ),
        lookaround=False,
        properties=5_000,
        depth=10,
        characters=120_000,
        enum_values=1_000,
        long_enum=250,
        long_enum_characters=15_000,
        branches=30,
    ),
    "mcp": Limits(
        source="https://modelcontextprotocol.io/specification/2026-07-28/server/tools",
        checked="2026-07",
        name="[a-zA-Z0-9_.-]{1,128}",
    ),
    "anthropic": Limits(
        source="https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use",
        checked="2026-07",
        name=_OPENAI_NAME,
        root_key="[a-zA-Z0-9_.-]{1,64}",
    ),
    "gemini": Limits(
        source="https://ai.google.dev/api/caching#Schema",
        checked="2026-07",
        name="[a-zA-Z_][a-zA-Z0-9_.-]{0,63}",
        # `default` is taken, and ignored.
        keywords=frozenset(
            {
                "type", "description", "properties", "required", "items", "enum", "nullable", "anyOf",
                "pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
            }
        ),
        formats=frozenset({"date-time"}),
        text_enums=True,
    ),
}  # fmt: skip
"""By profile."""
