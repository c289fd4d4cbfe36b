"""Whatever text a model sends gives a message or InvalidArguments, and nothing else."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.schema.arguments import MAX_TEXT, Reading
from tests.schema.fuzz import SEEDS, decode_all, decoders

FIELDS = sorted({key for seed in SEEDS for key in json.loads(seed)})
WORDS = st.sampled_from(
    [*FIELDS, "value", "@type", "a", "k", ":", "2024-05-01T12:00:00Z", "1s", "NaN", "0x1"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text()
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner),
    max_leaves=20,
)


@st.composite
def mutated(draw: Any) -> str:
    """A seed of which one piece is cut out, and another put in."""
    text = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 20)))
    other = draw(st.sampled_from(SEEDS))
    begin = draw(st.integers(0, len(other)))
    piece = draw(st.text(max_size=8)) or other[begin : begin + 20]
    return f"{text[:start]}{piece}{text[end:]}"


@pytest.fixture(scope="module")
def every(descriptors: Any) -> Sequence[Callable[[str], object]]:
    return decoders(descriptors)


@settings(max_examples=200, deadline=None)
@given(text=st.text() | JSON.map(json.dumps) | mutated())
def test_any_text_gives_a_message_or_problems(every: Any, text: str) -> None:
    decode_all(every, text)


def filled(unit: str, head: str = "", tail: str = "") -> str:
    """As much of the unit as 1 MB holds."""
    return head + unit * ((MAX_TEXT - len(head) - len(tail)) // len(unit)) + tail


LARGE = {
    "open arrays": filled("["),
    "open objects": filled('{"next":'),
    "closed arrays": filled("[", '{"values":') + "]" * 100,
    "deep values": '{"value":' + "[" * 1000 + "]" * 1000 + "}",
    "deep messages": '{"next":' * 1000 + "{}" + "}" * 1000,
    "one string": filled("a", '{"a_string":"', '"}'),
    "colons": filled(":", '{"a_string":"', '"}'),
    "escaped colons": filled("\\u003a", '{"a_string":"', '"}'),
    "one number": filled("9", '{"an_int64":', "}"),
    "one number as text": filled("9", '{"an_int64":"', '"}'),
    "exponent": '{"an_int64": "1e999999999", "a_double": 1e999999}',
    "a long exponent": filled("9", '{"an_int64":"1e', '"}'),
    "one enum value": filled("A_", '{"color":"', '"}'),
    "one unknown field": filled("a", '{"', '":1}'),
    "repeated keys": filled('"a_bool":true,', "{", '"a_bool":true}'),
    "nulls in a list": filled("null,", '{"strings":[', "null]}"),
    "wrong elements": filled("{},", '{"strings":[', "{}]}"),
    "paths": filled("a,", '{"field_mask":"', 'a"}'),
    "path": filled("aB", '{"field_mask":"', '"}'),
    "base64": filled("AAAA", '{"some_bytes":"', '"}'),
    "not base64": filled("-", '{"some_bytes":"', '"}'),
    "digits of a second": filled("0", '{"timestamp":"2024-05-01T12:00:00.', 'Z"}'),
    "a long duration": filled("1h", '{"duration":"', '"}'),
    "a type's URL": filled("a/", '{"any":{"@type":"', '"}}'),
    "a lone surrogate": '{"a_string": "\ud800"}',
    "an escaped lone surrogate": '{"a_string": "\\ud800", "\\udfff": 1}',
    "a NUL": '{"a_string": "\\u0000", "\0": 1}',
    "too long": "a" * (MAX_TEXT + 1),
}


def listed(unit: str, values: int = 1) -> str:
    """A list of the unit, with nearly as many values as are read."""
    return f"[{','.join([unit] * min(99_000 // values, (MAX_TEXT - 100) // (len(unit) + 1)))}]"


LARGE |= {
    "integers for strings": '{"strings":' + listed("1") + "}",
    "spelled enum values": '{"colors":' + listed('"red"') + "}",
    "misspelled enum values": '{"colors":' + listed('"rde"') + "}",
    "spelled fields": '{"scalars":' + listed('{"a-bool":"TRUE"}', 2) + "}",
    "blanks": '{"scalars":' + listed('{"a_double":"","an_int32":""}', 3) + "}",
    "JSON text for elements": '{"scalars":' + listed('"{}"') + "}",
    "JSON text that is cut off": '{"scalars":' + listed('"{"') + "}",
    "one JSON text": json.dumps({"strings": listed('"a"')}),
    "JSON text in JSON text": json.dumps(json.dumps({"strings": json.dumps(["a"] * 50_000)})),
    "times in other words": '{"timestamps":' + listed('"2024-05-01 12:00z"') + "}",
    "wrapped": '{"request":{"strings":' + listed("1") + "}}",
    "paths of a mask": filled("annex.", '{"update_mask":"', 'built"}'),
    "many paths of a mask": filled("annex.built,", '{"update_mask":"', 'built"}'),
    "unknown fields in a list": '{"scalars":' + listed('{"nope":1}', 2) + "}",
    "unknown members of a oneof": '{"which":{' + '"nope":1,' * 90_000 + '"nope":1}}',
    "misspelled values of a large enum": '{"levels":' + listed('"' + "LEVEL_" * 30 + '"') + "}",
    "dates": '{"days":' + listed('"2024-05-01"') + "}",
    "a long decimal": filled("9", '{"rating":"', '"}'),
    "_meta": '{"_meta":' + listed("[]") + "}",
}
LARGE["unknown fields"] = json.dumps({f"no_{number}": number for number in range(45_000)})
LARGE["map keys that are none"] = json.dumps({"by_int32": {f"x{number}": "" for number in range(9_000)}})
LARGE["anys in anys"] = '{"any":' + '{"@type":"a/google.protobuf.Any","value":' * 300 + "{}" + "}" * 301


@pytest.fixture(scope="module")
def lenient(descriptors: Any) -> Sequence[Callable[[str], object]]:
    return decoders(descriptors, [Reading])


@pytest.mark.parametrize("kind", LARGE)
def test_large_and_hostile_text_gives_a_message_or_problems(lenient: Any, kind: str) -> None:
    decode_all(lenient, LARGE[kind])


def test_the_seeds_of_the_fuzzer_are_arguments(every: Any) -> None:
    taken = [decode_all(every, seed) for seed in SEEDS]
    assert all(taken[:-1])
    assert taken[-1] == 0  # a key is given twice
