# ruff: noqa: E501, ISC004 (a row of a table is a line)
import json
from typing import Any

import pytest

VALID = [
    ("Scalars", '{"a_double": 1, "a_float": 0.1, "a_bool": true, "a_string": "北京"}'),
    ("Scalars", '{"a_double": "NaN", "a_float": "-Infinity"}'),
    ("Scalars", '{"a_double": "1.5e3", "a_float": "0.1"}'),
    ("Scalars", '{"a_double": -0.0, "a_float": 3.4028234e38}'),
    ("Scalars", '{"an_int32": -2147483648, "a_uint32": 4294967295, "a_sint32": 7, "a_fixed32": 8}'),
    ("Scalars", '{"an_int32": "12", "a_uint32": 1e2, "a_sfixed32": "1.0", "a_sint32": 5.0}'),
    ("Scalars", '{"an_int64": "-9223372036854775808", "a_uint64": "18446744073709551615"}'),
    ("Scalars", '{"an_int64": 9007199254740993, "a_uint64": 18446744073709551615, "a_fixed64": 1}'),
    ("Scalars", '{"anInt64": "5", "aUint64": "6", "someBytes": "aGk=", "color": "COLOR_RED"}'),
    ("Scalars", '{"some_bytes": "-_8", "color": 2}'),
    ("Scalars", '{"some_bytes": "", "color": "COLOR_NEGATIVE", "a_string": ""}'),
    ("Scalars", '{"a_string": null, "color": null, "an_int64": null}'),
    ("Scalars", '{"a_string": "a:b::c", "a_double": 1}'),
    ("Scalars", '{"a_string": "\\u003a\\u003A"}'),
    ("Repeated", '{"doubles": [1, 2.5, "NaN"], "strings": ["a", "b:c"], "int64s": ["1", 2], "bools": []}'),
    ("Repeated", '{"colors": ["COLOR_RED", 2], "scalars": [{}, {"a_bool": true}], "strings": null}'),
    ("Repeated", '{"timestamps": ["2024-05-01T12:00:00Z"], "structs": [{"a": 1}, {}], "wrapped": ["x"]}'),
    ("Repeated", '{"values": [null, 1, "x", [1], {"a": null}, true], "lists": [[1, [2]], []]}'),
    ("Repeated", '{"anys": [{"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}]}'),
    ("Maps", '{"by_string": {"a.b": "x", "": "y"}, "by_int32": {"-5": "x"}, "by_bool": {"true": 1}}'),
    ("Maps", '{"by_int64": {"9223372036854775807": {"a_bool": true}}, "by_uint32": {"1": "COLOR_RED"}}'),
    ("Maps", '{"by_uint64": {"18446744073709551615": "aGk="}, "by_sint32": {"0": "7"}, "structs": {"a": {"b": [1]}}, "lists": {"a": [1]}}'),
    ("Maps", '{"by_fixed64": {"1": "2024-05-01T12:00:00Z"}, "values": {"a": null}, "maps": {"a": {"maps": {"b": {}}}}}'),
    ("Optionals", '{"count": 0, "text": "", "flag": false, "color": "COLOR_UNSPECIFIED", "data": "", "ratio": 0}'),
    ("Optionals", '{"nothing": null}'),
    ("Optionals", "{}"),
    ("Choice", '{"text": "", "yes": false}'),
    ("Choice", '{"scalars": {}}'),
    ("Choice", '{"nothing": null}'),
    ("Choice", '{"nothing": "NULL_VALUE"}'),
    ("Choice", '{"anything": null}'),
    ("Choice", '{"text": null, "number": "5"}'),
    ("Choice", '{"time": "1969-12-31T23:59:59.5Z", "color": "COLOR_RED"}'),
    ("Choice", '{"empty": {}}'),
    ("WellKnown", '{"timestamp": "0001-01-01T00:00:00Z", "duration": "-0.5s"}'),
    ("WellKnown", '{"timestamp": "9999-12-31T23:59:59.999999999Z", "duration": "315576000000s"}'),
    ("WellKnown", '{"timestamp": "2024-02-29T01:00:00.123+05:30", "duration": "1.000000001s"}'),
    ("WellKnown", '{"field_mask": "fooBar,b.cD", "struct": {"a": [1, {"b": null}], "fields": {}}, "value": null}'),
    ("WellKnown", '{"field_mask": "", "struct": {}, "value": {"a": {"b": [true]}}, "list_value": [[], {}]}'),
    ("WellKnown", '{"null_value": null, "empty": {}, "value": 1e3}'),
    ("WellKnown", '{"double_value": "Infinity", "float_value": 1.5, "int64_value": "5", "uint64_value": 6}'),
    ("WellKnown", '{"int32_value": 0, "uint32_value": 7, "bool_value": false, "string_value": "", "bytes_value": "aGk"}'),
    ("WellKnown", '{"any": {}}'),
    ("WellKnown", '{"any": {"@type": "x.y/schema.proto3.Scalars", "an_int64": "5", "a_string": "a:b"}}'),
    ("WellKnown", '{"any": {"@type": "type.googleapis.com/google.protobuf.Value", "value": null}}'),
    ("WellKnown", '{"any": {"@type": "a/google.protobuf.Any", "value": {"@type": "a/google.protobuf.Struct", "value": {"x": 1}}}}'),
    ("WellKnown", '{"timestamp": "2024-02-29T01:00:00-05:30", "value": -0.0}'),
    ("Node", '{"children": [{"name": "a", "children": [{}]}], "named": {"k": {"next": {}}}, "next": {"name": "x"}}'),
    ("Spellings", '{"pageToken": "x", "@type": "y", "a_b": "1", "ab": "2"}'),
    ("schema.proto2.All", '{"name": "", "count": 0, "mygroup": {"a": 1, "inner": [{"b": "x"}]}, "by_name": {"k": "HIGH"}}'),
    ("schema.proto2.All", '{"name": "x", "[schema.proto2.ext_number]": 5, "[schema.proto2.ext_texts]": ["a", "b"]}'),
    ("schema.proto2.All", '{"name": "x", "[schema.proto2.ext_part]": {"id": "p"}, "[schema.proto2.ext_parts]": [{}, {"id": "q"}]}'),
    ("schema.proto2.All", '{"name": "x", "[schema.proto2.ext_struct]": {"a": [1]}, "[schema.proto2.ext_level]": "HIGH"}'),
    ("schema.proto2.All", '{"name": "x", "all": {"name": "y", "[schema.proto2.Part.scoped]": {"id": "s"}}}'),
    ("schema.editions.All", '{"must": "", "explicit": 0, "closed": "CLOSED_B", "delimited": {"id": "x"}, "parts": {"-1": {}}}'),
    ("schema.editions.All", '{"must": "m", "implicit": 0, "expanded": [1], "open": "OPEN_A", "part": {}}'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), VALID)
def test_reads_what_protojson_allows_as_json_format_does(codec: Any, name: str, text: str) -> None:
    assert _wire(codec.decode(name, text)) == _wire(codec.parse(name, text))


LENIENT = [
    ("Scalars", '{"a-string": "x", "AnInt32": 5, "anint64": 6}', '{"a_string": "x", "an_int32": 5, "an_int64": 6}'),
    ("Scalars", '{"Color": "dark blue"}', '{"color": "COLOR_DARK_BLUE"}'),
    ("Scalars", '{"color": "red"}', '{"color": "COLOR_RED"}'),
    ("Scalars", '{"color": "color-red"}', '{"color": "COLOR_RED"}'),
    ("Scalars", '{"color": "2"}', '{"color": 2}'),
    ("Scalars", '{"color": 2.0}', '{"color": 2}'),
    ("Scalars", '{"a_bool": "True"}', '{"a_bool": true}'),
    ("Scalars", '{"a_string": 123}', '{"a_string": "123"}'),
    ("Scalars", '{"some_bytes": "data:image/png;base64,aGk="}', '{"some_bytes": "aGk="}'),
    ("Scalars", '{"an_int64": "1e3"}', '{"an_int64": 1000}'),
    ("Scalars", '{"request": {"an_int32": 5}}', '{"an_int32": 5}'),
    ("Scalars", '{"Scalars": {"an_int32": 5}}', '{"an_int32": 5}'),
    ("Scalars", "", "{}"),
    ("Scalars", "  \n", "{}"),
    ("Empty", '{"random_string": "x", "n": [1]}', "{}"),
    ("Repeated", '{"strings": "a", "int32s": 5, "scalars": {"a_bool": true}}',
     '{"strings": ["a"], "int32s": [5], "scalars": [{"a_bool": true}]}'),
    ("Maps", '{"by_string": [{"key": "a", "value": "b:c"}]}', '{"by_string": {"a": "b:c"}}'),
    ("Maps", '{"by_int32": [{"key": 5, "value": "x"}]}', '{"by_int32": {"5": "x"}}'),
    ("Choice", '{"text": "a", "nothing": null, "anything": null}', '{"text": "a"}'),
    ("WellKnown", '{"int64_value": {"value": "5"}, "string_value": {"value": "x"}}',
     '{"int64_value": "5", "string_value": "x"}'),
    ("WellKnown", '{"timestamp": "2024-05-01t12:00z"}', '{"timestamp": "2024-05-01T12:00:00Z"}'),
    ("WellKnown", '{"timestamp": "2024-05-01 12:00:01.5+0200"}', '{"timestamp": "2024-05-01T10:00:01.5Z"}'),
    ("WellKnown", '{"timestamp": {"seconds": "5", "nanos": 7}}', '{"timestamp": "1970-01-01T00:00:05.000000007Z"}'),
    ("WellKnown", '{"duration": {"seconds": -5, "nanos": -500000000}}', '{"duration": "-5.5s"}'),
    ("WellKnown", '{"duration": "1h30m"}', '{"duration": "5400s"}'),
    ("WellKnown", '{"duration": "-250ms"}', '{"duration": "-0.25s"}'),
    ("WellKnown", '{"duration": "1us5ns"}', '{"duration": "0.000001005s"}'),
    ("WellKnown", '{"duration": "P1DT1H1M1.5S"}', '{"duration": "90061.5s"}'),
    ("WellKnown", '{"field_mask": "foo_bar, b.c_d"}', '{"field_mask": "fooBar,b.cD"}'),
    ("WellKnown", '{"field_mask": ["foo_bar", "b"]}', '{"field_mask": "fooBar,b"}'),
    ("WellKnown", '{"field_mask": {"paths": ["fooBar"]}}', '{"field_mask": "fooBar"}'),
    ("WellKnown", '{"any": {"type_url": "google.protobuf.Duration", "value": "1s"}}',
     '{"any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}}'),
    ("WellKnown", '{"any": {"@type": "a/google.protobuf.Empty", "value": {}}}', '{"any": {"@type": "a/google.protobuf.Empty"}}'),
    ("Book", '{"title": "t", "etag": "e", "old": "o"}', '{"title": "t", "etag": "e", "old": "o"}'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "plain"), LENIENT)
def test_reads_what_can_only_mean_one_thing(codec: Any, name: str, text: str, plain: str) -> None:
    assert _wire(codec.decode(name, text)) == _wire(codec.parse(name, plain))


def _wire(message: Any) -> bytes:
    return bytes(message.SerializeToString(deterministic=True))


REFUSED = [
    ("Scalars", '{"a_double": "x"}', 'a_double: expected a number (double), got string "x".'),
    ("Scalars", '{"a_double": true}', "a_double: expected a number (double), got true."),
    ("Scalars", '{"a_double": "inf"}', 'a_double: expected a number (double), got string "inf".'),
    ("Scalars", '{"a_double": "1_0"}', 'a_double: expected a number (double), got string "1_0".'),
    ("Scalars", '{"a_double": " 1"}', 'a_double: expected a number (double), got string " 1".'),
    ("Scalars", '{"a_double": "1e400"}', "a_double: 1e400 is out of range for double."),
    ("Scalars", '{"a_float": 1e40}', "a_float: 1e+40 is out of range for float."),
    ("Scalars", '{"a_float": "-3.5e38"}', "a_float: -3.5e38 is out of range for float."),
    ("Scalars", '{"an_int32": "many"}', 'an_int32: expected an integer (int32), got string "many".'),
    ("Scalars", '{"an_int32": 1.5}', "an_int32: expected an integer (int32), got number 1.5."),
    ("Scalars", '{"an_int32": "1.5"}', 'an_int32: expected an integer (int32), got string "1.5".'),
    ("Scalars", '{"an_int32": true}', "an_int32: expected an integer (int32), got true."),
    ("Scalars", '{"an_int32": [1]}', "an_int32: expected an integer (int32), got an array."),
    ("Scalars", '{"an_int32": "1_000"}', 'an_int32: expected an integer (int32), got string "1_000".'),
    ("Scalars", '{"an_int32": "٣"}', 'an_int32: expected an integer (int32), got string "٣".'),
    ("Scalars", '{"an_int32": "1\\n"}', 'an_int32: expected an integer (int32), got string "1\\n".'),
    ("Scalars", '{"an_int32": "1,000"}', 'an_int32: expected an integer (int32), got string "1,000".'),
    ("Scalars", '{"an_int32": "0x10"}', 'an_int32: expected an integer (int32), got string "0x10".'),
    ("Scalars", '{"an_int32": 2147483648}', "an_int32: 2147483648 is out of range for int32: -2147483648 to 2147483647."),
    ("Scalars", '{"a_uint32": -1}', "a_uint32: -1 is out of range for uint32: 0 to 4294967295."),
    ("Scalars", '{"an_int64": "9223372036854775808"}',
     "an_int64: 9223372036854775808 is out of range for int64: -9223372036854775808 to 9223372036854775807."),
    ("Scalars", '{"an_int64": -9223372036854775809}',
     "an_int64: a number this large is not exact (-9.223372036854776e+18); write all its digits, as a string."),
    ("Scalars", '{"a_uint64": 18446744073709551616}',
     "a_uint64: a number this large is not exact (1.8446744073709552e+19); write all its digits, as a string."),
    ("Scalars", '{"an_int64": "1e999999999"}',
     "an_int64: the number is out of range for int64: -9223372036854775808 to 9223372036854775807."),
    ("Scalars", '{"an_int64": "1e99999999999999999999"}',
     "an_int64: the number is out of range for int64: -9223372036854775808 to 9223372036854775807."),
    ("Scalars", '{"an_int64": "1e-99999999999999999999"}',
     'an_int64: expected an integer (int64), got string "1e-99999999999999999999".'),
    ("Scalars", '{"an_int64": 9007199254740993.0}',
     "an_int64: a number this large is not exact (9007199254740992.0); write all its digits, as a string."),
    ("Scalars", '{"some_bytes": "data:;base64,!"}', "some_bytes: the string is not base64. Encode the bytes as base64."),
    ("Scalars", '{"request": {"an_int32": "x"}}', 'an_int32: expected an integer (int32), got string "x".'),
    ("schema.proto2.All", '{"name": "x", "[schema.proto2": 5}',
     'unknown field "[schema.proto2". Fields: name, count, level, data, ratio, big, levels, mygroup, by_name, '
     "text, all, time, small, flag."),
    ("Maps", '{"by_string": [{"key": null, "value": "b"}]}', "by_string: expected an object, each value a string, got an array."),
    ("Scalars", '{"a_bool": 1}', "a_bool: expected true or false, got number 1."),
    ("Scalars", '{"a_bool": "yes"}', 'a_bool: expected true or false, got string "yes".'),
    ("Scalars", '{"a_string": 1.10}', "a_string: expected a string, got number 1.1."),
    ("Scalars", '{"a_string": false}', "a_string: expected a string, got false."),
    ("Scalars", '{"a_string": {"a": 1}}', "a_string: expected a string, got an object."),
    ("Scalars", '{"some_bytes": "hello world!"}',
     'some_bytes: the string is not base64. If you meant the text "hello world!" send "aGVsbG8gd29ybGQh".'),
    ("Scalars", '{"some_bytes": "é"}', 'some_bytes: the string is not base64. If you meant the text "é" send "w6k=".'),
    ("Scalars", '{"some_bytes": "' + "!" * 100 + '"}', "some_bytes: the string is not base64. Encode the bytes as base64."),
    ("Scalars", '{"some_bytes": "data:text/plain,hi"}', "some_bytes: the string is not base64. Encode the bytes as base64."),
    ("Scalars", '{"some_bytes": 5}', "some_bytes: expected a base64 string (bytes), got number 5."),
    ("Scalars", '{"color": "bleu"}',
     'color: "bleu" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE. '
     'Did you mean "COLOR_DARK_BLUE"?'),
    ("Scalars", '{"color": "98"}',
     'color: "98" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE.'),
    ("Scalars", '{"color": "mauve"}',
     'color: "mauve" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE.'),
    ("Scalars", '{"color": "rde"}',
     'color: "rde" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE. '
     'Did you mean "COLOR_RED"?'),
    ("Scalars", '{"color": "COLOUR_RED"}',
     'color: "COLOUR_RED" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE. '
     'Did you mean "COLOR_RED"?'),
    ("Scalars", '{"color": 9}',
     "color: number 9 is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE."),
    ("Scalars", '{"color": true}',
     "color: true is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE."),
    ("Scalars", '{"color": 1.5}',
     "color: number 1.5 is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE."),
    ("Scalars", '{"color": ""}',
     'color: "" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE.'),
    ("Scalars", '{"an_int32": 1, "anInt32": 2}', 'an_int32: the field is given as "an_int32" and as "anInt32". Give it once.'),
    ("Book", '{"title": "t", "genre": "GENRE_SCIFY"}',
     'genre: "GENRE_SCIFY" is not a Genre value. Allowed: GENRE_UNSPECIFIED, GENRE_SCI_FI, GENRE_CRIME, GENRE_OLD. '
     'Did you mean "GENRE_SCI_FI"?'),
    ("Book", '{"title": "t", "secret": 5.5}', "secret: expected a string; the value does not fit, and is not repeated here."),
    ("Book", '{"title": "t", "titel": "x"}',
     'unknown field "titel". Did you mean "title"? Fields: title, secret, genre, tags, sequel, key.'),
    ("Book", '{"title": "t", "sequel": {"title": "u", "xyz": 1}}',
     'sequel: unknown field "xyz". Fields: title, secret, genre, tags, sequel, key.'),
    ("Book", '{"title": "t", "sequel": "u"}', 'sequel: expected an object (Book), got string "u".'),
    ("Book", '{"title": "t", "tags": ["a", null]}', "tags[1]: null is no element of an array. Leave it out."),
    ("Book", '{"title": "t", "tags": 1.5}', "tags: expected an array, each element a string, got number 1.5."),
    ("Repeated", '{"scalars": [{"an_int32": "x"}]}', 'scalars[0].an_int32: expected an integer (int32), got string "x".'),
    ("Repeated", '{"scalars": {"an_int32": "x"}}', 'scalars.an_int32: expected an integer (int32), got string "x".'),
    ("Repeated", '{"lists": [1]}', "lists[0]: expected an array, got number 1."),
    ("Maps", '{"by_int32": {"01": "x"}}', 'by_int32["01"]: a key of this map is an integer (int32), written in digits.'),
    ("Maps", '{"by_int32": {"2147483648": "x"}}',
     'by_int32["2147483648"]: 2147483648 is out of range for int32: -2147483648 to 2147483647.'),
    ("Maps", '{"by_bool": {"True": 1}}', 'by_bool["True"]: a key of this map is "true" or "false".'),
    ("Maps", '{"by_string": {"a": null}}', 'by_string["a"]: null is no value of a map. Leave the key out.'),
    ("Maps", '{"by_string": {"a.b": 1.5}}', 'by_string["a.b"]: expected a string, got number 1.5.'),
    ("Maps", '{"by_string": ["a"]}', "by_string: expected an object, each value a string, got an array."),
    ("Maps", '{"by_string": "a"}', 'by_string: expected an object, each value a string, got string "a".'),
    ("Maps", '{"by_string": [{"key": "a", "value": "b"}, {"key": "a", "value": "c"}]}',
     'by_string["a"]: the key is given twice. Give it once.'),
    ("Choice", '{"text": "a", "number": 1}',
     "text and number cannot be given together: give only one of text, number, scalars, nothing, anything, time, empty."),
    ("WellKnown", '{"timestamp": "2024-05-01"}',
     'timestamp: "2024-05-01" has no time zone. If UTC, send "2024-05-01T00:00:00Z".'),
    ("WellKnown", '{"timestamp": "2024-05-01T12:00"}',
     'timestamp: "2024-05-01T12:00" has no time zone. If UTC, send "2024-05-01T12:00:00Z".'),
    ("WellKnown", '{"timestamp": 1714564800}',
     'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got number 1714564800. '
     'If it counts seconds since 1970, send "2024-05-01T12:00:00Z".'),
    ("WellKnown", '{"timestamp": 1e300}',
     'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got number 1e+300.'),
    ("WellKnown", '{"timestamp": "tomorrow"}',
     'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got string "tomorrow".'),
    ("WellKnown", '{"timestamp": "2024-02-30T00:00:00Z"}',
     'timestamp: "2024-02-30T00:00:00Z" is no point in time: day is out of range for month.'),
    ("WellKnown", '{"timestamp": "2024-05-01T12:00:00+99:99"}',
     'timestamp: "2024-05-01T12:00:00+99:99" has an offset from UTC that does not exist.'),
    ("WellKnown", '{"timestamp": "0001-01-01T00:00:00+01:00"}',
     'timestamp: "0001-01-01T00:00:00+01:00" is not within the years 0001 to 9999 in UTC.'),
    ("WellKnown", '{"timestamp": "2024-W01-1T12:00:00Z"}',
     'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got string "2024-W01-1T12:00:00Z".'),
    ("WellKnown", '{"timestamp": "2024-05-01T24:00:00Z"}',
     'timestamp: "2024-05-01T24:00:00Z" is no point in time: hour must be in 0..23.'),
    ("WellKnown", '{"timestamp": {"seconds": 1, "nanos": -1}}',
     'timestamp: expected text, or {"seconds": integer, "nanos": 0 to 999999999}.'),
    ("WellKnown", '{"duration": 3}',
     'duration: expected a length of time in seconds, like "3.5s", got number 3. If it counts seconds, send "3s".'),
    ("WellKnown", '{"duration": " 3s"}', 'duration: expected a length of time in seconds, like "3.5s", got string " 3s".'),
    ("WellKnown", '{"duration": "P"}', 'duration: expected a length of time in seconds, like "3.5s", got string "P".'),
    ("WellKnown", '{"duration": "315576000001s"}', "duration: a length of time is at most 315576000000s."),
    ("WellKnown", '{"duration": {"seconds": 1, "nanos": -1}}',
     'duration: expected text, or {"seconds": integer, "nanos": 0 to 999999999}.'),
    ("WellKnown", '{"field_mask": ["a", 1]}',
     'field_mask: expected field paths, comma-separated, like "display_name,labels", got an array.'),
    ("WellKnown", '{"field_mask": "a,,b"}',
     'field_mask: expected field paths, comma-separated, like "display_name,labels", got string "a,,b".'),
    ("WellKnown", '{"struct": []}', "struct: expected an object, got an array."),
    ("WellKnown", '{"struct": {"a": [{"id": 9007199254740993}]}}',
     'struct: 9007199254740993 has more digits than a number here can hold; send it as text: "9007199254740993".'),
    ("WellKnown", '{"value": -9223372036854775807}',
     'value: -9223372036854775807 has more digits than a number here can hold; send it as text: "-9223372036854775807".'),
    ("WellKnown", '{"list_value": {}}', "list_value: expected an array, got an object."),
    ("WellKnown", '{"null_value": 1}', "null_value: expected null, got number 1."),
    ("WellKnown", '{"null_value": false}', "null_value: expected null, got false."),
    ("WellKnown", '{"any": 5}', 'any: expected an object with "@type", the URL of its type, got number 5.'),
    ("WellKnown", '{"any": {"a": 1}}',
     'any: "@type" is missing: the URL of the type, like "type.googleapis.com/google.protobuf.Duration".'),
    ("WellKnown", '{"any": {"@type": 5}}',
     'any: "@type" is missing: the URL of the type, like "type.googleapis.com/google.protobuf.Duration".'),
    ("WellKnown", '{"any": {"@type": "a/no.Such"}}', 'any: "a/no.Such" is no type that this backend knows.'),
    ("WellKnown", '{"any": {"@type": "a/google.protobuf.Duration"}}',
     'any: google.protobuf.Duration is written as {"@type": …, "value": …}.'),
    ("WellKnown", '{"any": {"@type": "a/schema.proto3.Scalars", "an_int32": "x"}}',
     'any.an_int32: expected an integer (int32), got string "x".'),
    ("WellKnown", '{"int64_value": {"value": 5, "x": 1}}', "int64_value: expected an integer (int64), got an object."),
    ("Spellings", '{"twin": "a b-"}', 'twin: "a b-" is not a Twin value. Allowed: TWIN_UNSPECIFIED, TWIN_A_B, TWIN_AB. Did you mean "TWIN_AB"?'),
    ("Spellings", '{"a-b": "x"}', 'unknown field "a-b". Did you mean "ab"? Fields: page_token, x, a_b, ab, twin.'),
    ("Request", '{"book": {"title": "t"}}', 'Missing required: name (string) - The name of the book, e.g. "books/1".'),
    ("Request", '{"name": null, "book": {"title": "t"}}',
     'Missing required: name (string) - The name of the book, e.g. "books/1".'),
    ("Request", '{"name": "n", "book": {}}', "Missing required: book.title (string)"),
    ("schema.proto2.All", "{}", "Missing required: name (string)"),
    ("schema.proto2.All", '{"name": "x", "level": 5}', "level: number 5 is not a Level value. Allowed: LOW, HIGH."),
    ("schema.proto2.All", '{"name": "x", "[schema.proto2.ext_none]": 5}',
     'unknown field "[schema.proto2.ext_none]". Fields: name, count, level, data, ratio, big, levels, mygroup, by_name, '
     "text, all, time, small, flag."),
    ("schema.proto2.Part", '{"[schema.proto2.ext_number]": 5}', 'unknown field "[schema.proto2.ext_number]". Fields: id.'),
    ("schema.editions.All", "{}", "Missing required: must (string)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "line"), REFUSED)
def test_refuses_with_the_path_the_fact_and_the_cure(codec: Any, name: str, text: str, line: str) -> None:
    assert codec.problems(name, text) == [line]


def test_tells_every_problem_at_once(codec: Any) -> None:
    text = '{"book": {"titel": "x", "genre": "sci", "tags": [1, 2.5]}, "days": "x", "other": 1}'
    assert codec.problems("Request", text) == [
        'book: unknown field "titel". Did you mean "title"? Fields: title, secret, genre, tags, sequel, key.',
        'book.genre: "sci" is not a Genre value. Allowed: GENRE_UNSPECIFIED, GENRE_SCI_FI, GENRE_CRIME, GENRE_OLD. '
        'Did you mean "GENRE_SCI_FI"?',
        "book.tags[1]: expected a string, got number 2.5.",
        'days: expected an integer (int32), got string "x".',
        'unknown field "other". Fields: name, book, days.',
        "Missing required: book.title (string)",
        'Missing required: name (string) - The name of the book, e.g. "books/1".',
    ]


def test_an_update_need_not_give_what_the_whole_resource_requires(codec: Any) -> None:
    decoded = codec.decode("UpdateRequest", '{"book": {"tags": ["a"]}, "updateMask": "tags"}')
    assert list(decoded.book.tags) == ["a"]
    assert codec.problems("UpdateRequest", "{}") == ["Missing required: book (object, Book)"]


def test_fields_named_like_python_and_message_methods_are_fields(codec: Any) -> None:
    names = [
        "self",
        "from",
        "None",
        "HasField",
        "ListFields",
        "DESCRIPTOR",
        "SerializeToString",
        "value",
        "class",
    ]
    text = json.dumps(
        {name: number for number, name in enumerate(names, 1)} | {"Extensions": ["x"], "which": {"self": 9}}
    )
    decoded = codec.decode("Shadows", text)
    assert [getattr(decoded, name) for name in names] == list(range(1, 10))
    assert decoded.which.self == 9


ROOTS = [
    ("google.protobuf.Value", '{"value": {"a": [1, null]}}', '{"a": [1, null]}'),
    ("google.protobuf.Value", '{"value": null}', "null"),
    ("google.protobuf.Struct", '{"value": {"a": 1}}', '{"a": 1}'),
    ("google.protobuf.Struct", "{}", "{}"),
    ("google.protobuf.ListValue", '{"value": [1]}', "[1]"),
    ("google.protobuf.ListValue", "{}", "[]"),
    ("google.protobuf.Timestamp", '{"value": "2024-05-01T12:00:00Z"}', '"2024-05-01T12:00:00Z"'),
    ("google.protobuf.StringValue", '{"value": "x"}', '"x"'),
    ("google.protobuf.Any", '{"value": {"@type": "a/google.protobuf.Empty"}}', '{"@type": "a/google.protobuf.Empty"}'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "plain"), ROOTS)
def test_a_well_known_type_as_the_whole_request_is_under_value(
    codec: Any, name: str, text: str, plain: str
) -> None:
    assert codec.decode(name, text) == codec.parse(name, plain)


def test_a_value_root_refuses_other_keys(codec: Any) -> None:
    assert codec.problems("google.protobuf.Struct", '{"a": 1}') == ['unknown field "a". Fields: value.']


@pytest.mark.parametrize("text", ["[]", '""', "0", "null"])
def test_what_json_format_takes_for_an_empty_message_is_refused(codec: Any, text: str) -> None:
    [line] = codec.problems("Scalars", text)
    assert line.startswith('expected a JSON object, like {"name": "value"}, got ')


def test_bytes_that_hold_text_are_written_as_text(codec: Any) -> None:
    decoded = codec.decode("Annotated", '{"text": "/keys/a:b", "texts": ["x", "data:;base64,/w=="]}')
    assert (decoded.text, list(decoded.texts)) == (b"/keys/a:b", [b"x", b"\xff"])
    assert codec.problems("Annotated", '{"text": 1.5}') == ["text: expected a string, got number 1.5."]


def test_hidden_fields_are_accepted_but_not_named(codec: Any) -> None:
    assert codec.decode("Annotated", '{"hidden": "x"}').hidden == "x"
    assert codec.problems("Annotated", '{"hiden": 1}') == [
        'unknown field "hiden". Fields: city, text, texts, inner.'
    ]


def test_the_decoder_of_a_type_is_made_once(descriptors: Any) -> None:
    from broker.schema.decode import Decoder

    decoder = Decoder(descriptors)
    message = descriptors.pool.FindMessageTypeByName("schema.proto3.Node")
    assert decoder.compile(message) is decoder.compile(message)
