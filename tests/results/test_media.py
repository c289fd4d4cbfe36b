"""Files in responses: what of them a model reads, and what goes beside the JSON."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from broker.descriptors.pool import Descriptors
from broker.dispatch import Broker
from broker.schema.media import MAX_BYTES, MAX_FILES, MAX_TEXT, encode_file, gather
from broker.schema.profiles import render, strict_problem
from broker.servers.chat_messages import tool_result
from broker.tool import Media, Prepared, ToolCall, ToolResult

Answer = Callable[..., Awaitable[ToolResult]]
New = Callable[..., Any]
BODY = "google.api.HttpBody"

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
GIF = b"GIF89a" + bytes(20)
WEBP = b"RIFF\x10\x00\x00\x00WEBP" + bytes(20)


@pytest.mark.parametrize(
    ("content_type", "data", "shown", "text"),
    [
        pytest.param("text/plain", b"hi", "text/plain", "hi", id="text"),
        pytest.param("text/html; charset=ISO-8859-1", b"\xe9", "text/html", "é", id="a charset"),
        pytest.param('text/plain;charset="GB18030"', "北京".encode("gb18030"), "text/plain", "北京", id="GB"),
        pytest.param("Application/JSON", b'{"a": 1}', "application/json", '{"a": 1}', id="JSON"),
        pytest.param("application/problem+json", b"{}", "application/problem+json", "{}", id="+json"),
        pytest.param("image/svg+xml", b"<svg/>", "image/svg+xml", "<svg/>", id="SVG is text"),
    ],
)
async def test_a_response_that_is_text_is_read_as_text(
    new: New, answer: Answer, content_type: str, data: bytes, shown: str, text: str
) -> None:
    result = await answer("Download", new(BODY, content_type=content_type, data=data))

    assert result.structured == {"content_type": shown, "bytes": len(data), "text": text}
    assert result.media == ()


@pytest.mark.parametrize(
    ("content_type", "data", "shown"),
    [
        pytest.param("image/png", PNG, "image/png", id="PNG"),
        pytest.param("image/jpeg", JPEG, "image/jpeg", id="JPEG"),
        pytest.param("image/gif", GIF, "image/gif", id="GIF"),
        pytest.param("image/webp", WEBP, "image/webp", id="WebP"),
        pytest.param("image/png", JPEG, "image/jpeg", id="another image than is said"),
        pytest.param("image/png", b"<html>", "application/octet-stream", id="no image at all"),
        pytest.param("", PNG, "image/png", id="an image of which nothing is said"),
        pytest.param("application/octet-stream", WEBP, "image/webp", id="an image that is said to be bytes"),
        pytest.param("image/*", b"?", "application/octet-stream", id="some image that is none"),
        pytest.param("application/pdf", b"%PDF", "application/pdf", id="another file"),
        pytest.param("audio/wav", WEBP, "audio/wav", id="what is said is kept where it is no image"),
        pytest.param("a lie\r\nx: y", b"?", "application/octet-stream", id="no media type"),
        pytest.param("text/plain", b"\xff\xfe\xff", "text/plain", id="text that is no UTF-8"),
        pytest.param("text/plain; charset=unicode_escape", b"a", "text/plain", id="a codec of Python"),
    ],
)
async def test_any_other_file_goes_beside_the_json_which_names_its_place(
    new: New, answer: Answer, content_type: str, data: bytes, shown: str
) -> None:
    result = await answer("Download", new(BODY, content_type=content_type, data=data))

    assert result.structured == {"content_type": shown, "bytes": len(data), "media": 0}
    assert result.media == (Media(media_type=shown, data=data),)
    assert base64.b64encode(data).decode() not in result.content


async def test_a_body_without_data_is_said_to_have_none(new: New, answer: Answer) -> None:
    result = await answer("Download", new(BODY, content_type="image/png"))

    assert result.structured == {"content_type": "image/png", "bytes": 0}
    assert result.media == ()


async def test_what_a_body_says_beside_its_data_is_kept(new: New, answer: Answer) -> None:
    body = new(BODY, content_type="text/plain", data=b"a")
    body.extensions.add().Pack(new("Part", data=b"hi"))

    result = await answer("Download", body)

    assert result.structured is not None
    assert result.structured["extensions"] == [{"@type": "type.googleapis.com/files.v1.Part", "data": "aGk="}]


async def test_a_long_text_is_cut_and_comes_whole_beside_the_json(new: New, answer: Answer) -> None:
    data = b"x" * (MAX_TEXT + 7)

    result = await answer("Download", new(BODY, content_type="text/csv", data=data))

    assert result.structured is not None
    assert result.structured["text"] == "x" * MAX_TEXT
    assert (result.structured["truncated"], result.structured["media"]) == ("7 more characters", 0)
    assert result.media == (Media(media_type="text/csv", data=data),)


async def test_the_files_of_a_message_are_in_its_order_wherever_they_lie(new: New, answer: Answer) -> None:
    album = new("Album", title="t", cover=JPEG, pages=[PNG, PNG + b"2"])
    album.original.data = GIF
    album.by_name["k"].data = WEBP
    album.any.Pack(new("Album", cover=PNG + b"3"))

    result = await answer("GetAlbum", album)

    assert result.structured is not None
    structured = json.loads(result.content)
    cover, original, any_cover = structured["cover"], structured["original"], structured["any"]["cover"]
    files = [cover, *structured["pages"], original, structured["by_name"]["k"], any_cover]
    assert [result.media[file["media"]].data for file in files] == [
        JPEG,
        PNG,
        PNG + b"2",
        GIF,
        WEBP,
        PNG + b"3",
    ]
    assert sorted(file["media"] for file in files) == [0, 1, 2, 3, 4, 5]
    assert [file["content_type"] for file in files] == [
        result.media[file["media"]].media_type for file in files
    ]


async def test_bytes_of_which_nothing_is_said_are_not_looked_into(new: New, answer: Answer) -> None:
    result = await answer("GetAlbum", new("Album", raw=PNG))

    assert result.structured is not None
    assert result.structured["raw"] == base64.b64encode(PNG).decode()
    assert result.media == ()


async def test_a_field_that_is_said_to_hold_text_is_read_as_text(new: New, answer: Answer) -> None:
    result = await answer("GetAlbum", new("Album", notes="# 北京".encode()))

    assert result.structured is not None
    assert result.structured["notes"] == {"content_type": "text/markdown", "bytes": 8, "text": "# 北京"}


async def test_a_file_that_is_not_there_is_not_shown(new: New, answer: Answer) -> None:
    result = await answer("GetAlbum", new("Album"))

    assert result.structured == {"title": "", "pages": [], "by_name": {}, "raw": ""}


async def test_more_files_than_a_result_holds_are_left_out_and_it_says_so(new: New, answer: Answer) -> None:
    result = await answer("GetAlbum", new("Album", pages=[PNG] * (MAX_FILES + 2)))

    assert result.structured is not None
    assert len(result.media) == MAX_FILES
    last = result.structured["pages"][-1]
    assert "media" not in last
    assert "at most 16 files" in last["omitted"]


def test_more_bytes_than_a_result_holds_are_left_out_and_what_still_fits_is_taken() -> None:
    encoded = [encode_file("a/b", bytes(size)) for size in (MAX_BYTES - 1, 2, 1)]

    taken = gather(encoded)

    assert [len(media.data) for media in taken] == [MAX_BYTES - 1, 1]
    assert [file.get("media") for file in encoded] == [0, None, 1]
    assert "8,388,608 bytes" in encoded[1]["omitted"]


@pytest.mark.parametrize("method", ["DownloadParts", "ReadParts"])
async def test_a_file_that_comes_in_parts_is_one_file(new: New, answer: Answer, method: str) -> None:
    text = "北京" * 50
    body = new(BODY, content_type="text/plain", data=text.encode())
    whole = body if method == "DownloadParts" else new("Part", data=text.encode())

    result = await answer(method, whole, size=7)

    assert result.structured is not None
    (message,) = result.structured["messages"]
    assert result.structured["count"] == 1
    assert message.get("text", message.get("data")) in (text, base64.b64encode(text.encode()).decode())


async def test_a_body_as_a_request_has_its_data_in_base64(broker: Broker) -> None:
    arguments = {"content_type": "text/plain", "data": "aGVsbG8="}
    call = ToolCall(id="1", name="files_v1_FileService_Send", arguments=json.dumps(arguments))

    result = await broker.call(call)

    assert result.structured == {"content_type": "text/plain", "bytes": 5, "text": "hello"}


async def test_a_request_that_holds_files_is_shown_as_it_will_be_sent(broker: Broker) -> None:
    arguments = {"content_type": "image/png", "data": base64.b64encode(PNG).decode()}
    call = ToolCall(id="1", name="files_v1_FileService_Send", arguments=json.dumps(arguments))
    prepared = broker.prepare(call)
    assert isinstance(prepared, Prepared)

    shown = json.loads(broker.catalog.request_json(prepared))

    assert shown == {**arguments, "extensions": []}


def test_a_body_as_a_request_is_described_as_it_is_and_is_not_strict(
    broker: Broker, descriptors: Descriptors
) -> None:
    tool = broker.catalog.get("files_v1_FileService_Send")
    assert tool is not None

    schema = render(tool, descriptors, "mcp")["inputSchema"]

    assert schema["properties"]["data"]["contentEncoding"] == "base64"
    assert "extensions" in (strict_problem(tool, descriptors) or "")


def test_the_output_schema_says_how_a_file_is_shown(broker: Broker, descriptors: Descriptors) -> None:
    whole, album = (broker.catalog.get(f"files_v1_FileService_{name}") for name in ("Download", "GetAlbum"))
    assert whole is not None
    assert album is not None

    body = render(whole, descriptors, "mcp")["outputSchema"]["properties"]
    fields = render(album, descriptors, "mcp")["outputSchema"]["properties"]

    shown = {"content_type", "bytes", "text", "truncated", "media", "omitted"}
    assert set(body) == {*shown, "extensions"}
    assert set(fields["original"]["properties"]) == {*shown, "extensions"}
    assert set(fields["cover"]["properties"]) == shown
    assert set(fields["pages"]["items"]["properties"]) == shown
    assert fields["raw"] == {"type": "string"}


async def test_a_file_in_an_any_of_a_message_without_files_is_one_too(new: New, answer: Answer) -> None:
    odd = new("Odd")
    odd.any.Pack(new(BODY, data=PNG))

    result = await answer("GetOdd", odd)

    assert result.structured is not None
    assert result.structured["any"]["media"] == 0
    assert result.media == (Media(media_type="image/png", data=PNG),)


async def test_files_travel_over_the_brokers_own_api(new: New, answer: Answer) -> None:
    result = await answer("Download", new(BODY, data=PNG))

    sent = tool_result(result)

    assert [(media.media_type, media.data) for media in sent.media] == [("image/png", PNG)]
