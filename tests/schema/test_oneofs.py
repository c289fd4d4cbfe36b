"""A oneof as strict schemas have it, {"place": {"city": …}}, beside the flat form of ProtoJSON."""

from typing import Any

import pytest

CHOICE = [
    ('{"which": {"text": "a:b"}, "other": null}', {"text": "a:b"}),
    ('{"which": {"number": "3"}, "other": {"yes": true}}', {"number": 3, "yes": True}),
    ('{"which": {"scalars": {"a_string": "x:y", "an_int32": null}}}', {"scalars": {"a_string": "x:y"}}),
    ('{"which": {"empty": {}}}', {"empty": {}}),
    ('{"which": {"nothing": null}}', {"nothing": 0}),
    ('{"which": {"nothing": null, "text": "a"}}', {"text": "a"}),
    ('{"which": {"text": null, "nothing": null}}', {"nothing": 0}),
    ('{"which": {"text": null}}', {}),
    ('{"which": {}}', {}),
    ('{"which": null, "note": "n"}', {"note": "n"}),
    ('{"which": {"Text": "a"}}', {"text": "a"}),
    ('{"which": {"text": "a"}, "number": null}', {"text": "a"}),
    ('{"which": null, "text": "a"}', {"text": "a"}),
    ('{"which": {"which": "text", "text": "a:b"}}', {"text": "a:b"}),
    ('{"which": {"which": "number", "value": "3"}}', {"number": 3}),
    ('{"text": "a"}', {"text": "a"}),
    ('{"Which": {"text": "a"}}', {"text": "a"}),
    ('{"which": "{\\"text\\": \\"a:b\\"}"}', {"text": "a:b"}),
    ('{"which": "{\\"text\\": null}", "number": 3}', {"number": 3}),
]


@pytest.mark.parametrize(("text", "fields"), CHOICE)
def test_a_oneof_that_is_written_as_one_property_is_read(
    codec: Any, text: str, fields: dict[str, Any]
) -> None:
    assert codec.decode("Choice", text) == codec.new("Choice", **fields)


def test_members_named_as_the_words_that_say_which_are_members(codec: Any) -> None:
    read = codec.decode("schema.strict.Which", '{"source": {"which": "value"}}')
    assert read == codec.new("schema.strict.Which", which="value")
    read = codec.decode("schema.strict.Which", '{"source": {"value": 3}}')
    assert read == codec.new("schema.strict.Which", value=3)


def test_a_oneof_is_not_taken_for_a_field_of_a_like_name(codec: Any) -> None:
    read = codec.decode("schema.strict.Near", '{"sort_by": {"field": "size"}, "sortby": "a"}')
    assert read == codec.new("schema.strict.Near", field="size", sortby="a")


ALL = "text, number, scalars, nothing, anything, time, empty"
TOGETHER = f"text and number cannot be given together: give only one of {ALL}."
REFUSED = [
    ('{"which": {"text": "a", "number": "3"}}', [TOGETHER]),
    ('{"which": {"text": "a"}, "number": "3"}', [TOGETHER]),
    ('{"which": "{\\"text\\": \\"a\\"}", "number": "3"}', [TOGETHER]),
    (
        '{"which": {"text": "a"}, "text": "b"}',
        ['text: the field is given as "which" and as "text". Give it once.'],
    ),
    ('{"which": {"text": "a", "TEXT": "b"}}', ["which: the field text is given twice. Give it once."]),
    ('{"which": "text"}', [f'which: expected an object with one of {ALL}, got string "text".']),
    ('{"which": [{"text": "a"}]}', [f"which: expected an object with one of {ALL}, got an array."]),
    ('{"which": {"txt": "a"}}', [f'which: unknown field "txt". Did you mean "text"? Fields: {ALL}.']),
    ('{"which": {"note": "a"}}', [f'which: unknown field "note". Fields: {ALL}.']),
    ('{"which": {"which": "txt", "value": "a"}}', [f'which: unknown field "which". Fields: {ALL}.']),
    (
        '{"which": {"scalars": {"an_int32": "x"}}, "other": {"yes": 3}}',
        [
            'which.scalars.an_int32: expected an integer (int32), got string "x".',
            "other.yes: expected true or false, got number 3.",
        ],
    ),
    (
        '{"which": {"text": "a", "text": "b"}}',
        ['which: the key "text" is given twice in one object. Give it once.'],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problems"), REFUSED)
def test_what_is_wrong_in_it_is_said_with_its_path(codec: Any, text: str, problems: list[str]) -> None:
    assert codec.problems("Choice", text) == problems


MISSING = "Missing required: one of comparison, all, not"
FILTER = [
    ("{}", [MISSING]),
    ('{"condition": null}', [MISSING]),
    ('{"comparison": null}', [MISSING]),
    ('{"not": {}}', ["Missing required: not (one of comparison, all, not)"]),
    (
        '{"condition": {"not": {"condition": null}}}',
        ["Missing required: condition.not (one of comparison, all, not)"],
    ),
    (
        '{"condition": "all"}',
        ['condition: expected an object with one of comparison, all, not, got string "all".'],
    ),
    ('{"comparison": 3}', ["comparison: expected an object (Comparison), got number 3."]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "problems"), FILTER)
def test_a_oneof_of_which_one_is_required_is_missed(codec: Any, text: str, problems: list[str]) -> None:
    assert codec.problems("schema.strict.Filter", text) == problems


@pytest.mark.parametrize(
    "text",
    ['{"all": {}}', '{"condition": {"all": {}}}', '{"all": {"filters": null, "named": null}, "not": null}'],
)
def test_any_member_gives_what_is_required(codec: Any, text: str) -> None:
    assert codec.decode("schema.strict.Filter", text) == codec.new("schema.strict.Filter", all={})


def test_all_shapes_of_a_strict_schema_are_read_together(codec: Any) -> None:
    text = """{
        "filter": {"condition": {"comparison": {"field": "size", "value": {"number": "3"}}}},
        "order": null, "ranges": [{"key": "a:b", "value": {"low": 1, "high": null}}],
        "labels": [{"key": "7", "value": "seven"}], "weights": [{"key": true, "value": 0.5}],
        "place": {"point": {"latitude": 1, "longitude": 2}}, "range": null, "other": null, "limit": null,
        "points": [], "token": null, "empty": {}
    }"""
    expected = codec.new(
        "schema.strict.Query",
        filter={"comparison": {"field": "size", "number": 3}},
        ranges={"a:b": {"low": 1}},
        labels={7: "seven"},
        weights={True: 0.5},
        point={"latitude": 1, "longitude": 2},
        empty={},
    )
    assert codec.decode("schema.strict.Query", text) == expected


def _nested(levels: int) -> str:
    return '{"condition": {"not": ' * levels + '{"condition": {"all": {}}}' + "}}" * levels


def test_oneofs_in_oneofs_are_read_as_deep_as_messages_may_be(codec: Any) -> None:
    read = codec.decode("schema.strict.Filter", _nested(98))
    assert codec.encode(read) == codec.encode(codec.decode("schema.strict.Filter", _flat(98)))
    assert codec.problems("schema.strict.Filter", _nested(99))[0].endswith(
        "nested too deep; at most 100 levels are read."
    )


def _flat(levels: int) -> str:
    return '{"not": ' * levels + '{"all": {}}' + "}" * levels
