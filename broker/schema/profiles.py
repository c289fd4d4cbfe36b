"""A tool → its whole definition in the words of one provider, ready to be sent as it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor_pb2 import MethodOptions

from broker.descriptors.pool import Descriptors
from broker.schema import descriptions
from broker.schema.rendering import Dialect, render_input, render_output
from broker.tool import Tool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Profile:
    dialect: Dialect
    define: Callable[[Tool, dict[str, Any], Descriptors], dict[str, Any]]
    """The tool and the schema of its arguments → the definition."""


def _define_openai(tool: Tool, parameters: dict[str, Any], _: Descriptors) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": descriptions.shorten(tool.description, descriptions.MAX_TOOL),
            "parameters": parameters,
            # Not left out: the Responses API would then rewrite the schema to a strict one.
            "strict": False,
        },
    }


def _define_mcp(tool: Tool, input_schema: dict[str, Any], descriptors: Descriptors) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": _title(tool.method.name),
        "description": tool.description,
        "inputSchema": input_schema,
        "outputSchema": _output(tool, descriptors),
        "annotations": _annotations(tool, descriptors),
    }


def _title(name: str) -> str:
    """`GetWeather` → `Get Weather`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ")


def _output(tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    schema = render_output(tool.method.output_type, descriptors)
    if not tool.method.server_streaming:
        return schema
    collected = {
        "messages": {"type": "array", "items": schema},
        "count": {"type": "integer"},
        "complete": {"type": "boolean"},
        "reason": {"type": "string"},
    }
    return {"type": "object", "properties": collected}


_HINTS: Mapping[int, dict[str, bool]] = {
    MethodOptions.NO_SIDE_EFFECTS: {"readOnlyHint": True, "idempotentHint": True},
    MethodOptions.IDEMPOTENT: {"readOnlyHint": False, "idempotentHint": True},
}


def _annotations(tool: Tool, descriptors: Descriptors) -> dict[str, bool]:
    """Hints that ease a client's mind; a server that is known by reflection only has no say in that."""
    level = tool.method.GetOptions().idempotency_level
    return dict(_HINTS.get(level, {})) if descriptors.trusted else {}


_ANY_TYPE = {"type": ["string", "number", "boolean", "object", "array", "null"], "items": {}}

_PROFILES: Mapping[str, _Profile] = {
    "openai": _Profile(
        # Nodes without a type are refused in some of OpenAI's modes, and arrays without items.
        dialect=Dialect(any_value=_ANY_TYPE, property_names=False),
        define=_define_openai,
    ),
    "mcp": _Profile(dialect=Dialect(any_value={}, property_names=True), define=_define_mcp),
}

PROFILES: tuple[str, ...] = tuple(_PROFILES)
"""The names of the profiles."""


def render(tool: Tool, descriptors: Descriptors, profile: str) -> dict[str, Any]:
    """The definition of the tool for one of PROFILES.

    Raises KeyError for another profile, CatalogError when the request has so many fields that no provider
    would accept it.

    - `openai`: an element of `tools` in a request to Chat Completions, not strict;
    - `mcp`: an element of the result of `tools/list`.
    """
    chosen = _PROFILES[profile]
    parameters = render_input(tool.method.input_type, descriptors, chosen.dialect)
    return chosen.define(tool, parameters, descriptors)
