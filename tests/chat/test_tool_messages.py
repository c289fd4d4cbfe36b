import base64
from typing import Any

import orjson
import pytest

from broker.chat.kept_results import KeptResults
from broker.chat.tool_messages import MAX_IMAGE_BYTES, MAX_IMAGES, tool_message
from broker.errors import Code
from broker.tool import Media, ToolResult

PNG = Media(media_type="image/png", data=b"\x89PNG\r\n")


def parts(*media: Media, content: str = '{"media":0}') -> list[dict[str, Any]]:
    result = ToolResult(call_id="call_1", content=content, structured={"media": 0}, media=media)
    message = tool_message(result, KeptResults(1_000_000), 2_000)
    assert (message["role"], message["tool_call_id"]) == ("tool", "call_1")
    found: list[dict[str, Any]] = message["content"]
    return found


def words(found: list[dict[str, Any]]) -> list[str]:
    return [part["text"] for part in found if part["type"] == "text"]


def images(found: list[dict[str, Any]]) -> list[str]:
    return [part["image_url"]["url"] for part in found if part["type"] == "image_url"]


def test_a_result_without_media_is_a_text() -> None:
    result = ToolResult(call_id="call_1", content="Not found.", code=Code.NOT_FOUND)

    assert tool_message(result, KeptResults(0), 2_000) == {
        "role": "tool",
        "tool_call_id": "call_1",
        "content": "Not found.",
    }


def test_an_image_follows_the_text_and_is_told_by_its_place() -> None:
    found = parts(PNG)

    assert words(found) == ['{"media":0}', "[media 0: image/png, 6 bytes]"]
    assert images(found) == [f"data:image/png;base64,{base64.b64encode(PNG.data).decode()}"]
    assert found[-1]["type"] == "image_url"


@pytest.mark.parametrize("media_type", ["application/pdf", "image/svg+xml", "audio/wav"])
def test_a_file_that_models_do_not_see_is_said_in_words(media_type: str) -> None:
    found = parts(Media(media_type=media_type, data=b"1234"))

    assert images(found) == []
    assert words(found)[1] == f"[media 0: {media_type}, 4 bytes; this kind of file cannot be shown here]"


def test_more_images_than_are_handed_on_are_said_in_words() -> None:
    found = parts(*[PNG] * (MAX_IMAGES + 2))

    assert len(images(found)) == MAX_IMAGES
    assert sum("too many or too large" in text for text in words(found)) == 2


def test_an_image_that_is_too_large_is_said_in_words_and_does_not_hold_back_others() -> None:
    large = Media(media_type="image/png", data=bytes(MAX_IMAGE_BYTES + 1))
    found = parts(large, PNG)

    assert len(images(found)) == 1
    assert "media 0" in words(found)[1]
    assert "too large" in words(found)[1]


def test_images_that_are_too_large_together_are_said_in_words() -> None:
    half = Media(media_type="image/png", data=bytes(MAX_IMAGE_BYTES // 2))

    assert len(images(parts(half, half, half))) == 2


def test_a_thousand_files_are_not_all_named() -> None:
    found = parts(*[Media(media_type="text/csv", data=b"")] * 1_000)

    assert len(found) == 102
    assert words(found)[-1] == "[900 more files]"


def test_the_text_beside_images_fits_too() -> None:
    found = parts(PNG, content="x" * 5_000)

    assert len(found[0]["text"]) <= 2_000


@pytest.mark.parametrize(
    ("remark", "kept"), [("\nNote: days was left out.", True), ("\n" + "x" * 5_000, False)]
)
def test_what_is_said_after_the_json_of_a_cut_result_is_kept_where_there_is_room(
    remark: str, kept: bool
) -> None:
    structured = {"text": "汉字" * 5_000}
    content = orjson.dumps(structured).decode() + remark
    result = ToolResult(call_id="call_1", content=content, structured=structured)

    text = tool_message(result, KeptResults(1_000_000), 2_000)["content"]

    assert len(text.encode()) <= 2_000
    assert text.endswith(remark) == kept
    assert "handle=r1" in text
