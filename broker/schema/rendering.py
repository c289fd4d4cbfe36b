"""The neutral form of a message → one JSON Schema with everything in its place: no `$ref`, a bounded size."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor

from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema import descriptions
from broker.schema.json_schema import (
    Entries,
    Form,
    Items,
    Leaf,
    Nested,
    Property,
    Shape,
    input_schema,
    output_schema,
)
from broker.schema.scalars import Kind

MAX_BYTES = 64 * 1024
"""A larger schema loses its explanations, then its depth."""
HARD_MAX_BYTES = 256 * 1024
"""A still larger one is refused."""
_MAX_NODES = 4_000
"""More do not fit into MAX_BYTES; so a schema that would grow without end is given up early."""
_UNROLLED = 2
"""How often a type stands in itself before it is left open."""


class _TooLarge(Exception):
    """The schema does not fit at this level of detail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Detail:
    """How much is told."""

    cut: Callable[[str], str]
    """A field's comment → what is kept of it."""
    explained: int = 100
    """Levels whose fields are explained."""
    depth: int = 100
    """Levels of objects; deeper ones are left open."""


def _short(comment: str) -> str:
    return descriptions.shorten(descriptions.first_paragraph(comment), descriptions.MAX_FIELD)


_STAGES = (
    _Detail(cut=_short),
    _Detail(cut=descriptions.first_sentence),
    _Detail(cut=descriptions.first_sentence, explained=2),
    *(
        _Detail(cut=descriptions.first_sentence, explained=0, depth=depth)
        for depth in (100, 8, 6, 5, 4, 3, 2, 1)
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How a provider wants what differs between providers."""

    any_value: Mapping[str, Any]
    """The schema of a value that may be anything."""
    property_names: bool
    """Whether the keys of a map may be described."""


def render_input(message: Descriptor, descriptors: Descriptors, dialect: Dialect) -> dict[str, Any]:
    """The schema of a request, as detailed as fits into 64 KB; raises CatalogError when nothing fits."""
    forms = cache(lambda held, partial: input_schema(held, descriptors, partial))
    for detail in _STAGES:
        try:
            schema = _Renderer(forms, dialect, detail).root(message)
        except _TooLarge:
            continue
        if len(orjson.dumps(schema)) <= (HARD_MAX_BYTES if detail is _STAGES[-1] else MAX_BYTES):
            return schema
    raise CatalogError(
        f'the request "{message.full_name}" has so many fields that no model accepts its schema; '
        "hide the method, or fields of it with (broker.v1.field).hidden"
    )


def render_output(message: Descriptor, descriptors: Descriptors, depth: int = 2) -> dict[str, Any]:
    """The schema of a response, `depth` objects deep: below, and for what a newer server adds, it is open."""
    return _output_object(message, descriptors, depth)


def _output_object(message: Descriptor, descriptors: Descriptors, depth: int) -> dict[str, Any]:
    form = output_schema(message, descriptors)
    shapes = {one.name: _output_shape(one.shape, descriptors, depth - 1) for one in form.properties}
    return {"type": "object", "properties": shapes}


def _output_shape(shape: Shape, descriptors: Descriptors, depth: int) -> dict[str, Any]:
    match shape:
        case Leaf():
            return dict(shape.schema)
        case Nested():
            return _output_object(shape.message, descriptors, depth) if depth > 0 else {"type": "object"}
        case Items():
            return {"type": "array", "items": _output_shape(shape.item, descriptors, depth)}
        case Entries():
            return {"type": "object", "additionalProperties": _output_shape(shape.value, descriptors, depth)}


@dataclass
class _Renderer:
    """Renders one request once."""

    forms: Callable[[Descriptor, bool], Form]
    dialect: Dialect
    detail: _Detail
    nodes: int = 0
    above: list[tuple[str, str]] = field(default_factory=list)
    """The types that are being rendered, outermost first, each with the name of the field that holds it."""

    def root(self, message: Descriptor) -> dict[str, Any]:
        return self._object(self.forms(message, False), "")

    def _object(self, form: Form, holder: str) -> dict[str, Any]:
        self.nodes += 1 + len(form.properties)
        if self.nodes > _MAX_NODES and self.detail is not _STAGES[-1]:
            raise _TooLarge
        self.above.append((form.message.full_name, holder))
        schema: dict[str, Any] = {"type": "object"}
        text = " ".join(f"At most one of: {', '.join(names)}." for names in form.oneofs())
        if text and len(self.above) <= self.detail.explained:
            schema["description"] = text
        schema["properties"] = {one.name: self._property(one) for one in form.properties}
        required = [one.name for one in form.properties if one.required]
        if required:
            schema["required"] = required
        schema["additionalProperties"] = False
        self.above.pop()
        return schema

    def _property(self, one: Property) -> dict[str, Any]:
        schema = self._shape(one.shape, one.name)
        sentences = [*self._explained(one), schema.pop("description", "")]
        text = " ".join(sentence for sentence in sentences if sentence)
        if text:
            schema["description"] = text
        if one.default is not None:
            schema["default"] = one.default
        return schema

    def _explained(self, one: Property) -> list[str]:
        if len(self.above) > self.detail.explained:
            return []
        return [_ended(self.detail.cut(one.comment)), *map(_ended, one.notes)]

    def _shape(self, shape: Shape, name: str) -> dict[str, Any]:
        match shape:
            case Leaf():
                return self._leaf(shape)
            case Nested():
                return self._nested(shape, name)
            case Items():
                return self._lifted({"type": "array", "items": self._shape(shape.item, name)}, "items")
            case Entries():
                return self._entries(shape, name)

    def _entries(self, shape: Entries, name: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        keys = _key_schema(shape.key)
        if keys is not None and self.dialect.property_names:
            schema["propertyNames"] = keys
        schema["additionalProperties"] = self._shape(shape.value, name)
        return self._lifted(schema, "additionalProperties")

    def _lifted(self, schema: dict[str, Any], key: str) -> dict[str, Any]:
        """What is said of each value of a list or map is said of the list or map."""
        text = schema[key].pop("description", None) if schema[key].get("type") != "object" else None
        return schema if text is None else {**schema, "description": text}

    def _leaf(self, leaf: Leaf) -> dict[str, Any]:
        schema = dict(leaf.schema) if leaf.schema else dict(self.dialect.any_value)
        if leaf.schema.get("items") == {}:
            schema["items"] = dict(self.dialect.any_value)
        if leaf.hint is not None and self.detail.explained > 0:
            schema["description"] = leaf.hint
        return schema

    def _nested(self, nested: Nested, name: str) -> dict[str, Any]:
        full_name = nested.message.full_name
        same = [holder for known, holder in self.above if known == full_name]
        if len(same) >= _UNROLLED:
            where = f'"{same[0]}" above' if same[0] else "the whole"
            text = f"{nested.message.name}; same fields as {where}."
            return {"type": "object", "properties": {}, "description": text}
        if len(self.above) >= self.detail.depth:
            return {"type": "object", "properties": {}, "description": f"{nested.message.name}."}
        return self._object(self.forms(nested.message, nested.partial), name)


def _key_schema(key: Kind) -> dict[str, Any] | None:
    """What the keys of a map are, since in JSON all are strings; None: any string."""
    if key.exact is str:
        return None
    if key.exact is bool:
        return {"enum": ["true", "false"]}
    sign = "" if key.unsigned else "-?"
    return {"pattern": f"^(0|{sign}[1-9][0-9]*)$"}


def _ended(text: str) -> str:
    """With a full stop, since another sentence may follow."""
    return text if not text or text[-1] in ".!?。!?…:" else f"{text}."
