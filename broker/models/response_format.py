"""What an answer must look like, said to servers that are not told it as Chat Completions does."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from broker.models.model import ChatMessage

SCHEMA_IN_WORDS = (
    "The model's server holds no answer to a schema: the model is told it, and may answer otherwise."
)


def in_words(
    response_format: Mapping[str, Any], messages: Sequence[ChatMessage]
) -> tuple[dict[str, Any], list[ChatMessage]]:
    """The format without its schema, and the conversation with the schema in a message of the system."""
    schema = orjson.dumps(response_format["json_schema"].get("schema", {})).decode()
    told = f"Answer the user with one JSON object that fits this JSON Schema, and nothing else: {schema}"
    return {"type": "json_object"}, [{"role": "system", "content": told}, *messages]


def for_responses(response_format: Mapping[str, Any]) -> dict[str, Any]:
    """Chat Completions' `response_format` → the `text.format` of Responses, which is flat.

    >>> for_responses({"type": "json_schema", "json_schema": {"name": "a", "schema": {}}})
    {'type': 'json_schema', 'name': 'a', 'schema': {}}
    """
    if response_format.get("type") != "json_schema":
        return dict(response_format)
    return {"type": "json_schema", **response_format["json_schema"]}
