"""Name, description and schema of a tool → its definition in the outer form that a provider wants."""

from collections.abc import Callable, Mapping
from typing import Any

from broker.schema import descriptions
from broker.schema.detail import sentences
from broker.schema.keywords import fit
from broker.schema.limits import LIMITS, Limits
from broker.schema.strict import NotStrict, close


def function(name: str, description: str, parameters: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
    """An element of `tools` in a request to Chat Completions."""
    limit = LIMITS["openai"].description
    short = description if limit is None else descriptions.shorten(description, limit)
    # `strict` is not left out: the Responses API would then rewrite the schema to a strict one.
    about = {"name": name, "description": short, "parameters": parameters, "strict": strict}
    return {"type": "function", "function": about}


def anthropic(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An element of `tools` in a request to Messages."""
    return {"name": name, "description": description, "input_schema": schema}


def gemini(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An element of `functionDeclarations`, where an object without properties is refused."""
    declared = {"name": name, "description": description}
    return {**declared, "parameters": schema} if "properties" in schema else declared


def definition(name: str, description: str, schema: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """The definition of a tool of the broker's own, whose schema is given, for one of `profiles.PROFILES`.

    `schema` is that of an object; its values are described by `type`, `properties`, `required`,
    `additionalProperties`, `items`, `enum`, `description` and bounds, with no `$ref` and no `anyOf`.
    Raises KeyError for another profile.
    """
    return _DEFINITIONS[profile](name, description, schema)


def _openai(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return function(name, description, _fitted(schema, LIMITS["openai"]), strict=False)


def _openai_strict(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return function(name, description, close(_fitted(schema, LIMITS["openai-strict"])), strict=True)
    except NotStrict:
        return _openai(name, description, schema)


def _mcp(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": _fitted(schema, LIMITS["mcp"])}


def _anthropic(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return anthropic(name, description, _fitted(schema, LIMITS["anthropic"]))


def _gemini(name: str, description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return gemini(name, description, _fitted(schema, LIMITS["gemini"]))


_DEFINITIONS: Mapping[str, Callable[[str, str, Mapping[str, Any]], dict[str, Any]]] = {
    "openai": _openai,
    "openai-strict": _openai_strict,
    "mcp": _mcp,
    "anthropic": _anthropic,
    "gemini": _gemini,
}


def _fitted(schema: Mapping[str, Any], limits: Limits) -> dict[str, Any]:
    """The same in the keywords that the provider takes, at every depth, and the rest of it in words."""
    made, words = fit(schema, limits)
    if "properties" in made:
        made["properties"] = {name: _fitted(inner, limits) for name, inner in made["properties"].items()}
    if "items" in made:
        made["items"] = _fitted(made["items"], limits)
    text = sentences(made.pop("description", ""), *words)
    return {**made, "description": text} if text else made
