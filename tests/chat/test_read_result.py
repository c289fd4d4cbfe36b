import json
import re
from typing import Any

import jsonschema
import orjson
import pytest

from broker.chat import read_result as tool
from broker.chat.kept_results import MAX_RESULTS, Kept, KeptResults, last_handle
from broker.chat.read_result import read_result
from broker.chat.tool_messages import tool_message
from broker.errors import Code
from broker.schema.profiles import PROFILES
from broker.tool import ToolCall, ToolResult

LIMIT = 2_000
RESULT: dict[str, Any] = {
    "items": [{"id": n, "body": f"{n} " * 3_000} for n in range(40)],
    "labels": {f"label {n}": n for n in range(500)},
    "total": 40,
}


def call(**arguments: Any) -> ToolCall:
    return ToolCall(id="call_9", name=tool.NAME, arguments=json.dumps(arguments))


@pytest.fixture
def results() -> KeptResults:
    return KeptResults(1_000_000)


def cut(results: KeptResults, structured: dict[str, Any], call_id: str = "call_1") -> Any:
    content = orjson.dumps(structured).decode()
    result = ToolResult(call_id=call_id, content=content, structured=structured)
    return tool_message(result, results, LIMIT)["content"]


def read_all(results: KeptResults, **arguments: Any) -> list[Any]:
    """The values of all pages, read as each page says."""
    pages: list[Any] = []
    offset: int | None = arguments.pop("offset", 0)
    while offset is not None:
        result = read_result(call(**arguments, offset=offset), results, LIMIT)
        assert not result.is_error, result.content
        assert len(result.content.encode()) <= LIMIT
        assert result.structured is not None
        assert orjson.loads(result.content) == result.structured
        assert result.structured["next_offset"] is None or result.structured["next_offset"] > offset
        pages.append(result.structured["value"])
        offset = result.structured["next_offset"]
    return pages


def test_what_was_cut_is_read_by_the_handle_path_and_offset_that_the_cut_text_names(
    results: KeptResults,
) -> None:
    shown = orjson.loads(cut(results, RESULT))

    assert "handle=r1" in shown["[cut]"]
    head, _, remark = shown["items"][0]["body"].partition("… ")
    match = re.match(r"\[[\d,]+ more characters: path=(\S+) offset=(\d+)\]", remark)
    assert match is not None
    path, offset = match[1], int(match[2])
    assert path == "items[0].body"
    rest = read_all(results, handle="r1", path=path, offset=offset)
    assert head + "".join(rest) == RESULT["items"][0]["body"]


def test_lists_are_paged_by_members_and_objects_by_keys(results: KeptResults) -> None:
    cut(results, RESULT)

    members = [one for page in read_all(results, handle="r1", path="items") for one in page]
    assert [one["id"] for one in members] == list(range(40))
    keys = {key: one for page in read_all(results, handle="r1", path="labels") for key, one in page.items()}
    assert keys == RESULT["labels"]


def test_text_and_failed_results_are_read_by_characters(results: KeptResults) -> None:
    text = '{"not": "read as JSON"} 汉字 ' * 500
    failed = ToolResult(call_id="call_1", content=text, code=Code.UNKNOWN)
    content = tool_message(failed, results, LIMIT)["content"]

    assert len(content.encode()) <= LIMIT
    assert "handle=r1" in content
    assert "".join(read_all(results, handle="r1")) == text


def test_a_short_result_is_handed_on_as_it_is_and_not_kept(results: KeptResults) -> None:
    assert cut(results, {"a": 1}) == '{"a":1}'
    assert results.handles == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"handle": "r7"}, 'There is no result "r7"; there are: r1.'),
        ({}, 'handle: required. Send the one that the cut result names, like "r1".'),
        ({"handle": "r1", "path": "item"}, 'Did you mean "items"?'),
        ({"handle": "r1", "path": "items[40]"}, '"items" has 40 members, counted from 0'),
        (
            {"handle": "r1", "path": "items", "offset": 40},
            "offset: 40 is beyond the end; there are 40 members",
        ),
        ({"handle": "r1", "path": "total", "offset": 1}, "offset: 1 is beyond the end"),
        ({"handle": "r1", "offset": -1}, "offset: expected an integer that is not negative, got number -1."),
        ({"handle": "r1", "offset": True}, "offset: expected an integer that is not negative, got true."),
        ({"handle": "r1", "path": 3}, "path: expected a string, got number 3."),
        ({"handle": "r1", "limit": 3}, 'there is no parameter "limit"; there are: handle, path, offset.'),
    ],
)
def test_a_wrong_argument_is_told_what_would_be_right(
    results: KeptResults, arguments: dict[str, Any], said: str
) -> None:
    cut(results, RESULT)

    result = read_result(call(**arguments), results, LIMIT)

    assert result.is_error
    assert said in result.content
    assert len(result.content) <= LIMIT


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"handle": "r1", "handle": "r2"}', '{"handle": NaN}', "[" * 5_000]
)
def test_arguments_that_are_no_object_are_refused(results: KeptResults, text: str) -> None:
    cut(results, RESULT)

    result = read_result(ToolCall(id="c", name=tool.NAME, arguments=text), results, LIMIT)

    assert (result.call_id, result.code) == ("c", Code.INVALID_ARGUMENT)


@pytest.mark.parametrize(
    "arguments",
    [
        {"handle": "r1", "path": None, "offset": None},
        {"handle": " r1 ", "path": "$", "offset": "0"},
        {"handle": "r1"},
    ],
)
def test_what_models_write_for_nothing_is_understood(results: KeptResults, arguments: dict[str, Any]) -> None:
    cut(results, RESULT)

    assert read_result(call(**arguments), results, LIMIT).structured is not None


def test_a_path_in_plain_text_is_refused(results: KeptResults) -> None:
    results.keep("call_1", Kept(text="x" * 5_000, is_json=False))

    assert "leave the path out" in read_result(call(handle="r1", path="a"), results, LIMIT).content


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    results = KeptResults(25)
    for number in range(3):
        results.keep(f"call_{number}", Kept(text="汉" * 3, is_json=False))

    assert results.handles == ("r2", "r3")
    assert results.handle_of("call_0") == "r1"
    assert results.keep("call_3", Kept(text="x" * 26, is_json=False)) is None
    assert results.handles == ("r2", "r3")


def test_the_oldest_go_when_there_are_too_many() -> None:
    results = KeptResults(1_000_000)
    for number in range(MAX_RESULTS + 5):
        results.keep(f"call_{number}", Kept(text="x", is_json=False))

    assert len(results.handles) == MAX_RESULTS
    assert results.handles[0] == "r6"


def test_a_call_has_one_handle(results: KeptResults) -> None:
    kept = Kept(text="x", is_json=False)

    assert results.keep("call_1", kept) == results.keep("call_1", kept) == "r1"


def test_a_result_too_large_to_keep_is_cut_and_says_so() -> None:
    shown = orjson.loads(cut(KeptResults(1_000), RESULT))

    assert "is not kept" in shown["[cut]"]
    assert "path=" not in json.dumps(shown)


def test_another_process_reads_on_and_gives_no_handle_twice(results: KeptResults) -> None:
    cut(results, RESULT, "call_1")
    saved = json.loads(json.dumps(results.to_json()))
    resumed = KeptResults.from_json(saved, 1_000_000)

    assert read_all(resumed, handle="r1", path="total") == [40]
    assert resumed.handle_of("call_1") == "r1"
    assert resumed.keep("call_2", Kept(text="x", is_json=False)) == "r2"


def test_what_is_saved_is_bounded_and_the_newest_come_first(results: KeptResults) -> None:
    for number in range(3):
        results.keep(f"call_{number}", Kept(text="x" * 10, is_json=False))

    assert KeptResults.from_json(results.to_json(max_bytes=25), 1_000).handles == ("r2", "r3")
    assert KeptResults.from_json(results.to_json(), 15).handles == ("r3",)


@pytest.mark.parametrize(
    "saved",
    [
        None,
        {},
        {"last": -1, "calls": {}, "results": []},
        {"last": 1, "calls": {"a": "x"}, "results": []},
        {"last": 1, "calls": [], "results": []},
        {"last": 1, "calls": {}, "results": [{"handle": "r1", "text": 3, "is_json": True}]},
        {"last": 1, "calls": {}, "results": [{"handle": "r1"}]},
    ],
)
def test_what_was_not_saved_by_us_is_refused(saved: Any) -> None:
    with pytest.raises(ValueError, match="not saved by the broker"):
        KeptResults.from_json(saved, 1_000)


def test_handles_that_a_conversation_names_are_not_given_again(results: KeptResults) -> None:
    content = cut(results, RESULT)
    messages = [
        {"role": "user", "content": "handle=r99"},
        {"role": "tool", "tool_call_id": "a", "content": content},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "handle=r4"}, {}]},
    ]

    assert last_handle(messages) == 4
    assert KeptResults(1_000, messages).keep("c", Kept(text="x", is_json=False)) == "r5"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_definition_has_the_form_of_the_profile(profile: str) -> None:
    definition = tool.definition(profile)

    about = definition.get("function", definition)
    schema = next(about[key] for key in ("parameters", "inputSchema", "input_schema") if key in about)
    assert about["name"] == "read_result"
    assert list(schema["properties"]) == ["handle", "path", "offset"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"handle": "r1", "path": "items", "offset": 3}, schema)


def test_the_strict_definition_is_closed_and_takes_null_for_nothing() -> None:
    about = tool.definition("openai-strict")["function"]

    assert about["strict"] is True
    assert about["parameters"]["required"] == ["handle", "path", "offset"]
    assert about["parameters"]["additionalProperties"] is False
    jsonschema.validate({"handle": "r1", "path": None, "offset": None}, about["parameters"])
    assert tool.definition("openai")["function"]["strict"] is False
    assert "additionalProperties" not in tool.definition("gemini")["parameters"]
