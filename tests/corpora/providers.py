"""What each provider takes, written down anew and by other projects' code: none of it is the broker's own."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

import jsonschema
import orjson

from tests.schema.test_strict import broken_rules

_WORDS_64 = "[a-zA-Z0-9_-]{1,64}"
NAMES: Mapping[str, str] = {
    "openai": _WORDS_64,
    "openai-strict": _WORDS_64,
    "mcp": "[A-Za-z0-9_.-]{1,64}",
    "anthropic": _WORDS_64,
    "gemini": "[a-zA-Z_][a-zA-Z0-9_.-]{0,63}",
}
"""By profile; of the 128 that MCP allows, clients take 64."""
_ROOT_KEY = "[a-zA-Z0-9_.-]{1,64}"
_GEMINI = frozenset(
    {
        "type", "description", "properties", "required", "items", "enum", "nullable", "anyOf", "pattern",
        "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    }
)  # fmt: skip
_OPENAI_DESCRIPTION = 1024


def name_of(definition: Any) -> str:
    """The name that the model calls, in any profile's definition."""
    return str(definition.get("function", definition)["name"])


def parameters_of(definition: Any) -> Any:
    """The schema of the arguments; where a profile sends none, that of an object without properties."""
    found = definition.get("function", definition)
    keys = ("parameters", "inputSchema", "input_schema")
    return next((found[key] for key in keys if key in found), {"type": "object", "properties": {}})


def is_strict(definition: Any) -> bool:
    """Whether the provider is asked to enforce the schema."""
    return definition.get("function", {}).get("strict") is True


def refusals(profile: str, definition: Any) -> list[str]:
    """Why the provider would refuse a tool, or misread it; none: `[]`."""
    schema = parameters_of(definition)
    found = [] if re.fullmatch(NAMES[profile], name_of(definition)) else [f"the name {name_of(definition)!r}"]
    found += _invalid(schema)
    function = definition.get("function")
    if function is not None:
        if len(function["description"]) > _OPENAI_DESCRIPTION:
            found.append(f"a description of {len(function['description'])} characters")
        if "strict" not in function:
            found.append("strict is not said")
    if is_strict(definition):
        return found + broken_rules(schema) + _others(schema)
    found += _plain(schema)
    if profile == "anthropic":
        found += [f"the key {key!r}" for key in schema["properties"] if not re.fullmatch(_ROOT_KEY, key)]
    if profile == "gemini":
        found += _gemini(definition, schema)
    if profile == "mcp":
        found += _output(definition["outputSchema"])
    return found


def _plain(schema: Any) -> Iterator[str]:
    if schema.get("type") != "object" or "properties" not in schema:
        yield "the root is no object with properties"
    yield from (f"{key} at the root" for key in ("anyOf", "oneOf", "allOf", "not", "enum") if key in schema)
    for node in nodes(schema):
        yield from (f"{key} in a schema that is not strict" for key in ("$ref", "$defs") if key in node)
        missing = [name for name in node.get("required", ()) if name not in node.get("properties", {})]
        if missing:
            yield f"{missing} required, and not there"


def _gemini(definition: Any, schema: Any) -> Iterator[str]:
    for node in nodes(schema):
        yield from (f"the word {key}" for key in sorted(node.keys() - _GEMINI))
        if isinstance(node.get("type"), list):
            yield "a list of types"
        if node.get("format", "date-time") != "date-time":
            yield f"the format {node['format']}"
    if definition.get("parameters", {"properties": {"a": {}}}).get("properties") == {}:
        yield "an object without properties at the root"


def _output(schema: Any) -> Iterator[str]:
    yield from _invalid(schema)
    if schema.get("type") != "object":
        yield "the result is no object"
    for node in nodes(schema):
        yield from (f"{key} in an output schema" for key in ("$ref", "$defs", "required") if key in node)
        if node.get("additionalProperties") is False:
            yield "an output schema that is closed: a newer server could not answer"


def nodes(schema: Any) -> Iterator[Any]:
    """A schema and all schemas in it."""
    yield schema
    for _, child in _children(schema):
        yield from nodes(child)


def _children(schema: Any) -> Iterator[tuple[str, Any]]:
    for key in ("properties", "$defs"):
        yield from ((key, child) for child in schema.get(key, {}).values())
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(key), dict):
            yield key, schema[key]
    yield from (("anyOf", child) for child in schema.get("anyOf", ()))


def _invalid(schema: Any) -> list[str]:
    """What JSON Schema's own schema says against it.

    That schema looks at each node by itself, so each is shown to it with empty ones for what lies in it, and
    no two that are equal: whole, all of googleapis would take it hours.
    """
    return [text for node in nodes(schema) if (text := _node_problem(orjson.dumps(_alone(node)))) is not None]


def _alone(node: Any) -> Any:
    alone = {**node}
    for key in ("properties", "$defs"):
        if key in node:
            alone[key] = {"a": {}} if node[key] else {}
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(key), dict):
            alone[key] = {}
    if "anyOf" in node:
        alone["anyOf"] = [{}]
    if isinstance(node.get("description"), str):
        alone["description"] = ""
    return alone


@cache
def _node_problem(node: bytes) -> str | None:
    error = next(_METASCHEMA.iter_errors(orjson.loads(node)), None)
    return None if error is None else error.message


_METASCHEMA = jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)


OTHERS = find_spec("agents") is not None and find_spec("pydantic_ai") is not None
"""Whether the other projects' checks are installed."""


def _others(schema: Any) -> list[str]:
    """What the agents SDK of OpenAI and Pydantic AI say against a strict schema."""
    if not OTHERS:
        return []
    from agents.strict_schema import ensure_strict_json_schema
    from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

    found = []
    # Both change what they are given.
    if ensure_strict_json_schema(orjson.loads(orjson.dumps(schema))) != schema:
        found.append("openai-agents changes it")
    transformer = OpenAIJsonSchemaTransformer(orjson.loads(orjson.dumps(schema)), strict=None)
    transformer.walk()
    if not transformer.is_strict_compatible:
        found.append("pydantic-ai does not take it for strict")
    return found
