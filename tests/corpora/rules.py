"""P7: what protovalidate accepts of a random request fits the schema that is shown, field by field."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded

NAME = "rules"
MADE = 60
"""Messages of each type with rules: few of a random message's fields are as the rules want them."""
_PROTOS = Path(__file__).parents[1] / "protos"


def descriptors() -> Descriptors:
    """Every rule of protovalidate, on every kind of field."""
    files = asyncio.run(compile_protos(["rules.proto"], [_PROTOS]))
    return link(Loaded(files=files, services=["rules.v1.Rules"], trusted=True))


def broken(message: Any, descriptors: Descriptors) -> set[str]:
    """The fields whose rules a message breaks; "" stands for those of the message as a whole."""
    if not descriptors.has_rules:
        return set()
    from protovalidate import CompilationError, EvaluationError

    try:
        found = descriptors.validator.collect_violations(message)
    except (CompilationError, EvaluationError):
        return {""}
    paths = [() if one.proto.field is None else one.proto.field.elements for one in found]
    return {path[0].field_name if path else "" for path in paths}


def is_said(refusal: str, schema: Any) -> bool:
    """Whether the schema has words on what is refused, or on the whole, for what no keyword says."""
    name = re.match(r"\w*", refusal)
    own = schema["properties"].get("" if name is None else name[0], schema)
    return bool(own.get("description"))


def accepted(encoded: Mapping[str, Any], wrong: set[str], schema: Any) -> list[str]:
    """The fields that are given and not `wrong`, but for messages: of those, not all fields are shown."""
    properties = schema["properties"]
    given = sorted(encoded.keys() & properties.keys() - wrong)
    values = {name: properties[name].get("items", properties[name]) for name in given}
    return [name for name in given if "properties" not in values[name]]


def misfits(encoded: Mapping[str, Any], wrong: set[str], schema: Any) -> Iterator[str]:
    """What the schema refuses of the fields that are not `wrong`."""
    missing = set(schema.get("required", ())) - encoded.keys() - wrong
    yield from (f'"{name}" is required, and need not be given' for name in sorted(missing))
    for name in accepted(encoded, wrong, schema):
        own = schema["properties"][name]
        for error in jsonschema.Draft202012Validator(own).iter_errors(_offered(encoded[name], own)):
            yield f'"{name}" is as its rules want it, and refused: {error.message}'


def _offered(value: Any, schema: Any) -> Any:
    """A number of 64 bits, which is written as text, may be offered as a number."""
    if isinstance(value, list):
        return [_offered(item, schema.get("items", {})) for item in value]
    return int(value) if schema.get("type") == "integer" and isinstance(value, str) else value
