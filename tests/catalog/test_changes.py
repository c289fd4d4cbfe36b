from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from broker.catalog.changes import schema_changes

CITY = {"type": "string", "description": "Where."}


def an_object(required: tuple[str, ...] = (), closed: bool = True, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": list(required)}
    return {**schema, "additionalProperties": False} if closed else schema


@pytest.mark.parametrize(
    ("old", "new", "breaks", "what"),
    [
        pytest.param(an_object(a=CITY), an_object(), True, "arguments.a: is gone", id="property removed"),
        pytest.param(
            an_object(), an_object(a=CITY), False, "arguments.a: is new, and optional", id="property added"
        ),
        pytest.param(
            an_object(closed=False),
            an_object(closed=False, a=CITY),
            True,
            "arguments.a: is new, and optional",
            id="property added where any was taken",
        ),
        pytest.param(
            an_object(),
            an_object(("a",), a=CITY),
            True,
            "arguments.a: is new, and required",
            id="required property added",
        ),
        pytest.param(
            an_object(a=CITY),
            an_object(("a",), a=CITY),
            True,
            "arguments.a: is required now",
            id="newly required",
        ),
        pytest.param(
            an_object(("a",), a=CITY),
            an_object(a=CITY),
            False,
            "arguments.a: is optional now",
            id="no longer required",
        ),
        pytest.param(
            an_object(a=CITY),
            an_object(a={**CITY, "description": "Where to."}),
            False,
            'arguments.a: description is now "Where to.", was "Where."',
            id="comment reworded",
        ),
        pytest.param(
            {"enum": ["A"]}, {"enum": ["A", "B"]}, False, 'arguments: takes "B" too', id="enum widened"
        ),
        pytest.param(
            {"enum": ["A", "B"]},
            {"enum": ["A"]},
            True,
            'arguments: no longer takes "B"',
            id="enum narrowed",
        ),
        pytest.param({}, {"enum": ["A"]}, True, 'arguments: takes only "A"', id="enum added"),
        pytest.param(
            {"enum": ["A"]}, {}, False, "arguments: takes values that are not listed too", id="enum dropped"
        ),
        pytest.param(
            {"enum": ["A", "B"]},
            {"enum": ["B", "A"]},
            False,
            "arguments: is written in another order",
            id="enum reordered",
        ),
        pytest.param(
            {"type": "integer"}, {"type": "number"}, False, 'arguments: takes "number" too', id="type widened"
        ),
        pytest.param(
            {"type": ["string", "null"]},
            {"type": "string"},
            True,
            'arguments: no longer takes "null"',
            id="type narrowed",
        ),
        pytest.param({"minimum": 1}, {"minimum": 0}, False, "minimum is now", id="least lowered"),
        pytest.param({"minimum": 0}, {"minimum": 1}, True, "minimum is now", id="least raised"),
        pytest.param({"maxLength": 5}, {"maxLength": 9}, False, "maxLength is now", id="most raised"),
        pytest.param({"maxLength": 9}, {"maxLength": 5}, True, "maxLength is now", id="most lowered"),
        pytest.param({"maxLength": 9}, {}, False, "maxLength is gone", id="bound dropped"),
        pytest.param({}, {"pattern": "^a$"}, True, "pattern is now", id="unknown keyword added"),
        pytest.param({"pattern": "^a$"}, {}, False, "pattern is gone", id="unknown keyword dropped"),
        pytest.param(
            {"items": {"type": "string"}},
            {"items": {"type": "integer"}},
            True,
            'arguments[]: no longer takes "string"',
            id="within a list",
        ),
        pytest.param(
            {"additionalProperties": False},
            {"additionalProperties": CITY},
            False,
            "arguments.*: takes more values",
            id="opened",
        ),
        pytest.param(
            {}, {"additionalProperties": False}, True, "arguments.*: takes fewer values", id="closed"
        ),
    ],
)
def test_a_change_says_where_it_is_and_whether_it_breaks_callers(
    old: dict[str, Any], new: dict[str, Any], breaks: bool, what: str
) -> None:
    found = schema_changes(old, new)

    assert any(what in change.what and change.breaks is breaks for change in found), found
    assert any(change.breaks for change in found) is breaks


names = st.sampled_from(["a", "b", "c"])
types = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(st.sampled_from(["x", "y", 0, 1, None]), min_size=1, max_size=3, unique=True),
        "minimum": st.integers(0, 2),
        "maximum": st.integers(0, 2),
        "minLength": st.integers(0, 2),
        "pattern": st.sampled_from(["x", "y"]),
        "description": st.sampled_from(["One.", "Two."]),
    },
)
schemas = st.recursive(
    leaves,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "array"]),
            "properties": st.dictionaries(names, inner, max_size=3),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "propertyNames": st.fixed_dictionaries({}, optional={"pattern": st.sampled_from(["a", "b"])}),
        },
    ),
    max_leaves=5,
)
scalars = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x", "xy", "a"])
instances = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=4,
)


@given(schemas, schemas, st.lists(instances, min_size=5, max_size=20))
def test_what_was_right_and_is_wrong_now_comes_with_a_breaking_change(
    old: dict[str, Any], new: dict[str, Any], values: list[Any]
) -> None:
    was, now = Draft202012Validator(old), Draft202012Validator(new)
    lost = [value for value in values if was.is_valid(value) and not now.is_valid(value)]

    assert not lost or any(change.breaks for change in schema_changes(old, new))


@given(schemas, schemas)
def test_there_is_no_change_only_where_nothing_changed(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (schema_changes(old, new) == []) is (old == new)


def with_oneof(words: str, *names: str) -> dict[str, Any]:
    return {**an_object(), "properties": dict.fromkeys(names, CITY), "description": words}


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        pytest.param("", "At most one of: a, b.", ['takes only one of "a", "b" now'], id="put into a oneof"),
        pytest.param("At most one of: a, b.", "", [], id="taken out of a oneof"),
        pytest.param("At most one of: a, b.", "At most one of: a, b. Pick.", [], id="comment added"),
        pytest.param(
            "At most one of: a, b.",
            "Exactly one of: a, b.",
            ['must have one of "a", "b" now'],
            id="newly required",
        ),
        pytest.param("Exactly one of: a, b.", "At most one of: a, b.", [], id="no longer required"),
        pytest.param("Exactly one of: a, b.", "Exactly one of: a, b, new.", [], id="member added"),
        pytest.param(
            "At most one of: a, b. At most one of: c, d.",
            "At most one of: a, b, c, d.",
            ['takes only one of "a", "b", "c", "d" now'],
            id="two made one",
        ),
    ],
)
def test_a_oneof_that_takes_less_than_before_breaks_callers(old: str, new: str, breaks: list[str]) -> None:
    names = ["a", "b", "c", "d"]
    after = [*names, "new"] if "new" in new else names

    found = schema_changes(with_oneof(old, *names), with_oneof(new, *after))

    assert [change.what for change in found if change.breaks] == [f"arguments: {what}" for what in breaks]
