"""A strict schema → the first limit of the provider that it exceeds, in words."""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from broker.schema.limits import Limits


def excess(schema: Mapping[str, Any], limits: Limits) -> str | None:
    """Which limit is exceeded, as in `it has 6,000 properties; at most 5,000 are taken`; None: none is."""
    nodes = list(_nodes(schema))
    names = [name for node in nodes for name in node.get("properties", ())]
    enums = [[str(value) for value in node["enum"] if value is not None] for node in nodes if "enum" in node]
    long = [values for values in enums if limits.long_enum is not None and len(values) > limits.long_enum]
    characters = sum(map(len, chain(names, schema.get("$defs", ()), *enums)))
    found = (
        (len(names), limits.properties, "properties"),
        (_Depths(schema).of(schema), limits.depth, "levels of objects"),
        (sum(map(len, enums)), limits.enum_values, "enum values"),
        (characters, limits.characters, "characters of names and enum values"),
        (max(map(_characters, long), default=0), limits.long_enum_characters, "characters in one enum"),
    )
    for actual, most, what in found:
        if most is not None and actual > most:
            return f"it has {actual:,} {what}; at most {most:,} are taken"
    return None


def _characters(values: list[str]) -> int:
    return sum(map(len, values))


def _nodes(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The schema and all that are written in it, definitions included."""
    pending = [schema]
    for node in pending:  # grows while it is read
        pending += chain(_below(node), node.get("$defs", {}).values())
    yield from pending


def _below(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    items = node.get("items")
    yield from chain(node.get("properties", {}).values(), node.get("anyOf", ()))
    if items is not None:
        yield items


class _Depths:
    """How many objects lie in each other, each definition being counted where it is referred to.

    A type in itself is counted once: how often it stands in itself is for the model to say.
    """

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = root.get("$defs", {})
        self._depths: dict[str, int] = {}

    def of(self, node: Mapping[str, Any]) -> int:
        reference = node.get("$ref")
        if reference is not None:
            return self._defined(reference.rpartition("/")[2])
        return ("properties" in node) + max(map(self.of, _below(node)), default=0)

    def _defined(self, name: str) -> int:
        if name not in self._depths:
            self._depths[name] = 0
            self._depths[name] = self.of(self._definitions[name])
        return self._depths[name]
