"""From a JSON Schema and a sentence to arguments, for every shape that a parameter can have."""

from datetime import date
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.standin.planner import plan

TODAY = date(2026, 3, 2)
patient = settings(deadline=None, max_examples=50)
UUID = "123e4567-e89b-12d3-a456-426614174000"
SIZES = ["SIZE_UNSPECIFIED", "SIZE_SMALL", "SIZE_LARGE", "SIZE_EXTRA_LARGE"]
UNITS = {"type": "string", "enum": ["M", "I"], "description": "M = metres, m; I = inches, feet."}
DAY = {"type": "object", "properties": {name: {"type": "integer"} for name in ("year", "month", "day")}}
OFFSET = "2026-03-08T15:30:00+02:00"
TEXT = {"type": "string"}


def call(
    prompt: str, properties: dict[str, Any], required: list[str] | None = None, defs: Any = None
) -> list[dict[str, Any]]:
    """The arguments of each call of the tool "grow_Plant" that a prompt makes."""
    schema = {"type": "object", "properties": properties, "required": required or list(properties)}
    schema |= {} if defs is None else {"$defs": defs}
    tool = {
        "type": "function",
        "function": {"name": "grow_Plant", "description": "Grows.", "parameters": schema},
    }
    answer = plan([{"role": "user", "content": prompt}], [tool], today=TODAY)
    arguments = [dict(call.arguments) for call in answer.calls]
    for one in arguments:
        jsonschema.validate(one, schema)
    return arguments


@pytest.mark.parametrize(
    ("schema", "prompt", "value"),
    [
        ({"type": "integer"}, "plant 3 of them", 3),
        ({"type": "integer"}, "plant twenty-one", 21),
        ({"type": "integer"}, "plant 十二棵", 12),
        ({"type": "integer"}, "plant 1,500", 1500),
        ({"type": "integer"}, "plant -4", -4),
        ({"type": "number"}, "plant 2.5", 2.5),
        ({"type": "number"}, "plant 3万", 30000),
        ({"type": "string", "pattern": "^-?[0-9]+$"}, "plant 12345678901234567890", "12345678901234567890"),
        ({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"}, "plant 5 minutes", "300s"),
        ({"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}, "plant the AB-123 there", "AB-123"),
        (
            {"type": "string", "pattern": "^[0-9-]{10}$", "description": 'The day, e.g. "2024-05-01".'},
            "plant it on 2026-03-02",
            "2026-03-02",
        ),
        ({"type": "string", "format": "date"}, "plant on March 8", "2026-03-08"),
        ({"type": "string", "format": "date"}, "plant 后天", "2026-03-04"),
        ({"type": "string", "description": "e.g. 2024-05-01"}, "plant tomorrow", "2026-03-03"),
        ({"type": "string", "format": "date-time"}, "plant on 2026-03-08 at 15:30", "2026-03-08T15:30:00Z"),
        ({"type": "string", "format": "date-time"}, f"plant at {OFFSET}", OFFSET),
        ({"type": "string", "format": "date-time"}, "plant at 9 am", "2026-03-02T09:00:00Z"),
        ({"type": "string", "format": "date-time"}, "plant on Friday", "2026-03-06T00:00:00Z"),
        ({"type": "string", "format": "time"}, "plant at noon", "12:00"),
        ({"type": "string", "format": "email"}, "plant for ada@example.org", "ada@example.org"),
        ({"type": "string", "format": "uri"}, "plant https://example.org/a?b=1", "https://example.org/a?b=1"),
        ({"type": "string", "format": "uuid"}, f"plant {UUID}", UUID),
        ({"type": "string", "enum": SIZES}, "plant extra large", "SIZE_EXTRA_LARGE"),
        ({"type": "string", "enum": SIZES}, "plant 大号", "SIZE_LARGE"),
        ({"type": "string", "enum": ["RED", "GREEN"]}, "plant 红的", "RED"),
        ({"type": "string", "enum": ["BARE_ROOT"]}, "plant bare root", "BARE_ROOT"),
        ({"type": "string", "enum": ["A1", "B2"]}, "plant b2", "B2"),
        (UNITS, "plant in feet", "I"),
        ({"type": ["string", "null"], "enum": ["OAK", "ELM", None]}, "plant the elm", "ELM"),
        (TEXT, 'plant "a red oak"', "a red oak"),
        (TEXT, "plant “橡树”", "橡树"),
        (TEXT, "plant 「橡树」", "橡树"),
        (TEXT, "plant 'an oak'", "an oak"),
        (TEXT, "plant Quercus Robur", "Quercus Robur"),
        ({**TEXT, "description": "e.g. 4711"}, "plant 4812", "4812"),
        (DAY, "plant today", {"year": 2026, "month": 3, "day": 2}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "plant 3", 3),
    ],
)  # fmt: skip
def test_each_shape_is_filled_from_words(schema: dict[str, Any], prompt: str, value: object) -> None:
    assert call(prompt, {"it": schema}) == [{"it": value}]


@pytest.mark.parametrize(
    ("schema", "prompt"),
    [
        ({"type": "integer"}, "plant 2.5"),
        ({"type": "integer"}, "plant 99999999999999999999"),
        ({"type": "string", "format": "date"}, "plant on February 31"),
        ({"type": "string", "pattern": "^(a+)+$"}, "plant aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
        ({"type": "string", "pattern": "["}, "plant it"),
        ({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"}, "plant 5 apples"),
        ({"type": "string", "contentEncoding": "base64"}, 'plant "abcd"'),
        ({"type": "object", "additionalProperties": TEXT}, 'plant "abcd"'),
        ({"type": "string", "enum": ["ALL", "ANY"]}, "plant it all"),
        (TEXT, "plant it"),
        ({}, "plant Oak"),
        ("no schema", "plant Oak"),
        ({"type": "array"}, "plant Oak"),
        ({"$ref": "#/$defs/Missing"}, "plant Oak"),
    ],
)
def test_what_does_not_fit_the_shape_is_not_sent(schema: Any, prompt: str) -> None:
    assert call(prompt, {"it": schema}) == []


def test_values_of_one_kind_are_calls_of_their_own_or_entries_of_a_list() -> None:
    assert call("plant Oak, Elm and Ash", {"name": TEXT}) == [
        {"name": "Oak"},
        {"name": "Elm"},
        {"name": "Ash"},
    ]
    assert call("plant Oak, Elm and Ash", {"names": {"type": "array", "items": TEXT}}) == [
        {"names": ["Oak", "Elm", "Ash"]}
    ]
    assert call("plant 2, 3 or 4", {"count": {"type": "integer"}}) == [
        {"count": 2},
        {"count": 3},
        {"count": 4},
    ]


def test_a_comma_parts_names_unless_the_examples_have_commas_too() -> None:
    whole = {**TEXT, "description": "Where, e.g. Kew, London"}
    assert call("plant at Wisley, Surrey", {"place": TEXT}) == [{"place": "Wisley"}, {"place": "Surrey"}]
    assert call("plant at Wisley, Surrey", {"place": whole}) == [{"place": "Wisley, Surrey"}]
    assert call("plant at Wisley and Ripley", {"place": whole}) == [{"place": "Wisley"}, {"place": "Ripley"}]


def test_names_side_by_side_are_not_spread_over_parameters() -> None:
    assert call("plant Oak, Elm and Ash", {"a": TEXT, "b": TEXT, "c": TEXT}) == []


def test_two_parameters_of_one_kind_take_a_value_each() -> None:
    assert call("plant 2 and 3", {"a": {"type": "integer"}, "b": {"type": "integer"}}) == [{"a": 2, "b": 3}]


@pytest.mark.parametrize(
    "prompt", ["plant from Oak to Elm", "plant to Elm from Oak", "plant 从橡树到榆树", "plant 到榆树从橡树"]
)
def test_the_words_beside_a_value_say_which_parameter_it_is(prompt: str) -> None:
    [arguments] = call(prompt, {"origin": TEXT, "destination": TEXT})
    assert tuple(arguments[name] for name in ("origin", "destination")) in (("Oak", "Elm"), ("橡树", "榆树"))


def test_alternatives_for_one_parameter_are_combined_with_the_others() -> None:
    made = call(
        "plant 3 from Oak and Elm to Ash", {"origin": TEXT, "destination": TEXT, "n": {"type": "integer"}}
    )
    assert made == [{"origin": tree, "destination": "Ash", "n": 3} for tree in ("Oak", "Elm")]


def test_nested_objects_and_lists_of_objects_are_filled() -> None:
    box = {
        "type": "object",
        "properties": {"width": {"type": "integer"}, "label": TEXT},
        "required": ["width"],
    }
    assert call('plant width 5 label "x"', {"box": box}) == [{"box": {"width": 5, "label": "x"}}]
    boxes = {"type": "array", "items": {"$ref": "#/$defs/Box"}}
    made = call(
        "plant Oak and Elm, width 5",
        {"boxes": boxes},
        defs={"Box": {**box, "required": ["width", "label"]}},
    )
    assert made == [{"boxes": [{"width": 5, "label": "Oak"}, {"width": 5, "label": "Elm"}]}]


def test_an_optional_object_is_left_out_or_complete() -> None:
    members = {"width": {"type": "integer"}, "on": {"type": "string", "format": "date"}}
    box = {"type": "object", "properties": members, "required": ["width", "on"]}
    properties = {"name": TEXT, "box": box}
    assert call('plant "Oak"', properties, ["name"]) == [{"name": "Oak"}]
    assert call('plant "Oak" width 5 tomorrow', properties, ["name"]) == [
        {"name": "Oak", "box": {"width": 5, "on": "2026-03-03"}}
    ]
    assert call('plant "Oak" width 5', properties, ["name"]) == []  # asks for the day


def test_what_must_be_there_and_may_be_null_is_null() -> None:
    nullable = {"type": ["integer", "null"]}
    inner = {"type": "object", "properties": {"n": nullable, "label": TEXT}, "required": ["n", "label"]}
    properties = {
        "name": TEXT,
        "count": nullable,
        "tags": {"anyOf": [{"type": "array", "items": TEXT}, {"type": "null"}]},
        "box": {"anyOf": [inner, {"type": "null"}]},
    }
    assert call('plant "Oak"', properties) == [{"name": "Oak", "count": None, "tags": None, "box": None}]
    assert call('plant "Oak"', {"boxes": {"type": "array", "items": inner}}) == [
        {"boxes": [{"label": "Oak", "n": None}]}
    ]
    assert call('plant "Oak"', {"box": inner}) == [{"box": {"label": "Oak", "n": None}}]


@pytest.mark.parametrize(
    ("prompt", "value"),
    [
        ("plant Oak with gift wrap", True),
        ("plant Oak without gift wrap", False),
        ("plant Oak, don't gift wrap it", False),
        ("plant Oak", None),
    ],
)
def test_a_flag_is_set_unset_or_left_out(prompt: str, value: bool | None) -> None:
    [arguments] = call(prompt, {"name": TEXT, "gift_wrap": {"type": "boolean"}}, ["name"])
    assert arguments.get("gift_wrap") is value


@pytest.mark.parametrize(
    ("prompt", "value"), [("plant “橡树”，要公开", True), ("plant “橡树”，不公开", False)]
)
def test_a_flag_is_read_in_chinese(prompt: str, value: bool) -> None:
    assert call(prompt, {"name": TEXT, "public": {"type": "boolean"}}) == [{"name": "橡树", "public": value}]


def test_optional_parameters_take_only_what_is_meant_for_them() -> None:
    optional = {
        "name": TEXT,
        "note": TEXT,
        "color": {"type": "string", "enum": ["RED", "BLUE"]},
        "page_size": {"type": "integer"},
    }
    assert call('plant "Oak" for Ada within 5 hours', optional, ["name"]) == [{"name": "Oak"}]
    assert call('plant Oak in blue, note "dry"', optional, ["name"]) == [
        {"name": "Oak", "note": "dry", "color": "BLUE"}
    ]


def test_two_enums_of_one_type_are_told_apart_by_the_words_beside() -> None:
    unit = {"type": "string", "enum": ["KILOMETRES", "MILES"]}
    made = call("plant 5 to miles from kilometres", {"value": {"type": "number"}, "from": unit, "to": unit})
    assert made == [{"value": 5, "from": "KILOMETRES", "to": "MILES"}]


def test_an_example_with_another_look_yields_to_one_that_looks_alike() -> None:
    made = call("plant Oak, then XYZ", {"code": {**TEXT, "description": "e.g. ABC"}})
    assert made == [{"code": "XYZ"}]


def test_a_name_says_the_shape_where_the_schema_does_not() -> None:
    made = call("plant tomorrow for ada@example.org", {"start_date": TEXT, "email": TEXT})
    assert made == [{"start_date": "2026-03-03", "email": "ada@example.org"}]


def test_numbers_for_ids_are_sent_as_they_are_written() -> None:
    assert call("plant number 007", {"order_id": TEXT}) == [{"order_id": "007"}]


@patient
@given(
    days=st.integers(1, 400),
    tree=st.sampled_from(["Oak", "Elm", "Silver Birch"]),
    day=st.dates(date(1990, 1, 1), date(2090, 12, 31)),
)
def test_numbers_dates_and_names_come_back_as_written(days: int, tree: str, day: date) -> None:
    properties = {"name": TEXT, "days": {"type": "integer"}, "start": {"type": "string", "format": "date"}}
    made = call(f"plant {tree} for {days} days from {day}", properties)
    assert made == [{"name": tree, "days": days, "start": day.isoformat()}]
