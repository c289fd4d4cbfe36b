"""The neutral form of a message → one JSON Schema with everything in its place: no `$ref`, a bounded size."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor

from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema.detail import HARD_MAX_BYTES, MAX_BYTES, STAGES, Detail, sentences
from broker.schema.forms import Entries, Form, Items, Leaf, Nested, Property, Shape, innermost
from broker.schema.json_schema import input_schema, output_schema
from broker.schema.keywords import fit, of_entries
from broker.schema.kinds import Use
from broker.schema.limits import Limits
from broker.schema.scalars import Kind

_MAX_NODES = 4_000
"""More do not fit into MAX_BYTES; so a schema that would grow without end is given up early."""
_UNROLLED = 2
"""How often a type stands in itself before it is left open."""


class _TooLarge(Exception):
    """The schema does not fit at this level of detail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How a provider wants what differs between providers."""

    limits: Limits
    any_value: Mapping[str, Any]
    """The schema of a value that may be anything."""
    property_names: bool = False
    """Whether the keys of a map may be described."""
    entries: bool = False
    """Whether a map is a list of its entries."""
    empty_properties: bool = True
    """Whether an object that names no property says so."""

    def takes(self, keyword: str) -> bool:
        """Whether the provider knows a keyword of JSON Schema."""
        return self.limits.keywords is None or keyword in self.limits.keywords


def render_input(message: Descriptor, descriptors: Descriptors, dialect: Dialect) -> dict[str, Any]:
    """The schema of a request, as detailed as fits into 64 KB; raises CatalogError when nothing fits."""
    forms = cache(lambda held, use: input_schema(held, descriptors, use))
    for detail in STAGES:
        try:
            schema = _Renderer(forms, dialect, detail).root(message)
        except _TooLarge:
            continue
        if len(orjson.dumps(schema)) <= (HARD_MAX_BYTES if detail is STAGES[-1] else MAX_BYTES):
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

    forms: Callable[[Descriptor, Use], Form]
    dialect: Dialect
    detail: Detail
    nodes: int = 0
    flat: dict[tuple[int, bool], dict[str, Any]] = field(default_factory=dict)
    """The schemas of fields without objects, which are the same wherever their message stands; by the field's
    identity, and whether it is explained there."""
    above: list[tuple[str, str]] = field(default_factory=list)
    """The types that are being rendered, outermost first, each with the name of the field that holds it."""

    def root(self, message: Descriptor) -> dict[str, Any]:
        return self._object(self.forms(message, Use.WHOLE), "")

    def _object(self, form: Form, holder: str) -> dict[str, Any]:
        self.nodes += 1 + len(form.properties)
        if self.nodes > _MAX_NODES and self.detail is not STAGES[-1]:
            raise _TooLarge
        self.above.append((form.message.full_name, holder))
        properties = {one.name: self._property(one) for one in form.properties}
        required = [one.name for one in form.properties if one.required]
        schema = self._listing(properties, self._choices(form), required)
        if self.dialect.takes("additionalProperties"):
            schema["additionalProperties"] = False
        self.above.pop()
        return schema

    def _choices(self, form: Form) -> str:
        if len(self.above) > self.detail.explained or not (form.oneofs or form.rules):
            return ""
        comments = ((oneof.sentence, self.detail.cut(oneof.comment)) for oneof in form.oneofs)
        return sentences(*chain.from_iterable(comments), *form.rules)

    def _listing(
        self, properties: dict[str, Any], description: str, required: Sequence[str] = ()
    ) -> dict[str, Any]:
        """An object with these properties, and still open."""
        schema: dict[str, Any] = {"type": "object"}
        if description:
            schema["description"] = description
        if properties or self.dialect.empty_properties:
            schema["properties"] = properties
        if required:
            schema["required"] = list(required)
        return schema

    def _property(self, one: Property) -> dict[str, Any]:
        if isinstance(innermost(one.shape), Nested):
            return self._field(one)
        key = id(one), len(self.above) <= self.detail.explained
        if key not in self.flat:
            self.flat[key] = self._field(one)
        return dict(self.flat[key])

    def _field(self, one: Property) -> dict[str, Any]:
        shaped = self._shape(one.shape, one.name)
        described = shaped.pop("description", "")
        keywords = of_entries(one.keywords) if shaped.get("type") == "array" else one.keywords
        default = {} if one.default is None else {"default": one.default}
        schema, words = fit({**shaped, **keywords, **default}, self.dialect.limits)
        text = sentences(*self.detail.explain(one, len(self.above)), described, *words)
        return {**schema, "description": text} if text else schema

    def _shape(self, shape: Shape, name: str) -> dict[str, Any]:
        match shape:
            case Leaf():
                return self._leaf(shape)
            case Nested():
                return self._nested(shape, name)
            case Items():
                items = self._shape(shape.item, name)
                return self._lifted({"type": "array", "items": items, **shape.bounds}, "items")
            case Entries():
                return self._list(shape, name) if self.dialect.entries else self._map(shape, name)

    def _map(self, shape: Entries, name: str) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "object"}
        keys = _key_schema(shape.key)
        if keys is not None and self.dialect.property_names:
            schema["propertyNames"] = keys
        schema["additionalProperties"] = self._shape(shape.value, name)
        return self._lifted(schema, "additionalProperties")

    def _list(self, shape: Entries, name: str) -> dict[str, Any]:
        key, _ = fit(shape.key.input, self.dialect.limits)
        entry = {"key": key, "value": self._shape(shape.value, name)}
        items = self._listing(entry, "", list(entry))
        return {"type": "array", "items": items, "description": "A list of key/value entries."}

    def _lifted(self, schema: dict[str, Any], key: str) -> dict[str, Any]:
        """What is said of each value of a list or map is said of the list or map."""
        text = schema[key].pop("description", None) if schema[key].get("type") != "object" else None
        return schema if text is None else {**schema, "description": text}

    def _leaf(self, leaf: Leaf) -> dict[str, Any]:
        schema, words = fit(leaf.schema if leaf.schema else self.dialect.any_value, self.dialect.limits)
        if leaf.schema.get("items") == {}:
            schema["items"] = dict(self.dialect.any_value)
        text = sentences("" if leaf.hint is None else leaf.hint, *(f"{leaf.place}{one}" for one in words))
        if text and self.detail.explained > 0:
            schema["description"] = text
        return schema

    def _nested(self, nested: Nested, name: str) -> dict[str, Any]:
        full_name = nested.message.full_name
        same = [holder for known, holder in self.above if known == full_name]
        if len(same) >= _UNROLLED:
            where = f'"{same[0]}" above' if same[0] else "the whole"
            return self._listing({}, f"{nested.message.name}; same fields as {where}.")
        form = self.forms(nested.message, nested.use)
        return self._needed(form, name) if len(self.above) >= self.detail.depth else self._object(form, name)

    def _needed(self, form: Form, holder: str) -> dict[str, Any]:
        """An object too deep to be shown: of its fields only those that a call is refused without."""
        self.above.append((form.message.full_name, holder))
        properties = {one.name: self._property(one) for one in form.properties if one.required}
        self.above.pop()
        return self._listing(properties, f"{form.message.name}.", list(properties))


def _key_schema(key: Kind) -> dict[str, Any] | None:
    """What the keys of a map are, since in JSON all are strings; None: any string."""
    if key.exact is str:
        return None
    if key.exact is bool:
        return {"enum": ["true", "false"]}
    sign = "" if key.unsigned else "-?"
    return {"pattern": f"^(0|{sign}[1-9][0-9]*)$"}
