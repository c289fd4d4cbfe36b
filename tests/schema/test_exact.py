"""ProtoJSON as it is specified, without what is read, or written, for the sake of models."""

import json
from typing import Any

import pytest

from broker.errors import InvalidArguments
from broker.schema.arguments import ExactReading, TolerantReading
from broker.schema.canonical import Unencodable
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder

LENIENCIES = [
    ("Scalars", ""),
    ("Scalars", '{"request": {"a_bool": true}}'),
    ("Scalars", '{"A-Bool": true}'),
    ("Scalars", '{"a_bool": "true"}'),
    ("Scalars", '{"a_string": 5}'),
    ("Scalars", '{"some_bytes": "data:;base64,aGk="}'),
    ("Scalars", '{"color": "red"}'),
    ("Scalars", '{"color": "color_red"}'),
    ("Repeated", '{"strings": "a"}'),
    ("Maps", '{"by_string": [{"key": "a", "value": "x"}]}'),
    ("Choice", '{"text": "x", "nothing": null}'),
    ("WellKnown", '{"timestamp": "2024-05-01 12:00Z"}'),
    ("WellKnown", '{"timestamp": {"seconds": 1}}'),
    ("WellKnown", '{"duration": "1h30m"}'),
    ("WellKnown", '{"duration": {"seconds": 1}}'),
    ("WellKnown", '{"field_mask": "foo_bar"}'),
    ("WellKnown", '{"field_mask": ["foo"]}'),
    ("WellKnown", '{"field_mask": " foo, bar"}'),
    ("WellKnown", '{"int32_value": {"value": 5}}'),
    ("WellKnown", '{"empty": {"invented": 1}}'),
    ("WellKnown", '{"any": {"type_url": "a/google.protobuf.Duration", "value": "1s"}}'),
]


@pytest.fixture(scope="module")
def exact(descriptors: Any) -> Decoder:
    return Decoder(descriptors, reading=ExactReading)


@pytest.fixture(scope="module")
def canonical(descriptors: Any) -> Encoder:
    return Encoder(descriptors, canonical=True)


@pytest.mark.parametrize(("name", "text"), LENIENCIES)
def test_what_is_read_for_the_sake_of_models_is_no_protojson(
    codec: Any, exact: Decoder, name: str, text: str
) -> None:
    codec.decode(name, text)
    with pytest.raises(InvalidArguments):
        exact.compile(codec.message(name))(text)


def test_a_number_without_a_name_is_kept_by_an_open_enum_alone(codec: Any, exact: Decoder) -> None:
    decode = exact.compile(codec.message("Scalars"))
    assert [decode(f'{{"color": {number}}}').color for number in ('99', '"99"', "-2147483648")] == [  # type: ignore[attr-defined]
        99, 99, -(2**31)
    ]  # fmt: skip
    for text in ('{"color": 2147483648}', '{"color": 1.5}', '{"color": "PINK"}'):
        with pytest.raises(InvalidArguments, match="is not a Color value"):
            decode(text)
    with pytest.raises(InvalidArguments, match="is not a Level value"):
        exact.compile(codec.message("schema.proto2.All"))('{"name": "x", "level": 99}')


def test_what_field_behavior_requires_is_not_required_by_protojson(codec: Any, exact: Decoder) -> None:
    assert exact.compile(codec.message("Request"))('{"book": {}}') == codec.new("Request", book={})
    with pytest.raises(InvalidArguments, match="Missing required: name \\(string\\)"):
        exact.compile(codec.message("schema.proto2.All"))("{}")


def test_unknown_fields_and_names_are_passed_over_where_that_is_asked_for(
    codec: Any, descriptors: Any
) -> None:
    decoder = Decoder(descriptors, reading=TolerantReading)
    taken = decoder.compile(codec.message("Scalars"))('{"no": {"a": [1]}, "color": "PINK", "a_bool": true}')
    assert taken == codec.new("Scalars", a_bool=True)
    listed = decoder.compile(codec.message("Repeated"))('{"colors": ["PINK", "COLOR_RED"]}')
    assert listed == codec.new("Repeated", colors=["COLOR_RED"])
    mapped = decoder.compile(codec.message("Maps"))('{"by_uint32": {"1": "PINK", "2": "COLOR_RED"}}')
    assert mapped == codec.new("Maps", by_uint32={2: "COLOR_RED"})


def test_what_is_unknown_is_passed_over_but_not_what_is_wrong(codec: Any, descriptors: Any) -> None:
    decode = Decoder(descriptors, reading=TolerantReading).compile(codec.message("Scalars"))
    for text in ('{"color": true}', '{"a_bool": "PINK"}', '{"no": 1, "no": 2}'):
        with pytest.raises(InvalidArguments):
            decode(text)


def test_the_canonical_form_has_json_names_and_only_what_is_set(codec: Any, canonical: Encoder) -> None:
    encode = canonical.compile(codec.message("Scalars"))
    assert encode(codec.new("Scalars")) == {}
    assert encode(codec.new("Scalars", an_int64=5, some_bytes=b"hi")) == {"anInt64": "5", "someBytes": "aGk="}


UNENCODABLE = [
    ("timestamp", {"seconds": 253402300800}, "invalid: seconds=253402300800 nanos=0"),
    ("duration", {"seconds": 1, "nanos": -1}, "invalid: seconds=1 nanos=-1"),
    ("field_mask", {"paths": ["ok", "fooBar"]}, 'the path "fooBar"'),
    ("field_mask", {"paths": ["a_1"]}, 'the path "a_1"'),
    ("value", {"number_value": float("nan")}, "a Value cannot hold nan"),
    ("value", {"list_value": {"values": [{"number_value": float("inf")}]}}, "a Value cannot hold inf"),
    ("struct", {"a": {"b": [float("-inf")]}}, "a Value cannot hold -inf"),
    ("any", {"type_url": "a/no.Such", "value": b"x"}, 'the Any "a/no.Such" cannot be opened'),
    ("any", {"type_url": "a/schema.proto3.Scalars", "value": b"\xff"}, "cannot be opened"),
]


@pytest.mark.parametrize(("name", "value", "reason"), UNENCODABLE)
def test_what_has_no_canonical_form_is_refused_and_for_a_model_is_written_otherwise(
    codec: Any, canonical: Encoder, name: str, value: Any, reason: str
) -> None:
    message = codec.new("WellKnown", **{name: value})
    assert name in codec.encode(message)
    with pytest.raises(Unencodable, match=reason):
        canonical.compile(codec.message("WellKnown"))(message)


VALID = [
    '{"timestamp": "2024-05-01T12:00:00.500Z", "duration": "-315576000000.999999999s"}',
    '{"fieldMask": "fooBar,b.cD", "struct": {"a": [1.0, null, {"b": "x"}]}, "value": -0.5, "listValue": []}',
    '{"any": {"@type": "a/google.protobuf.Any", "value": {"@type": "a/schema.proto3.Node", "name": "x"}}}',
]


@pytest.mark.parametrize("text", VALID)
def test_the_canonical_form_reads_back_exactly(
    codec: Any, exact: Decoder, canonical: Encoder, text: str
) -> None:
    message = codec.message("WellKnown")
    assert canonical.compile(message)(exact.compile(message)(text)) == json.loads(text)
