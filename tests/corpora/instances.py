"""A JSON Schema → random JSON values that fit it, by one that reads the descriptions too, as models do."""

import base64
import random
import re
from typing import Any

_DEPTH = 4
_WORDS = ("", "a", "北京", "two words", 'q"uo\\te')
_SENTENCE = re.compile(r"(Exactly|At most) one of: ([^.]+)\.")
_KNOWN = frozenset(
    {
        "type", "description", "properties", "required", "additionalProperties", "items", "enum", "anyOf",
        "$ref", "$defs", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
        "minLength", "maxLength", "minItems", "maxItems", "contentEncoding", "propertyNames", "default",
        "examples", "deprecated", "uniqueItems", "minProperties", "maxProperties",
    }
)  # fmt: skip
"""A word that means more than it says here would make a false instance, so that others are refused."""
_FORMATS = {
    "date-time": "2024-05-01T12:00:00Z",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "email": "ada@example.com",
    "hostname": "example.com",
    "uri": "https://example.com/a",
}


_PATTERNED = ("ab-12", "a.b", "abbc", "abc")
"""What the patterns of our own protos ask for."""


class Unwritable(Exception):
    """A schema with a word that is not known here: teach it."""


class Instances:
    """Writes values that fit schemas."""

    def __init__(self, schema: Any, seed: str) -> None:
        self._definitions = schema.get("$defs", {})
        self._schema = schema
        self._random = random.Random(seed)

    def make(self) -> Any:
        """A value that fits the schema."""
        return self._value(self._schema, 0)

    def _value(self, schema: Any, depth: int) -> Any:
        if schema.keys() - _KNOWN:
            raise Unwritable(str(schema.keys() - _KNOWN))
        if "$ref" in schema:
            return self._value(self._definitions[schema["$ref"].removeprefix("#/$defs/")], depth + 1)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        branches = self._branches(schema)
        if branches:
            nulls = [one for one in branches if one.get("type") == "null"]
            deep = depth >= _DEPTH and nulls
            return self._value(nulls[0] if deep else self._random.choice(branches), depth)
        return self._plain(schema, depth)

    def _branches(self, schema: Any) -> list[Any]:
        kinds = schema.get("type")
        return (
            [{**schema, "type": one} for one in kinds] if isinstance(kinds, list) else schema.get("anyOf", [])
        )

    def _plain(self, schema: Any, depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer":
                return self._random.randint(*_range(schema))
            case "number":
                return self._number(schema)
            case "boolean":
                return self._random.random() < 0.5
            case "null":
                return None
            case _:
                return self._random.choice(("any", 1, [], {}, True))

    def _number(self, schema: Any) -> float:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -90.0))
        high = schema.get("maximum", schema.get("exclusiveMaximum", 90.0))
        low, high = max(low, -90.0), min(high, 90.0)
        drawn = round(self._random.uniform(low, high), 2)
        # Rounded, it may be one of the bounds.
        return drawn if low < drawn < high else (low + high) / 2

    def _array(self, schema: Any, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        items = schema["items"] if schema["items"] else {"type": "string"}
        if "Base64" in schema.get("description", ""):
            items = {**items, "description": "Base64."}  # what is said of each item is said of the list
        last = depth >= _DEPTH or _is_left_open(items)
        count = least if last else self._random.randint(least, least + 2)
        made = [self._value(items, depth + 1) for _ in range(min(count, schema.get("maxItems", count)))]
        if schema.get("uniqueItems"):
            return [one for place, one in enumerate(made) if one not in made[:place]]
        return made

    def _string(self, schema: Any) -> str:
        if "format" in schema:
            return _FORMATS[schema["format"]]
        if "pattern" in schema:
            return _matching(schema["pattern"], self._random)
        if schema.get("contentEncoding") == "base64" or "Base64" in schema.get("description", ""):
            return base64.b64encode(self._random.randbytes(3)).decode()
        text = self._random.choice(_WORDS).ljust(schema.get("minLength", 0), "x")
        return text[: schema.get("maxLength", len(text))]

    def _object(self, schema: Any, depth: int) -> dict[str, Any]:
        if isinstance(values := schema.get("additionalProperties"), dict):
            if "Base64" in schema.get("description", ""):
                values = {**values, "description": "Base64."}
            least = schema.get("minProperties", 0)
            most = 0 if depth >= _DEPTH or _is_left_open(values) else 2
            count = self._random.randint(least, max(least, min(most, schema.get("maxProperties", most))))
            keys = [self._key(schema) for _ in range(count)]
            return {key: self._value(values, depth + 1) for key in keys}
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        chance = 0.5 if depth < _DEPTH else 0.0
        names = [
            name
            for name, one in properties.items()
            if name in required or (self._random.random() < chance and not _is_left_open(one))
        ]
        kept = self._one_of_each(names, schema, required)
        return {name: self._value(properties[name], depth + 1) for name in kept}

    def _one_of_each(self, names: list[str], schema: Any, required: Any) -> list[str]:
        """Of the members of a oneof, one at most, as the description asks."""
        for many, listed in _SENTENCE.findall(schema.get("description", "")):
            members = [name for name in listed.split(", ") if name in schema["properties"]]
            given = [name for name in names if name in members]
            kept = given[:1] or (members[:1] if many == "Exactly" else [])
            names = [name for name in names if name not in members] + kept
        return names

    def _key(self, schema: Any) -> str:
        keys = schema.get("propertyNames", {})
        if "enum" in keys:
            return str(self._random.choice(keys["enum"]))
        number = "pattern" in keys or "Each key is an integer" in schema.get("description", "")
        flag = "Each key is true or false" in schema.get("description", "")
        return "true" if flag else str(self._random.randint(1, 99)) if number else self._random.choice("abcd")


def _is_left_open(schema: Any) -> bool:
    """Whether it is an object of whose fields nothing is said: shown above already, or too deep."""
    described = schema.get("description", "")
    empty = schema.get("type") == "object" and not schema.get("properties")
    return (
        empty
        and "additionalProperties" not in schema
        and described[-1:] == "."
        and "Any JSON" not in described
    )


def _range(schema: Any) -> tuple[int, int]:
    low = max(schema.get("minimum", schema.get("exclusiveMinimum", -(2**31)) + 1), -(2**31))
    return low, min(schema.get("maximum", schema.get("exclusiveMaximum", 2**31) - 1), 2**31 - 1)


def _matching(pattern: str, source: random.Random) -> str:
    number = str(source.randint(1, 99))
    for text in (number, f"{number}s", *_PATTERNED):
        if re.search(pattern, text) is not None:
            return text
    raise Unwritable(f"the pattern {pattern}")
