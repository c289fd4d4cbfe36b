"""The neutral form of a request → a schema that OpenAI enforces while the model writes, or why there is none.

Every object is closed and every key required; what may be absent is null instead. A map is a list of its
entries, and a oneof is one property, named after it, that holds an object with a single key. Types that are
used more than once are in `$defs`. https://platform.openai.com/docs/guides/structured-outputs
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, count
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor

from broker.descriptors.pool import Descriptors
from broker.schema.detail import MAX_BYTES, WHOLE, Detail, sentences
from broker.schema.forms import Entries, Form, Items, Leaf, Nested, Oneof, Property, Shape, innermost
from broker.schema.json_schema import input_schema
from broker.schema.keywords import fit, of_entries
from broker.schema.kinds import Use
from broker.schema.limits import LIMITS, Limits
from broker.schema.strict_limits import excess

_Type = tuple[Descriptor, Use]
"""A message type, and what its messages are for."""
_Forms = Callable[[Descriptor, Use], Form]
_LIMITS = LIMITS["openai-strict"]


class NotStrict(Exception):
    """The request has no strict schema; the text says why, as in `"filter" may hold any value`."""


def render_strict(message: Descriptor, descriptors: Descriptors, limits: Limits = _LIMITS) -> dict[str, Any]:
    """The strict schema of a request, as detailed as fits into 64 KB; raises NotStrict."""
    forms = cache(lambda held, use: _without_nulls(input_schema(held, descriptors, use)))
    names = _definition_names(_survey(message, forms, limits))
    for detail in WHOLE:
        schema = _Renderer(forms, names, detail, limits).root(message)
        problem = excess(schema, limits)
        if problem is not None:
            raise NotStrict(problem)
        if len(orjson.dumps(schema)) <= MAX_BYTES:
            return schema
    raise NotStrict(f"its schema has more than {MAX_BYTES // 1024} KB")


def close(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object, without `$ref` and `anyOf` → the same in strict form; raises NotStrict.

    >>> close({"type": "object", "properties": {"days": {"type": "integer"}}, "additionalProperties": False})
    ... # doctest: +NORMALIZE_WHITESPACE
    {'type': 'object', 'properties': {'days': {'type': ['integer', 'null']}},
     'required': ['days'], 'additionalProperties': False}
    """
    if "items" in schema:
        return {**schema, "items": close(schema["items"])}
    if schema.get("type") != "object":
        return dict(schema)
    if schema.get("additionalProperties") is not False:
        raise NotStrict("an object of it is open, which a closed schema cannot say")
    inner = {name: close(one) for name, one in schema.get("properties", {}).items()}
    required = schema.get("required", ())
    properties = {name: one if name in required else _nullable(one) for name, one in inner.items()}
    return _described(_closed(properties), schema.get("description", ""))


def _without_nulls(form: Form) -> Form:
    """Without the fields that can only be null: there, null would not be told from nothing given."""
    chosen = {name for oneof in form.oneofs for name in oneof.members}
    kept = [one for one in form.properties if one.name in chosen or one.required or not _is_null(one.shape)]
    return replace(form, properties=tuple(kept))


def _is_null(shape: Shape) -> bool:
    return isinstance(shape, Leaf) and shape.schema == {"type": "null"}


def _survey(message: Descriptor, forms: _Forms, limits: Limits) -> list[_Type]:
    """The types that are used more than once, in the order in which they are met; raises NotStrict."""
    root = (message, Use.WHOLE)
    uses, paths = Counter([root]), {root: ""}
    pending = [root]
    for held in pending:  # grows while it is read
        form = forms(*held)
        _check_oneofs(form, limits)
        for one in form.properties:
            path = f"{paths[held]}.{one.name}".lstrip(".")
            inner = innermost(one.shape)
            if isinstance(inner, Nested):
                used = (inner.message, inner.use)
                uses[used] += 1
                if used not in paths:
                    paths[used] = path
                    pending.append(used)
            elif inner.dynamic:
                raise NotStrict(f'"{path}" may hold any value, which a closed schema cannot say')
    return [held for held in pending if uses[held] > 1 and forms(*held).properties]


def _check_oneofs(form: Form, limits: Limits) -> None:
    for oneof in form.oneofs:
        if limits.branches is not None and len(oneof.members) > limits.branches:
            raise NotStrict(
                f'the oneof "{oneof.name}" has {len(oneof.members):,} members; '
                f"at most {limits.branches} are a choice"
            )


def _definition_names(shared: Sequence[_Type]) -> dict[_Type, str]:
    """Each type's key in `$defs`: its own name, with those of its parents where two have the same."""
    names: dict[_Type, str] = {}
    taken: set[str] = set()
    for message, use in shared:
        parts = message.full_name.split(".")
        suffix = "" if use is Use.WHOLE else f"_{use.value}"
        longer = ("_".join(parts[-length:]) + suffix for length in range(1, len(parts) + 1))
        numbered = (f"{message.name}{suffix}_{number}" for number in count(2))
        names[message, use] = next(name for name in chain(longer, numbered) if name not in taken)
        taken.add(names[message, use])
    return names


@dataclass
class _Renderer:
    """Renders one request once."""

    forms: _Forms
    names: Mapping[_Type, str]
    detail: Detail
    limits: Limits
    level: int = 0
    """How many objects deep the field is that is being rendered; in a definition, at least two."""
    definitions: dict[str, Any] = field(default_factory=dict)

    def root(self, message: Descriptor) -> dict[str, Any]:
        schema = self._object(self.forms(message, Use.WHOLE))
        for held, name in self.names.items():
            self.level = 1
            self.definitions[name] = self._object(self.forms(*held))
        return {**schema, "$defs": self.definitions} if self.definitions else schema

    def _object(self, form: Form) -> dict[str, Any]:
        self.level += 1
        by_name = {one.name: one for one in form.properties}
        oneofs = {name: oneof for oneof in form.oneofs for name in oneof.members}
        properties: dict[str, Any] = {}
        for one in form.properties:
            oneof = oneofs.get(one.name)
            if oneof is None:
                properties[one.name] = self._property(one)
            elif oneof.name not in properties:
                properties[oneof.name] = self._choice(oneof, [by_name[name] for name in oneof.members])
        text = sentences(*form.rules) if self.level <= self.detail.explained else ""
        self.level -= 1
        return _described(_closed(properties), text)

    def _choice(self, oneof: Oneof, members: Sequence[Property]) -> dict[str, Any]:
        branches = [_closed({one.name: self._property(replace(one, required=True))}) for one in members]
        schema = {"anyOf": branches if oneof.required else [*branches, {"type": "null"}]}
        text = self.detail.cut(oneof.comment) if self.level <= self.detail.explained else ""
        return {**schema, "description": sentences(text)} if text else schema

    def _property(self, one: Property) -> dict[str, Any]:
        shaped = self._shape(one.shape)
        described = shaped.pop("description", "")
        default = {} if one.default is None else {"default": one.default}
        schema, words = fit({**shaped, **of_entries(one.keywords), **default}, self.limits)
        text = sentences(*self.detail.explain(one, self.level), described, *words)
        return _described(schema if one.required else _nullable(schema), text)

    def _shape(self, shape: Shape) -> dict[str, Any]:
        match shape:
            case Leaf():
                return self._leaf(shape)
            case Nested():
                return self._nested(shape)
            case Items():
                items = self._shape(shape.item)
                return self._lifted({"type": "array", "items": items, **shape.bounds})
            case Entries():
                return self._list(shape)

    def _leaf(self, leaf: Leaf) -> dict[str, Any]:
        schema, words = fit(leaf.schema, self.limits)
        text = sentences("" if leaf.hint is None else leaf.hint, *(f"{leaf.place}{one}" for one in words))
        return {**schema, "description": text} if text and self.detail.explained > 0 else schema

    def _nested(self, nested: Nested) -> dict[str, Any]:
        name = self.names.get((nested.message, nested.use))
        if name is not None:
            return {"$ref": f"#/$defs/{name}"}
        return self._object(self.forms(nested.message, nested.use))

    def _lifted(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What is said of each item is said of the list."""
        text = schema["items"].pop("description", None)
        return schema if text is None else {**schema, "description": text}

    def _list(self, shape: Entries) -> dict[str, Any]:
        key, _ = fit(shape.key.input, self.limits)
        entry = _closed({"key": key, "value": self._shape(shape.value)})
        return {"type": "array", "items": entry, "description": "A list of key/value entries."}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    made = {**schema, "type": [schema["type"], "null"]}
    return {**made, "enum": [*schema["enum"], None]} if "enum" in schema else made


def _described(schema: dict[str, Any], text: str) -> dict[str, Any]:
    if not text:
        return schema
    # A reference takes no siblings.
    return {**({"anyOf": [schema]} if "$ref" in schema else schema), "description": text}
