# ruff: noqa: E501 (a row of a table is a line)
"""Whatever bytes a backend answers with, a model reads them as far as that goes, and nothing is raised."""

import json
import math
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.descriptors.pool import Descriptors
from broker.dispatch import Broker
from broker.errors import Code
from broker.schema.content import message_reader, stream_reader
from broker.schema.encode import Encoder
from broker.schema.media import may_hold_files
from broker.tool import Stream, ToolCall, ToolResult

Answer = Callable[..., Awaitable[ToolResult]]
New = Callable[..., Any]

ODD = [
    pytest.param({"any": {"type_url": "a/no.Such", "value": b"hi"}}, {"any": {"@type": "a/no.Such", "value": "aGk="}}, id="an Any of no known type"),
    pytest.param({"any": {"type_url": "a/files.v1.Odd", "value": b"\xff"}}, {"any": {"@type": "a/files.v1.Odd", "value": "/w=="}}, id="an Any that is none of its type"),
    pytest.param({"timestamp": {"seconds": 253402300800}}, {"timestamp": "invalid: seconds=253402300800 nanos=0"}, id="a time after the year 9999"),
    pytest.param({"timestamp": {"nanos": -1}}, {"timestamp": "invalid: seconds=0 nanos=-1"}, id="a time with negative nanoseconds"),
    pytest.param({"duration": {"seconds": 1, "nanos": -1}}, {"duration": "invalid: seconds=1 nanos=-1"}, id="a length of time with two signs"),
    pytest.param({"mask": {"paths": ["a_1", "aB", "x"]}}, {"mask": "a_1,aB,x"}, id="paths that cannot be spelled"),
    pytest.param({"value": {"number_value": math.nan}}, {"value": "NaN"}, id="a Value that is no number"),
    pytest.param({"struct": {"a": -math.inf}}, {"struct": {"a": "-Infinity"}}, id="infinity in a Struct"),
    pytest.param({"number": math.inf}, {"number": "Infinity"}, id="infinity"),
    pytest.param({"color": 7}, {"color": 7}, id="an enum value that is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), ODD)
async def test_a_value_that_json_has_no_form_for_does_not_lose_the_response(
    new: New, answer: Answer, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    result = await answer("GetOdd", new("Odd", **fields, kept="kept"))

    assert not result.is_error
    assert result.structured is not None
    assert result.structured.items() >= {**expected, "kept": "kept"}.items()


async def test_text_that_is_no_utf8_is_shown_as_far_as_it_is(answer: Answer) -> None:
    wire = bytes.fromhex("0a0361ff62 12026f6b 1201fe 1a06 0a016b 1201ff 2203 0a01ff")

    result = await answer("GetOld", wire)

    assert result.structured == {
        "text": "a\ufffdb",
        "texts": ["ok", "\ufffd"],
        "by_name": {"k": "\ufffd"},
        "inner": {"text": "\ufffd"},
    }


async def test_a_key_that_is_no_utf8_loses_its_own_field_alone(answer: Answer) -> None:
    result = await answer("GetOld", bytes.fromhex("0a026f6b 1a06 0a01ff 120176"))

    assert not result.is_error
    assert result.structured is not None
    assert result.structured["text"] == "ok"
    assert "UnicodeDecodeError" in result.structured["@error"]
    assert (
        result.structured["@response"] == f"base64: {b64encode(bytes.fromhex('1a060a01ff120176')).decode()}"
    )


async def test_text_of_proto3_that_is_no_utf8_is_bytes_that_are_no_message(answer: Answer) -> None:
    result = await answer("GetOdd", b"\x62\x01\xff")

    assert result.code is Code.DATA_LOSS


async def test_messages_deeper_than_json_writers_go_are_written(new: New, answer: Answer) -> None:
    message = new("Odd", kept="bottom")
    for _ in range(3):
        outer = new("Odd")
        outer.any.Pack(message)
        for _ in range(95):
            outer = new("Odd", odds=[outer])
        message = outer

    result = await answer("GetOdd", message)

    assert not result.is_error
    assert "@error" not in result.content
    assert result.content.count('"odds": [') == 3 * 95


async def test_a_fault_of_ours_is_told_in_a_result_that_keeps_the_response(
    new: New, broker: Broker, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> dict[str, Any]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Encoder, "compile", lambda *_: broken)

    one = await answer("GetOdd", new("Odd", kept="北京"))
    several = await answer("ListOdd", new("Odd", kept="北京"))

    assert not one.is_error, "the call was made"
    for said in (one.structured, several.structured and several.structured["messages"][0]):
        assert said is not None
        assert "The call was made" in said["@error"]
        assert "ZeroDivisionError: a bug" in said["@error"]
        assert 'kept: "北京"' in said["@response"]


def varint(number: int) -> bytes:
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def delimited(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


# Most fields of these types have low numbers.
NUMBERS = st.one_of(st.integers(1, 12), st.integers(1, 60))
SCALARS = st.one_of(
    st.builds(lambda number, value: varint(number << 3) + varint(value), NUMBERS, st.integers(0, 2**64 - 1)),
    st.builds(lambda number, value: varint(number << 3 | 1) + value, NUMBERS, st.binary(min_size=8, max_size=8)),
    st.builds(lambda number, value: varint(number << 3 | 5) + value, NUMBERS, st.binary(min_size=4, max_size=4)),
    st.builds(delimited, NUMBERS, st.one_of(st.binary(max_size=20), st.text(max_size=10).map(str.encode))),
    st.builds(
        delimited,
        NUMBERS,
        st.sampled_from([b"type.googleapis.com/files.v1.Odd", b"a/google.api.HttpBody", b"image/png", PNG := b"\x89PNG\r\n\x1a\n"]),
    ),
)  # fmt: skip
WIRE = st.recursive(
    st.lists(SCALARS, max_size=6).map(b"".join),
    lambda inner: st.lists(st.one_of(SCALARS, st.builds(delimited, NUMBERS, inner)), max_size=6).map(
        b"".join
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(wire=WIRE)
def test_no_bytes_that_are_a_message_are_lost_or_raise(
    every_type: tuple[Descriptors, list[Descriptor]], wire: bytes
) -> None:
    descriptors, types = every_type
    encoder = Encoder(descriptors)
    for message in types:
        try:
            parsed = descriptors.message_class(message).FromString(wire)
        except DecodeError:
            continue
        stream = Stream(messages=(parsed, parsed), complete=True, reason="end")

        encode = encoder.compile(message)
        read = message_reader(encode, may_hold_files(message, descriptors))(parsed)
        streamed = stream_reader(encode, None)(stream)

        for each in (read, streamed):
            # protobuf itself cannot read the value of a key that is no UTF-8, which proto2 lets pass.
            assert each.bug is None or isinstance(each.bug, UnicodeDecodeError)
            assert json.loads(each.text) == each.structured


async def test_a_call_whose_answer_was_odd_is_no_error(broker: Broker) -> None:
    call = ToolCall(id="1", name="files_v1_FileService_GetOld", arguments='{"wire": "CgH/"}')

    assert not (await broker.call(call)).is_error
