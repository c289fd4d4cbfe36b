"""A tool → its whole definition in the words of one provider, ready to be sent as it is."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema import definitions
from broker.schema.limits import LIMITS
from broker.schema.rendering import Dialect, render_input, render_output
from broker.schema.strict import NotStrict, render_strict
from broker.tool import Tool

# Nodes without a type are refused in some of OpenAI's modes and by Anthropic, and arrays without items.
_ANY_TYPE = {"type": ["string", "number", "boolean", "object", "array", "null"], "items": {}}
# A list of types is no type for Gemini.
_ANY_OF = {
    "anyOf": [
        *({"type": name} for name in ("string", "number", "boolean", "object")),
        {"type": "array", "items": {"type": "string"}},
    ]
}
_OPENAI = Dialect(limits=LIMITS["openai"], any_value=_ANY_TYPE)
_MCP = Dialect(limits=LIMITS["mcp"], any_value={}, property_names=True)
_ANTHROPIC = Dialect(limits=LIMITS["anthropic"], any_value=_ANY_TYPE)
_GEMINI = Dialect(limits=LIMITS["gemini"], any_value=_ANY_OF, entries=True, empty_properties=False)


def _openai(tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    return _function(tool, _input_schema(tool, descriptors, _OPENAI), strict=False)


def _openai_strict(tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    """Strict where that can be had, else what the profile `openai` makes of the tool."""
    try:
        schema = render_strict(descriptors.request_type(tool.method), descriptors)
        return _function(tool, _by_signature(schema, tool, descriptors), strict=True)
    except NotStrict:
        return _openai(tool, descriptors)


def _function(tool: Tool, parameters: dict[str, Any], strict: bool) -> dict[str, Any]:
    return definitions.function(tool.name, tool.description, parameters, strict=strict)


def _mcp(tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    return {
        "name": tool.name,
        "title": _title(tool.method.name),
        "description": tool.description,
        "inputSchema": _input_schema(tool, descriptors, _MCP),
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


_HINTS: Mapping[str, dict[str, bool]] = {
    "NO_SIDE_EFFECTS": {"readOnlyHint": True, "idempotentHint": True},
    "IDEMPOTENT": {"readOnlyHint": False, "idempotentHint": True},
}
_HINTS_OF_VERBS: Mapping[str | None, dict[str, bool]] = {
    "GET": {"readOnlyHint": True},
    "DELETE": {"readOnlyHint": False, "destructiveHint": True},
}


def _annotations(tool: Tool, descriptors: Descriptors) -> dict[str, bool]:
    """Hints that ease a client's mind; a server that is known by reflection only has no say in that.

    What google.api.http says comes after `idempotency_level`, and is a hint only: that a gateway offers a
    method under GET has no part in what the broker itself allows.
    """
    if not descriptors.trusted:
        return {}
    options = descriptors.method_options(tool.method)
    return {**_HINTS_OF_VERBS.get(options.verb, {}), **_HINTS.get(options.idempotency_level, {})}


def _anthropic(tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    schema = _input_schema(tool, descriptors, _ANTHROPIC)
    return definitions.anthropic(tool.name, tool.description, schema)


def _gemini(tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    return definitions.gemini(tool.name, tool.description, _input_schema(tool, descriptors, _GEMINI))


def _input_schema(tool: Tool, descriptors: Descriptors, dialect: Dialect) -> dict[str, Any]:
    message, pattern = descriptors.request_type(tool.method), dialect.limits.root_key
    schema = render_input(message, descriptors, dialect)
    for key in schema.get("properties", ()):
        if pattern is not None and re.fullmatch(pattern, key) is None:
            raise CatalogError(
                f'the request "{message.full_name}" has the field "{key}", and the provider takes only names '
                f"that match {pattern}; hide the field with (broker.v1.field).hidden"
            )
    return _by_signature(schema, tool, descriptors)


def _by_signature(schema: dict[str, Any], tool: Tool, descriptors: Descriptors) -> dict[str, Any]:
    """The same with what the method's signature has first; a oneof stands for its members where it is one."""
    fields = descriptors.request_type(tool.method).fields_by_name
    named = [fields[name] for name in descriptors.method_options(tool.method).signature if name in fields]
    first = [name for field in named for name in (field.name, *_oneof_name(field))]
    if not first:
        return schema
    properties, required = schema.get("properties", {}), schema.get("required", ())
    order = dict.fromkeys(name for name in (*first, *properties) if name in properties)
    return {
        **schema,
        **({"properties": {name: properties[name] for name in order}} if properties else {}),
        **({"required": [name for name in order if name in required]} if required else {}),
    }


def _oneof_name(field: FieldDescriptor) -> tuple[str, ...]:
    return () if field.containing_oneof is None else (field.containing_oneof.name,)


_DEFINITIONS: Mapping[str, Callable[[Tool, Descriptors], dict[str, Any]]] = {
    "openai": _openai,
    "openai-strict": _openai_strict,
    "mcp": _mcp,
    "anthropic": _anthropic,
    "gemini": _gemini,
}

PROFILES: tuple[str, ...] = tuple(_DEFINITIONS)
"""The names of the profiles."""


def render(tool: Tool, descriptors: Descriptors, profile: str) -> dict[str, Any]:
    """The definition of the tool for one of PROFILES.

    Raises KeyError for another profile, CatalogError when the provider would not accept the tool.

    - `openai`: an element of `tools` in a request to Chat Completions, not strict;
    - `openai-strict`: the same and strict, where `strict_problem` finds nothing against it;
    - `mcp`: an element of the result of `tools/list`;
    - `anthropic`: an element of `tools` in a request to Messages;
    - `gemini`: an element of `functionDeclarations`.
    """
    return _DEFINITIONS[profile](tool, descriptors)


def strict_problem(tool: Tool, descriptors: Descriptors) -> str | None:
    """Why the profile `openai-strict` sends the tool with `"strict": false`; None: it is strict."""
    try:
        render_strict(descriptors.request_type(tool.method), descriptors)
    except NotStrict as problem:
        return str(problem)
    return None
