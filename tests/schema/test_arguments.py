# ruff: noqa: E501, ISC004 (a row of a table is a line)
"""Text that is too much, cut off, ambiguous or no JSON is refused in words, before it costs anything."""

import gc
import json
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from broker.errors import InvalidArguments

TOO_DEEP = "nested too deep; at most 100 levels are read."

REFUSED = [
    ('{"name": "x', 'the arguments were cut off after 11 characters, near "{\\"name\\": \\"x". Send all of them.'),
    ('{"name": tru', 'the arguments were cut off after 12 characters, near "{\\"name\\": tru". Send all of them.'),
    ("{", 'the arguments were cut off after 1 characters, near "{". Send all of them.'),
    ("{'name': 1}", "the arguments are not valid JSON: unexpected character, expected a string key, "
     "at character 2, near \"{'name': 1}\"."),
    ('{"name": "x",}', "the arguments are not valid JSON: trailing comma is not allowed, at character 13, "
     'near "{\\"name\\": \\"x\\",}".'),
    ('{"name": 01}', "the arguments are not valid JSON: number with leading zero is not allowed, at character 10, "
     'near "{\\"name\\": 01}".'),
    ('{"name": "a"}{"name": "b"}', "the arguments are not valid JSON: unexpected content after document, "
     'at character 14, near "{\\"name\\": \\"a\\"}{\\"name\\": \\"b\\"}".'),
    ('{"name": NaN}', 'NaN and Infinity are not JSON (at character 10, near "{\\"name\\": NaN}"); '
     'write them as strings: "NaN", "Infinity", "-Infinity".'),
    ('{"name": -Infinity}', 'NaN and Infinity are not JSON (at character 11, near "{\\"name\\": -Infinity}"); '
     'write them as strings: "NaN", "Infinity", "-Infinity".'),
    ('{"name": "\\ud800"}', "the arguments are not valid JSON: no low surrogate in string, at character 11, "
     'near "{\\"name\\": \\"\\\\ud800\\"}".'),
    ('{"name": "\ud800"}', "the arguments are not valid JSON: str is not valid UTF-8: surrogates not allowed, "
     'at character 1, near "{\\"name\\": \\"?\\"}".'),
    ('["x"]', 'expected a JSON object, like {"name": "value"}, got an array.'),
    ('"x"', 'expected a JSON object, like {"name": "value"}, got string "x".'),
    ("[" * 10_000, f"the arguments are {TOO_DEEP}"),
    ('{"next": ' * 10_000, f"the arguments are {TOO_DEEP}"),
    ("x" * 1_000_001, "the arguments are 1,000,001 characters long; send at most 1,000,000."),
    ('{"name": ' + "1" * 5_000 + "}", "the arguments are not valid JSON: number is infinity when parsed as double, "
     'at character 10, near "{\\"name\\": 1111111111111111111111111111111".'),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), REFUSED, ids=[text[:20] for text, _ in REFUSED])
def test_what_cannot_be_read_is_said_with_its_place(codec: Any, text: str, line: str) -> None:
    assert codec.problems("Node", text) == [line]


def test_the_place_is_counted_in_characters_not_bytes(codec: Any) -> None:
    [line] = codec.problems("Node", '{"name": "北京", x}')
    assert 'at character 16, near "{\\"name\\": \\"北京\\", x}"' in line


DEEP = [
    pytest.param('{"next": ' * 100 + "{}" + "}" * 100, id="messages"),
    pytest.param('{"named": {"k": ' * 50 + "{}" + "}}" * 50, id="maps"),
    pytest.param('{"children": [' * 100 + "{}" + "]}" * 100, id="lists"),
    pytest.param('{"foo": ' * 1000 + "1" + "}" * 1000, id="unknown fields"),
    pytest.param('{"any": {"@type": "a/schema.proto3.Node", "next": ' * 40 + "{}" + "}}" * 40, id="anys"),
]


@pytest.mark.parametrize("text", DEEP)
def test_one_level_more_than_protobuf_reads_is_refused(codec: Any, text: str) -> None:
    assert codec.problems("Node", text)[-1].endswith(TOO_DEEP)


FITTING = [
    pytest.param("Node", '{"next": ' * 99 + "{}" + "}" * 99, id="messages"),
    pytest.param("Node", '{"named": {"k": ' * 49 + "{}" + "}}" * 49, id="maps"),
    pytest.param("Node", '{"children": [' * 99 + "{}" + "]}" * 99, id="lists"),
    pytest.param("WellKnown", '{"struct": ' + '{"a": ' * 33 + "1" + "}" * 34, id="structs"),
    pytest.param("WellKnown", '{"value": ' + "[" * 33 + "]" * 33 + "}", id="values"),
]


@pytest.mark.parametrize(("name", "text"), FITTING)
def test_what_is_as_deep_as_allowed_is_also_read_by_the_backend(codec: Any, name: str, text: str) -> None:
    message = codec.decode(name, text)
    assert codec.new(name).FromString(message.SerializeToString()) == message
    assert codec.decode(name, json.dumps(codec.encode(message))) == message


@pytest.mark.parametrize("deep", ['{"a": ' * 40 + "1" + "}" * 40, "[" * 40 + "]" * 40])
def test_a_dynamic_value_that_the_backend_could_not_read_is_refused(codec: Any, deep: str) -> None:
    assert codec.problems("WellKnown", f'{{"value": {deep}}}') == [f"value: {TOO_DEEP}"]


def test_blank_text_gives_nothing_but_what_is_required_is_missed(codec: Any) -> None:
    assert codec.problems("schema.editions.All", " ") == ["Missing required: must (string)"]


def test_too_many_values_are_refused(codec: Any) -> None:
    text = json.dumps({"int32s": [1] * 100_001})
    assert codec.problems("Repeated", text) == ["the arguments hold more than 100,000 values; send fewer."]
    assert len(codec.decode("Repeated", json.dumps({"int32s": [1] * 99_998})).int32s) == 99_998


@pytest.mark.parametrize("entries", [
    {str(key): "x" for key in range(10_001)},
    [{"key": str(key), "value": "x"} for key in range(10_001)],
])  # fmt: skip
def test_too_many_entries_of_a_map_are_refused(codec: Any, entries: Any) -> None:
    expected = ["by_string: the map has 10,001 entries; send at most 10,000."]
    assert codec.problems("Maps", json.dumps({"by_string": entries})) == expected


TWICE = [
    ("Node", '{"name": "a", "name": "b"}', ['the key "name" is given twice in one object. Give it once.']),
    ("Node", '{"name" :"a", "name":"b"}', ['the key "name" is given twice in one object. Give it once.']),
    ("Node", '{"name": "a", "name": "\\u003a"}', ['the key "name" is given twice in one object. Give it once.']),
    ("Node", '{"name": "a", "\\u006eame": "b"}', ['the key "name" is given twice in one object. Give it once.']),
    ("Node", '{"children": [{"name": "a", "name": "b"}]}',
     ['children[0]: the key "name" is given twice in one object. Give it once.']),
    ("Node", '{"named": {"a.b": {}, "a.b": {"next": {"name": "1", "name": "2"}}}}',
     ['named: the key "a.b" is given twice in one object. Give it once.',
      'named["a.b"].next: the key "name" is given twice in one object. Give it once.']),
    ("WellKnown", '{"struct": {"x": {"a": 1, "a": 2}}}', ['struct.x: the key "a" is given twice in one object. Give it once.']),
    ("WellKnown", '{"timestamp": "2024-05-01T12:00:00Z", "value": "a:b", "value": 1}',
     ['the key "value" is given twice in one object. Give it once.']),
    ("Empty", '{"a": 1, "a": 2}', ['the key "a" is given twice in one object. Give it once.']),
    ("Scalars", '{"an_int32": "x", "an_int32": "y"}',
     ['an_int32: expected an integer (int32), got string "y".', 'the key "an_int32" is given twice in one object. Give it once.']),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "lines"), TWICE)
def test_a_key_that_is_given_twice_is_refused(codec: Any, name: str, text: str, lines: list[str]) -> None:
    assert codec.problems(name, text) == lines


COLONS = [
    ("Node", '{"name": "a:b:c", "named": {"k:l": {"name": ":"}}}'),
    ("Node", '{"name" : "\\u003a"}'),
    ("Maps", '{"by_string": {"a:b": "c:d"}, "by_fixed64": {"1": "2024-05-01T12:00:00+02:00"}}'),
    ("WellKnown", '{"struct": {"a:b": ["c:d", {"e": "::"}]}, "timestamp": {"seconds": 1, "nanos": 2}}'),
    (
        "WellKnown",
        '{"any": {"@type": "http://x/schema.proto3.Scalars", "a_string": "a:b"}, "field_mask": "a:b"}',
    ),
]


@pytest.mark.parametrize(("name", "text"), COLONS)
def test_colons_in_text_are_no_keys(codec: Any, name: str, text: str) -> None:
    codec.decode(name, text)


BAD = [
    ("Node", "[" * 10_000),
    ("Node", '{"next": ' * 10_000),
    ("Node", '{"children": [' * 90 + '{"name": 1.5}' + "]}" * 90),
    ("Repeated", json.dumps({"int32s": ["x"] * 2_000})),
    ("Node", json.dumps({f"unknown{number}": number for number in range(500)})),
    ("Node", '{"name": "' + "x" * 200_000),
    ("Node", '{"name": 1, "name": 2}'),
    ("Node", json.dumps({"request": {"children": [{"nam": "x"}] * 200}})),
]


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_garbage_collection")
def test_a_thousand_bad_inputs_leave_no_memory_behind(codec: Any) -> None:
    def refuse(count: int) -> None:
        for number in range(count):
            try:
                codec.decode(*BAD[number % len(BAD)])
            except InvalidArguments:
                continue
            raise AssertionError("accepted")

    process = psutil.Process()
    refuse(len(BAD))
    before = process.memory_info().rss
    refuse(1_000)
    assert process.memory_info().rss - before < 50 * 1024 * 1024
    assert gc.collect() < 1_000  # no cycle is left by any of them


def test_no_more_problems_are_looked_for_than_anybody_reads(codec: Any) -> None:
    problems = codec.problems("Repeated", json.dumps({"int32s": ["x"] * 20_000, "bools": ["x"] * 20_000}))
    assert len(problems) == 100


def test_fifty_megabytes_are_refused_without_being_read(codec: Any) -> None:
    text = '{"name": "' + "x" * 50_000_000
    assert codec.problems("Node", text) == [
        "the arguments are 50,000,010 characters long; send at most 1,000,000."
    ]


def test_names_near_to_a_wrong_one_are_looked_for_only_as_often_as_anybody_reads(codec: Any) -> None:
    """Among thousands of names each search takes its time, and only ten problems are told."""
    problems = codec.problems("Node", json.dumps({f"name_{number}": 1 for number in range(50)}))

    assert len(problems) == 50
    assert len([problem for problem in problems if "Fields: " in problem]) == 10
