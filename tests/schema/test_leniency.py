# ruff: noqa: E501 (a row of a table is a line)
"""Every leniency, and every refusal beside it: what is taken for what, what is noted, what literal to send."""

import json
from typing import Any

import pytest

from broker.errors import InvalidArguments
from broker.schema.arguments import DroppingReading, ExactReading, Reading
from broker.schema.decode import Decoder
from broker.schema.notes import MAX_NOTES, Leniency, told

EXACT: list[str] = []

# The row; the message; the arguments; the same as ProtoJSON (None: it cannot say it); what is noted.
TAKEN: list[tuple[str, str, str, str | None, list[str]]] = [
    # Names of fields.
    ("camelCase is ProtoJSON", "Scalars", '{"anInt32": 5}', '{"an_int32": 5}', EXACT),
    ("kebab-case", "Scalars", '{"an-int32": 5}', '{"an_int32": 5}', ["field_spelling"]),
    ("PascalCase", "Scalars", '{"AnInt32": 5}', '{"an_int32": 5}', ["field_spelling"]),
    ("missing underscores", "Scalars", '{"anint32": 5}', '{"an_int32": 5}', ["field_spelling"]),
    # Null.
    ("null", "Scalars", '{"an_int32": null, "color": null}', "{}", EXACT),
    ("null beside the member that is meant", "Choice", '{"text": "a", "nothing": null, "anything": null}', '{"text": "a"}', EXACT),
    # Numbers, booleans, strings.
    ("number as text", "Scalars", '{"an_int32": "5", "a_double": "1.5", "an_int64": 5.0}', '{"an_int32": 5, "a_double": 1.5, "an_int64": 5}', EXACT),
    ("bool as text", "Scalars", '{"a_bool": "True"}', '{"a_bool": true}', ["bool_text"]),
    ("integer for string", "Scalars", '{"a_string": 123}', '{"a_string": "123"}', ["integer_as_string"]),
    # Enums.
    ("enum: alias", "Book", '{"title": "t", "genre": "GENRE_SCIENCE_FICTION"}', '{"title": "t", "genre": "GENRE_SCI_FI"}', EXACT),
    ("enum: number", "Scalars", '{"color": "2"}', '{"color": "COLOR_DARK_BLUE"}', EXACT),
    ("enum: case", "Scalars", '{"color": "color_Red"}', '{"color": "COLOR_RED"}', ["enum_spelling"]),
    ("enum: space", "Scalars", '{"color": "COLOR DARK BLUE"}', '{"color": "COLOR_DARK_BLUE"}', ["enum_spelling"]),
    ("enum: hyphen", "Scalars", '{"color": "color-dark-blue"}', '{"color": "COLOR_DARK_BLUE"}', ["enum_spelling"]),
    ("enum: without its prefix", "Scalars", '{"color": "dark blue"}', '{"color": "COLOR_DARK_BLUE"}', ["enum_spelling"]),
    ("enum: one of two that differ in underscores", "Spellings", '{"twin": "a-b"}', '{"twin": "TWIN_A_B"}', ["enum_spelling"]),
    # Lists and maps.
    ("scalar for list", "Repeated", '{"strings": "a"}', '{"strings": ["a"]}', ["single_as_list"]),
    ("object for list", "Repeated", '{"scalars": {"a_bool": true}}', '{"scalars": [{"a_bool": true}]}', ["single_as_list"]),
    ("entries for map", "Maps", '{"by_string": [{"key": "a", "value": "b:c"}]}', '{"by_string": {"a": "b:c"}}', EXACT),
    # JSON within a string.
    ("JSON text for message", "Request", '{"name": "n", "book": "{\\"title\\": \\"a:b\\"}"}', '{"name": "n", "book": {"title": "a:b"}}', ["json_text"]),
    ("JSON text for map", "Maps", '{"by_string": "{\\"a\\": \\"b\\"}"}', '{"by_string": {"a": "b"}}', ["json_text"]),
    ("JSON text of entries for map", "Maps", '{"by_string": "[{\\"key\\": \\"a\\", \\"value\\": \\"b\\"}]"}', '{"by_string": {"a": "b"}}', ["json_text"]),
    ("JSON text for list", "Repeated", '{"strings": "[\\"a\\", \\"b\\"]"}', '{"strings": ["a", "b"]}', ["json_text"]),
    ("JSON text for an element", "Repeated", '{"scalars": ["{\\"a_bool\\": true}"]}', '{"scalars": [{"a_bool": true}]}', ["json_text"]),
    ("JSON text for the only element", "Repeated", '{"scalars": "{\\"a_bool\\": true}"}', '{"scalars": [{"a_bool": true}]}', ["single_as_list", "json_text"]),
    ("JSON text for Struct", "WellKnown", '{"struct": "{\\"a\\": [1]}"}', '{"struct": {"a": [1]}}', ["json_text"]),
    ("JSON text for ListValue", "WellKnown", '{"list_value": "[1, {}]"}', '{"list_value": [1, {}]}', ["json_text"]),
    ("JSON text for Any", "WellKnown", '{"any": "{\\"@type\\": \\"a/google.protobuf.Empty\\"}"}', '{"any": {"@type": "a/google.protobuf.Empty"}}', ["json_text"]),
    ("JSON text for all arguments", "Scalars", '"{\\"an_int32\\": 5}"', '{"an_int32": 5}', ["json_text"]),
    ("JSON text for Value is a string", "WellKnown", '{"value": "{\\"a\\": 1}"}', '{"value": "{\\"a\\": 1}"}', EXACT),
    ("JSON text for string is a string", "Scalars", '{"a_string": "{\\"a\\": 1}"}', '{"a_string": "{\\"a\\": 1}"}', EXACT),
    ("no JSON for a list of strings", "Repeated", '{"strings": "[x"}', '{"strings": ["[x"]}', ["single_as_list"]),
    # Oneofs.
    ("oneof flat", "Choice", '{"text": "a"}', '{"text": "a"}', EXACT),
    ("oneof as one property", "Choice", '{"which": {"text": "a"}}', '{"text": "a"}', EXACT),
    ("oneof with which", "Choice", '{"which": {"which": "number", "value": "3"}}', '{"number": "3"}', ["oneof_which"]),
    ("oneof: one has a value", "Choice", '{"text": "a", "number": 0, "scalars": {}}', '{"text": "a"}', ["oneof_defaults"]),
    ("oneof: blanks", "Choice", '{"text": "a", "number": "", "scalars": ""}', '{"text": "a"}', ["blank_value", "blank_value"]),
    # Well-known types.
    ("object for wrapper", "WellKnown", '{"int64_value": {"value": "5"}}', '{"int64_value": "5"}', ["wrapper_object"]),
    ("object for Timestamp", "WellKnown", '{"timestamp": {"seconds": 5, "nanos": 7}}', '{"timestamp": "1970-01-01T00:00:05.000000007Z"}', ["timestamp_form"]),
    ("object for Duration", "WellKnown", '{"duration": {"seconds": -5, "nanos": -500000000}}', '{"duration": "-5.5s"}', ["duration_form"]),
    ("list for FieldMask", "WellKnown", '{"field_mask": ["foo_bar", "b"]}', '{"field_mask": "fooBar,b"}', ["field_mask_form"]),
    ("paths for FieldMask", "WellKnown", '{"field_mask": {"paths": ["fooBar"]}}', '{"field_mask": "fooBar"}', ["field_mask_form"]),
    ("snake_case for FieldMask is what the schema asks for", "WellKnown", '{"field_mask": "foo_bar,b.c_d"}', '{"field_mask": "fooBar,b.cD"}', EXACT),
    ("Timestamp: lower case", "WellKnown", '{"timestamp": "2024-05-01t12:00:00z"}', '{"timestamp": "2024-05-01T12:00:00Z"}', ["timestamp_form"]),
    ("Timestamp: space", "WellKnown", '{"timestamp": "2024-05-01 12:00:00Z"}', '{"timestamp": "2024-05-01T12:00:00Z"}', ["timestamp_form"]),
    ("Timestamp: no seconds", "WellKnown", '{"timestamp": "2024-05-01T12:00Z"}', '{"timestamp": "2024-05-01T12:00:00Z"}', ["timestamp_form"]),
    ("Timestamp: +0200", "WellKnown", '{"timestamp": "2024-05-01T12:00:00.5+0200"}', '{"timestamp": "2024-05-01T10:00:00.5Z"}', ["timestamp_form"]),
    ("Duration: ISO 8601", "WellKnown", '{"duration": "PT1H30M"}', '{"duration": "5400s"}', ["duration_form"]),
    ("Duration: as in Go", "WellKnown", '{"duration": "1h30m"}', '{"duration": "5400s"}', ["duration_form"]),
    ("Duration: 250ms", "WellKnown", '{"duration": "-250ms"}', '{"duration": "-0.25s"}', ["duration_form"]),
    ("Duration: micro signs", "WellKnown", '{"duration": "1µs"}', '{"duration": "0.000001s"}', ["duration_form"]),
    # Bytes.
    ("bytes: URL-safe, no padding", "Scalars", '{"some_bytes": "-_8"}', '{"some_bytes": "+/8="}', EXACT),
    ("bytes: data URI", "Scalars", '{"some_bytes": "data:image/png;base64,aGk="}', '{"some_bytes": "aGk="}', ["data_uri"]),
    ("bytes as text", "Annotated", '{"text": "test"}', '{"text": "dGVzdA=="}', EXACT),
    ("bytes as text: integer", "Annotated", '{"text": 5}', '{"text": "NQ=="}', ["integer_as_string"]),
    # Blanks.
    ("blank message", "Node", '{"next": ""}', "{}", ["blank_value"]),
    ("blank Timestamp", "WellKnown", '{"timestamp": "", "duration": ""}', "{}", ["blank_value", "blank_value"]),
    ("blank number", "Optionals", '{"count": ""}', "{}", ["blank_value"]),
    ("blank wrapper", "WellKnown", '{"int64_value": ""}', "{}", ["blank_value"]),
    ("blank string is a value", "Optionals", '{"text": ""}', '{"text": ""}', EXACT),
    ("blank StringValue is a value", "WellKnown", '{"string_value": ""}', '{"string_value": ""}', EXACT),
    # google.type.
    ("Date", "schema.lenient.Stay", '{"from": "2024-05-01"}', '{"from": {"year": 2024, "month": 5, "day": 1}}', ["date_text"]),
    ("Dates", "schema.lenient.Stay", '{"days": ["2024-05-01"]}', '{"days": [{"year": 2024, "month": 5, "day": 1}]}', ["date_text"]),
    ("TimeOfDay", "schema.lenient.Stay", '{"arrival": "09:30"}', '{"arrival": {"hours": 9, "minutes": 30}}', ["time_of_day_text"]),
    ("TimeOfDay with a fraction", "schema.lenient.Stay", '{"arrival": "09:30:15.5"}', '{"arrival": {"hours": 9, "minutes": 30, "seconds": 15, "nanos": 500000000}}', ["time_of_day_text"]),
    ("Decimal", "schema.lenient.Stay", '{"rating": "1.50"}', '{"rating": {"value": "1.50"}}', ["decimal_text"]),
    ("Decimal, whole", "schema.lenient.Stay", '{"rating": 3}', '{"rating": {"value": "3"}}', ["decimal_text"]),
    # What is too much.
    ("no arguments", "Scalars", " ", "{}", ["blank_arguments"]),
    ("arguments for a tool that takes none", "Empty", '{"random_string": "x", "n": [1]}', "{}", ["ignored_argument", "ignored_argument"]),
    ("_meta", "Scalars", '{"an_int32": 5, "_meta": {"a": "b:c"}}', '{"an_int32": 5}', ["ignored_argument"]),
    ("OUTPUT_ONLY and deprecated fields", "Book", '{"title": "t", "etag": "e", "old": "o"}', '{"title": "t", "etag": "e", "old": "o"}', EXACT),
    ("hidden fields", "Annotated", '{"hidden": "x"}', '{"hidden": "x"}', EXACT),
    *(("wrapped arguments", "Scalars", f'{{"{key}": {{"an_int32": 5}}}}', '{"an_int32": 5}', ["wrapped_arguments"])
      for key in ("request", "input", "args", "arguments", "params", "body", "Scalars", "scalars")),
    ("wrapped beside _meta", "Scalars", '{"request": {"an_int32": 5}, "_meta": {}}', '{"an_int32": 5}', ["wrapped_arguments"]),
    ("wrapped JSON text", "Scalars", '{"arguments": "{\\"an_int32\\": 5}"}', '{"an_int32": 5}', ["wrapped_arguments"]),
    ("a field that is named as a wrapper", "schema.lenient.Wrapping", '{"input": {"name": "n"}}', '{"input": {"name": "n"}}', EXACT),
    # Update masks.
    ("mask: field", "schema.lenient.UpdateHouseRequest", '{"update_mask": "display_name,annex.built"}', '{"update_mask": "displayName,annex.built"}', EXACT),
    ("mask: spelled otherwise", "schema.lenient.UpdateHouseRequest", '{"update_mask": "displayname"}', '{"update_mask": "displayName"}', EXACT),
    ("mask: all", "schema.lenient.UpdateHouseRequest", '{"update_mask": ["*"]}', None, ["field_mask_form"]),
    ("mask: within maps, lists and dynamic values", "schema.lenient.UpdateHouseRequest", '{"update_mask": "rooms.kitchen.x,wings.*.y,details.a.b,built.seconds"}', None, EXACT),
    ("mask of another message", "schema.lenient.UpdateHouseRequest", '{"read_mask": "nothing"}', '{"read_mask": "nothing"}', EXACT),
    ("mask of one of two resources", "schema.lenient.UpdatePairRequest", '{"update_mask": "nothing"}', '{"update_mask": "nothing"}', EXACT),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "exact", "leniencies"), [
    pytest.param(text, name, exact, leniencies, id=row) for row, name, text, exact, leniencies in TAKEN
])  # fmt: skip
def test_what_can_only_mean_one_thing_is_taken_as_that_and_noted(
    codec: Any, name: str, text: str, exact: str | None, leniencies: list[str]
) -> None:
    reading = Reading()
    message = codec.read(name, text, reading)
    if exact is not None:
        assert message == codec.parse(name, exact)
    notes = told(reading.notes)
    assert [note.leniency for note in notes] == leniencies
    assert all(len(note.text) <= 120 and "\n" not in note.text for note in notes)


REFUSED = [
    ("two spellings", "Scalars", '{"an_int32": 1, "AnInt32": 2}', 'an_int32: the field is given as "an_int32" and as "AnInt32". Give it once.'),
    ("separators in numbers", "Scalars", '{"an_int32": "1,000"}', 'an_int32: expected an integer (int32), got string "1,000".'),
    ("units", "Scalars", '{"an_int32": "5 MB"}', 'an_int32: expected an integer (int32), got string "5 MB".'),
    ("hexadecimal", "Scalars", '{"an_int32": "0x10"}', 'an_int32: expected an integer (int32), got string "0x10".'),
    ("bool for number", "Scalars", '{"a_double": true}', "a_double: expected a number (double), got true."),
    ("rounding", "Scalars", '{"an_int32": 1.5}', "an_int32: expected an integer (int32), got number 1.5."),
    ("number for bool", "Scalars", '{"a_bool": 0}', "a_bool: expected true or false, got number 0."),
    ("yes", "Scalars", '{"a_bool": "yes"}', 'a_bool: expected true or false, got string "yes".'),
    ("float for string", "Scalars", '{"a_string": 1.1}', "a_string: expected a string, got number 1.1."),
    ("bool for string", "Scalars", '{"a_string": true}', "a_string: expected a string, got true."),
    ("list for string", "Scalars", '{"a_string": ["a"]}', "a_string: expected a string, got an array."),
    ("enum: unknown number", "Scalars", '{"color": 9}', "color: number 9 is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE."),
    ("enum: fuzzy", "Scalars", '{"color": "COLOR_RDE"}', 'color: "COLOR_RDE" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE. Did you mean "COLOR_RED"?'),
    ("enum: missing underscore", "Scalars", '{"color": "darkblue"}', 'color: "darkblue" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE. Did you mean "COLOR_DARK_BLUE"?'),
    ("enum: removed", "schema.lenient.Stay", '{"room": "ROOM_CELLAR"}', 'room: "ROOM_CELLAR" is not a Room value. It was removed from the API. Allowed: ROOM_UNSPECIFIED, ROOM_SINGLE.'),
    ("comma-splitting", "Repeated", '{"int32s": "1,2"}', 'int32s: expected an array, each element an integer (int32), got string "1,2".'),
    ("JSON text of another kind", "Choice", '{"scalars": "[1]"}', 'scalars: expected an object (Scalars), got string "[1]".'),
    ("JSON text with problems", "Request", '{"name": "n", "book": "{\\"title\\": 1.5}"}', "book.title: expected a string, got number 1.5."),
    ("JSON text with a key twice", "Choice", '{"scalars": "{\\"an_int32\\": 5, \\"an_int32\\": 6}"}', 'scalars: the key "an_int32" is given twice in one object. Give it once.'),
    ("wrapped, with a key twice", "Scalars", '{"request": {"an_int32": 5, "an_int32": 6}}', 'request: the key "an_int32" is given twice in one object. Give it once.'),
    ("all arguments as text, with a key twice", "Scalars", '"{\\"an_int32\\": 5, \\"an_int32\\": 6}"', 'the key "an_int32" is given twice in one object. Give it once.'),
    ("a field that is named as a wrapper", "schema.lenient.Wrapping", '{"input": {"nam": "n"}}', 'input: unknown field "nam". Did you mean "name"? Fields: name.'),
    ("oneof: several carry values", "Choice", '{"text": "a", "number": 1}', "text and number cannot be given together: give only one of text, number, scalars, nothing, anything, time, empty."),
    ("oneof: none carries a value", "Choice", '{"text": "", "number": 0}', "text and number cannot be given together: give only one of text, number, scalars, nothing, anything, time, empty."),
    ("Timestamp: date only", "WellKnown", '{"timestamp": "2024-05-01"}', 'timestamp: "2024-05-01" has no time zone. If UTC, send "2024-05-01T00:00:00Z".'),
    ("Timestamp: no offset", "WellKnown", '{"timestamp": "2024-05-01 12:00:00.25"}', 'timestamp: "2024-05-01 12:00:00.25" has no time zone. If UTC, send "2024-05-01T12:00:00.25Z".'),
    ("Timestamp: no offset, and no date", "WellKnown", '{"timestamp": "2024-13-01"}', 'timestamp: "2024-13-01" is no point in time: month must be in 1..12.'),
    ("Timestamp: epoch", "WellKnown", '{"timestamp": 1714564800.5}', 'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got number 1714564800.5. If it counts seconds since 1970, send "2024-05-01T12:00:00.500Z".'),
    ("Timestamp: epoch in milliseconds", "WellKnown", '{"timestamp": 1714564800000}', 'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got number 1714564800000. If it counts milliseconds since 1970, send "2024-05-01T12:00:00Z".'),
    ("Timestamp: epoch as text", "WellKnown", '{"timestamp": "1714564800"}', 'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got string "1714564800". If it counts seconds since 1970, send "2024-05-01T12:00:00Z".'),
    ("Timestamp: tomorrow", "WellKnown", '{"timestamp": "tomorrow"}', 'timestamp: expected a point in time (RFC 3339, like "2024-05-01T12:00:00Z"), got string "tomorrow".'),
    ("Duration: number", "WellKnown", '{"duration": 1.5}', 'duration: expected a length of time in seconds, like "3.5s", got number 1.5. If it counts seconds, send "1.5s".'),
    ("Duration: digits", "WellKnown", '{"duration": "3"}', 'duration: expected a length of time in seconds, like "3.5s", got string "3". If it counts seconds, send "3s".'),
    ("Duration: too exact", "WellKnown", '{"duration": 0.1234567890123}', 'duration: expected a length of time in seconds, like "3.5s", got number 0.1234567890123. If it counts seconds, send "0.123456789s".'),
    ("mask: unknown field", "schema.lenient.UpdateHouseRequest", '{"update_mask": "display_nam"}', 'update_mask: "display_nam": House has no field "display_nam". Did you mean "display_name"? Fields: display_name, annex, rooms, wings, details, built.'),
    ("mask: unknown field of a field", "schema.lenient.UpdateHouseRequest", '{"update_mask": "annex.titel"}', 'update_mask: "annex.titel": House has no field "titel". Fields: display_name, annex, rooms, wings, details, built.'),
    ("mask: begins with the resource", "schema.lenient.UpdateHouseRequest", '{"update_mask": "house.display_name"}', 'update_mask: "house.display_name": House has no field "house". Paths begin in House: send "display_name". Fields: display_name, annex, rooms, wings, details, built.'),
    ("mask: below a scalar", "schema.lenient.UpdateHouseRequest", '{"update_mask": "display_name.x"}', 'update_mask: "display_name.x": display_name has no fields. Send "display_name".'),
    ("bytes: text", "Scalars", '{"some_bytes": "hello world!"}', 'some_bytes: the string is not base64. If you meant the text "hello world!" send "aGVsbG8gd29ybGQh".'),
    ("bytes: text of two lines", "Scalars", '{"some_bytes": "a\\nb"}', 'some_bytes: the string is not base64. If you meant the text "a\\nb" send "YQpi".'),
    ("null in array", "Repeated", '{"strings": ["a", null]}', "strings[1]: null is no element of an array. Leave it out."),
    ("blank, but required", "Request", '{"name": "n", "book": ""}', 'book: expected an object (Book), got string "".'),
    ("blank enum", "Scalars", '{"color": ""}', 'color: "" is not a Color value. Allowed: COLOR_UNSPECIFIED, COLOR_RED, COLOR_DARK_BLUE, COLOR_NEGATIVE.'),
    ("blank bool", "Scalars", '{"a_bool": ""}', 'a_bool: expected true or false, got string "".'),
    ("Date with a time", "schema.lenient.Stay", '{"from": "2024-05-01T12:00:00Z"}', 'from: "2024-05-01T12:00:00Z" is more than a date. If the day is meant, send "2024-05-01".'),
    ("Date that does not exist", "schema.lenient.Stay", '{"from": "2024-02-30"}', 'from: "2024-02-30" is no date: day is out of range for month.'),
    ("Date in words", "schema.lenient.Stay", '{"from": "May 1"}', 'from: expected a date, like "2024-05-01" or {"year": 2024, "month": 5, "day": 1} (Date), got string "May 1".'),
    ("TimeOfDay of twelve hours", "schema.lenient.Stay", '{"arrival": "9:30 pm"}', 'arrival: expected a time of day, like "09:30:00" or {"hours": 9, "minutes": 30} (TimeOfDay), got string "9:30 pm".'),
    ("TimeOfDay that does not exist", "schema.lenient.Stay", '{"arrival": "25:00"}', 'arrival: "25:00" is no time of day: 00:00:00 to 24:00:00.'),
    ("Decimal as a number", "schema.lenient.Stay", '{"rating": 1.5}', 'rating: expected a decimal number as text, like "1.5" or {"value": "1.5"} (Decimal), got number 1.5. Send "1.5".'),
    ("Money", "schema.lenient.Stay", '{"price": "-12.50 USD"}', 'price: expected an object, like {"currency_code": "USD", "units": "12", "nanos": 500000000} (Money), got string "-12.50 USD". If you meant -12.50 USD, send {"currency_code": "USD", "units": "-12", "nanos": -500000000}.'),
    ("Money without a currency", "schema.lenient.Stay", '{"price": "12.50"}', 'price: expected an object, like {"currency_code": "USD", "units": "12", "nanos": 500000000} (Money), got string "12.50".'),
    ("LatLng", "schema.lenient.Stay", '{"place": "1, -2.5"}', 'place: expected an object, like {"latitude": 48.85, "longitude": 2.35} (LatLng), got string "1, -2.5". If the latitude comes first, send {"latitude": 1, "longitude": -2.5}.'),
    ("a removed field", "schema.lenient.Stay", '{"nights": 2}', 'unknown field "nights". It was removed from the API. Fields: from, arrival, rating, price, place, days, room.'),
    ("_meta within", "Node", '{"next": {"_meta": {}}}', 'next: unknown field "_meta". Fields: name, children, named, next, any.'),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "line"), [
    pytest.param(name, text, line, id=row) for row, name, text, line in REFUSED
])  # fmt: skip
def test_what_would_be_a_guess_is_refused_with_what_to_send(
    codec: Any, name: str, text: str, line: str
) -> None:
    assert codec.problems(name, text) == [line]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("rooms.guestRoom.x", "rooms.guestRoom.x"),
        ("details.fooBar.a", "details.fooBar.a"),
        ("displayName", "display_name"),
        ("annex.displayName", "annex.display_name"),
        ("wings.displayName", "wings.display_name"),
        ("wings.*.displayName", "wings.*.display_name"),
    ],
)
def test_a_mask_names_fields_in_any_spelling_and_keys_of_maps_as_they_are(
    codec: Any, written: str, meant: str
) -> None:
    """Else `labels.envName` would change another label, `env_name`, and nobody would hear of it."""
    request = codec.decode("schema.lenient.UpdateHouseRequest", f'{{"update_mask": "{written}"}}')

    assert list(request.update_mask.paths) == [meant]


def test_a_note_says_where_what_was_given_and_what_it_was_taken_as(codec: Any) -> None:
    reading = Reading()
    text = '{"children": [{"next": "{\\"Name\\": 5}"}], "named": {"a.b": {"name": 7}}}'
    codec.read("Node", text, reading)
    assert [note.text for note in told(reading.notes)] == [
        "children[0].next: JSON text taken as the object in it",
        'children[0].next: "Name" taken as "name"',
        'children[0].next.name: number 5 taken as "5"',
        'named["a.b"].name: number 7 taken as "7"',
    ]


def test_notes_are_few_and_short(codec: Any) -> None:
    reading = Reading()
    text = json.dumps({"named": {"k" * 500: {"children": [{"name": 5}] * 5_000}}, "name": 1})
    codec.read("Node", text, reading)
    notes = told(reading.notes)
    assert len(notes) == MAX_NOTES
    assert all(len(note.text) <= 120 for note in notes)
    assert len(reading.notes) <= 5_001


@pytest.mark.parametrize("text", ['{"pins": [{"key": "dora", "value": "7"}], "armed": "TRUE"}', '{"pins": "{\\"dora\\": 7}", "armed": "TRUE"}'])  # fmt: skip
def test_a_value_that_must_not_be_shown_is_not_in_its_notes(codec: Any, text: str) -> None:
    reading = Reading()
    codec.read("schema.lenient.Secrets", text, reading)
    shown = " ".join(note.text for note in told(reading.notes))
    assert "armed: taken as true or false; the value is not repeated here" in shown
    assert "dora" not in shown
    assert "TRUE" not in shown


def test_exact_arguments_leave_no_notes(codec: Any) -> None:
    reading = Reading()
    codec.read("Request", '{"name": "n", "book": {"title": "t", "tags": ["a"]}, "days": 3}', reading)
    assert list(reading.notes) == []


def test_unknown_fields_are_left_out_where_that_is_asked_for(codec: Any) -> None:
    reading = DroppingReading()
    text = '{"name": "n", "book": {"title": "t", "titel": "u:v"}, "other": {"a": [1]}}'
    assert codec.read("Request", text, reading) == codec.new("Request", name="n", book={"title": "t"})
    assert [(note.leniency, note.text) for note in told(reading.notes)] == [
        ("dropped_argument", 'book: the unknown field "titel" was left out. Did you mean "title"?'),
        ("dropped_argument", 'the unknown field "other" was left out.'),
    ]


@pytest.mark.parametrize(("name", "text"), [
    pytest.param(name, text, id=row) for row, name, text, _, leniencies in TAKEN if leniencies
])  # fmt: skip
def test_the_exact_reading_takes_none_of_it(codec: Any, name: str, text: str) -> None:
    decode = Decoder(codec.descriptors, reading=ExactReading).compile(codec.message(name))
    with pytest.raises(InvalidArguments):
        decode(text)


def test_every_leniency_has_a_row() -> None:
    noted = {leniency for *_, leniencies in TAKEN for leniency in leniencies}
    assert noted | {Leniency.DROPPED_ARGUMENT} == set(Leniency)
