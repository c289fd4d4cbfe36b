# ruff: noqa: E501 (a row of a table is a line)
import json
import struct
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError

SPARSE = [
    ("Scalars", '{"a_double": 1.5, "a_float": 0.1, "an_int64": "5", "some_bytes": "+/8=", "color": "COLOR_RED"}'),
    ("Scalars", '{"a_double": "NaN", "a_float": "-Infinity", "a_uint64": "18446744073709551615", "a_bool": true}'),
    ("Scalars", '{"color": 7, "a_string": "北京", "an_int32": -1}'),
    ("Repeated", '{"doubles": [1.5, "Infinity"], "int64s": ["1"], "bytess": ["aGk="], "colors": ["COLOR_RED", 9]}'),
    ("Repeated", '{"timestamps": ["2024-05-01T12:00:00.500Z"], "structs": [{"a": 1}], "values": [null, "x"]}'),
    ("Maps", '{"by_int64": {"-1": {"a_bool": true}}, "by_bool": {"true": 1.0, "false": 2.5}, "by_uint32": {"1": "COLOR_RED"}}'),
    ("Maps", '{"by_sint32": {"-5": "7"}, "by_uint64": {"7": "aGk="}, "maps": {"a": {"by_string": {"b": "c"}}}}'),
    ("Optionals", '{"count": 0, "text": "", "flag": false, "color": "COLOR_UNSPECIFIED", "data": "", "ratio": 0.0}'),
    ("Choice", '{"scalars": {}}'),
    ("Choice", '{"anything": null, "yes": false}'),
    ("WellKnown", '{"timestamp": "0001-01-01T00:00:00Z", "duration": "-0.500s", "field_mask": "fooBar,b.cD"}'),
    ("WellKnown", '{"timestamp": "9999-12-31T23:59:59.000000001Z", "duration": "1.000001s", "field_mask": ""}'),
    ("WellKnown", '{"struct": {"a": [1, 2.5, true, null, {"b": "x"}]}, "value": {"c": []}, "list_value": [[]]}'),
    ("WellKnown", '{"int64_value": "5", "bool_value": false, "bytes_value": "aGk=", "float_value": 0.1, "empty": {}}'),
    ("WellKnown", '{"any": {"@type": "a/schema.proto3.Scalars", "an_int64": "5"}}'),
    ("WellKnown", '{"any": {"@type": "a/google.protobuf.Duration", "value": "1s"}}'),
    ("WellKnown", '{"any": {}}'),
    ("Node", '{"name": "a", "children": [{"name": "b"}, {}], "named": {"k": {"next": {}}}}'),
    ("schema.proto2.All", '{"name": "x", "count": 7, "mygroup": {"inner": [{"b": "y"}]}, "by_name": {"k": "HIGH"}}'),
    ("schema.editions.All", '{"must": "x", "explicit": 0, "delimited": {"id": "y"}, "closed": "CLOSED_B"}'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), SPARSE)
def test_prints_what_is_set_as_json_format_does(codec: Any, name: str, text: str) -> None:
    message = codec.parse(name, text)
    printed = codec.print(message)
    assert printed == json.loads(text)
    encoded = codec.encode(message)
    assert {key: encoded[key] for key in printed} == printed


@pytest.mark.parametrize(("name", "text"), SPARSE)
def test_what_the_root_adds_are_zeros_that_change_nothing(codec: Any, name: str, text: str) -> None:
    message = codec.parse(name, text)
    restored = json_format.ParseDict(
        codec.encode(message), codec.new(name), descriptor_pool=codec.descriptors.pool
    )
    assert restored.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


def test_the_root_shows_zeros_and_messages_in_it_do_not(codec: Any) -> None:
    assert codec.encode(codec.new("Scalars")) == {
        "a_double": 0.0, "a_float": 0.0, "an_int32": 0, "an_int64": "0", "a_uint32": 0, "a_uint64": "0",
        "a_sint32": 0, "a_sint64": "0", "a_fixed32": 0, "a_fixed64": "0", "a_sfixed32": 0, "a_sfixed64": "0",
        "a_bool": False, "a_string": "", "some_bytes": "", "color": "COLOR_UNSPECIFIED",
    }  # fmt: skip
    assert codec.encode(codec.new("Node", children=[{}])) == {"name": "", "children": [{}], "named": {}}
    assert codec.encode(codec.new("Optionals")) == {}


def test_each_response_has_lists_and_maps_of_its_own(codec: Any) -> None:
    codec.encode(codec.new("Node"))["children"].append("changed by the caller")
    assert codec.encode(codec.new("Node")) == {"name": "", "children": [], "named": {}}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [("Maps", "by_string", "x"), ("Maps", "maps", {}), ("WellKnown", "struct", "x")],
)
def test_the_entries_of_a_map_have_the_same_order_in_every_process(
    codec: Any, name: str, field: str, value: Any
) -> None:
    keys = [str(number) for number in range(10, 40)]
    shuffled = dict.fromkeys(keys[::2] + keys[1::2], value)

    encoded = codec.encode(codec.parse(name, json.dumps({field: shuffled})))

    assert list(encoded[field]) == keys


@pytest.mark.parametrize("number", [0.1, 1 / 3, 16777216.0, 3.4028234663852886e38, 1e-45, 123456.79, -0.0])
def test_a_float_is_the_shortest_number_that_is_the_same_float(codec: Any, number: float) -> None:
    stored = struct.unpack("<f", struct.pack("<f", number))[0]
    encoded = codec.encode(codec.new("Scalars", a_float=number))["a_float"]
    assert struct.unpack("<f", struct.pack("<f", encoded))[0] == stored
    assert len(repr(encoded)) <= len(repr(stored))


LOST_BY_JSON_FORMAT = [
    ({"any": {"type_url": "a/no.Such", "value": b"hi"}}, {"any": {"@type": "a/no.Such", "value": "aGk="}}),
    ({"any": {"type_url": "a/schema.proto3.Scalars", "value": b"\xff"}}, {"any": {"@type": "a/schema.proto3.Scalars", "value": "/w=="}}),
    ({"timestamp": {"seconds": 253402300800}}, {"timestamp": "invalid: seconds=253402300800 nanos=0"}),
    ({"timestamp": {"nanos": -1}}, {"timestamp": "invalid: seconds=0 nanos=-1"}),
    ({"duration": {"seconds": 1, "nanos": -1}}, {"duration": "invalid: seconds=1 nanos=-1"}),
    ({"duration": {"seconds": 315576000001}}, {"duration": "invalid: seconds=315576000001 nanos=0"}),
    ({"field_mask": {"paths": ["custom_label_0", "a_1", "aB", "a_bC", "x"]}}, {"field_mask": "custom_label_0,a_1,aB,a_bC,x"}),
    ({"value": {"number_value": float("nan")}}, {"value": "NaN"}),
    ({"struct": {"a": float("-inf")}}, {"struct": {"a": "-Infinity"}}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), LOST_BY_JSON_FORMAT)
def test_no_odd_value_loses_the_response(codec: Any, fields: Any, expected: Any) -> None:
    message = codec.new("WellKnown", **fields, string_value={"value": "kept"})
    with pytest.raises((json_format.Error, DecodeError, TypeError, ValueError)):
        codec.print(message)
    assert codec.encode(message) == {"null_value": None, **expected, "string_value": "kept"}


def test_the_sign_of_a_zero_is_kept(codec: Any) -> None:
    assert str(codec.encode(codec.new("Repeated", values=[{"number_value": -0.0}]))["values"]) == "[-0.0]"


def test_a_value_of_no_kind_is_null(codec: Any) -> None:
    assert codec.encode(codec.new("Repeated", values=[{}]))["values"] == [None]


def test_a_large_any_of_an_unknown_type_is_cut(codec: Any) -> None:
    message = codec.new("WellKnown", any={"type_url": "a/no.Such", "value": bytes(3000)})
    encoded = codec.encode(message)["any"]
    assert (len(encoded["value"]), encoded["truncated"]) == (1368, "1,976 more bytes")


def test_anys_in_anys_are_opened_as_far_as_the_stack_is_safe(codec: Any) -> None:
    message = codec.new("Node", name="innermost")
    for _ in range(2000):
        message = codec.new(
            "Node", any={"type_url": "a/schema.proto3.Node", "value": message.SerializeToString()}
        )
    encoded = codec.encode(message)
    assert encoded["any"]["any"]["@type"] == "a/schema.proto3.Node"
    assert "truncated" in encoded["any"]["any"]["any"]


def test_messages_as_deep_as_protobuf_reads_are_encoded_inside_anys_too(codec: Any) -> None:
    def deep(innermost: Any) -> Any:
        text = "".join('{"children": [' for _ in range(95)) + "{}" + "]}" * 95
        node = at = codec.decode("Node", text)
        while at.children:
            at = at.children[0]
        at.CopyFrom(innermost)
        return codec.new("Node").FromString(node.SerializeToString())

    message = deep(codec.new("Node", name="bottom"))
    for _ in range(2):
        message = deep(
            codec.new("Node", any={"type_url": "a/schema.proto3.Node", "value": message.SerializeToString()})
        )
    assert json.dumps(codec.encode(message)).count('"bottom"') == 1


def test_fields_named_like_message_methods_are_encoded(codec: Any) -> None:
    message = codec.new("Shadows", ListFields=1, DESCRIPTOR=2, self=3, HasField=4, which={"ListFields": 5})
    encoded = codec.encode(message)
    assert [encoded[name] for name in ("ListFields", "DESCRIPTOR", "self", "HasField")] == [1, 2, 3, 4]
    assert encoded["which"] == {"ListFields": 5}


def test_extensions_are_in_brackets(codec: Any) -> None:
    text = '{"name": "x", "[schema.proto2.ext_number]": 5, "[schema.proto2.Part.scoped]": {"id": "s"}}'
    assert codec.encode(codec.decode("schema.proto2.All", text)) == {
        "levels": [], "by_name": {}, "name": "x",
        "[schema.proto2.ext_number]": 5, "[schema.proto2.Part.scoped]": {"id": "s"},
    }  # fmt: skip


def test_an_alias_is_printed_by_the_name_declared_first(codec: Any) -> None:
    assert (
        codec.encode(codec.decode("Book", '{"title": "t", "genre": "GENRE_SCIENCE_FICTION"}'))["genre"]
        == "GENRE_SCI_FI"
    )


ROOTS = [
    ("google.protobuf.Value", {"string_value": "x"}, "x"),
    ("google.protobuf.Timestamp", {"seconds": 1714564800}, "2024-05-01T12:00:00Z"),
    ("google.protobuf.Int64Value", {"value": 5}, "5"),
    ("google.protobuf.Any", {}, {}),
]


@pytest.mark.parametrize(("name", "fields", "value"), ROOTS)
def test_a_well_known_type_as_the_whole_response_is_under_value(
    codec: Any, name: str, fields: Any, value: Any
) -> None:
    assert codec.encode(codec.new(name, **fields)) == {"value": value}


def test_hidden_fields_are_not_shown_at_any_depth(codec: Any) -> None:
    message = codec.new(
        "Annotated", hidden="secret", city="Paris", inner={"hidden": "secret", "city": "Rome"}
    )
    assert codec.encode(message) == {"city": "Paris", "text": "", "texts": [], "inner": {"city": "Rome"}}


@pytest.mark.parametrize(
    "data", [b"", b"/keys/a", "北京".encode(), b"\xff\x00", b"data:;base64,aGk=", b"data:,x"]
)
def test_bytes_that_hold_text_survive_the_round_trip(codec: Any, data: bytes) -> None:
    message = codec.new("Annotated", text=data)
    assert codec.decode("Annotated", json.dumps(codec.encode(message))) == message


def test_the_encoder_of_a_type_is_made_once(descriptors: Any) -> None:
    from broker.schema.encode import Encoder

    encoder = Encoder(descriptors)
    message = descriptors.pool.FindMessageTypeByName("schema.proto3.Node")
    assert encoder.compile(message) is encoder.compile(message)
