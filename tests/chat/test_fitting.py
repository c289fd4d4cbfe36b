import re
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.chat.fitting import MIN_LIMIT, fit_json, fit_text, fits, page
from broker.chat.paths import find

# Brackets and ellipses are left to the remarks, so that these are told from what was there.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]…"), max_size=40)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(TEXT, inner, max_size=6)),
    max_leaves=12,
)
RESULT = st.dictionaries(TEXT, VALUE, max_size=8)
TIMES = st.integers(1, 16)


def grown(value: Any, times: int) -> Any:
    """The value with so many times longer texts and lists, deeper ones less."""
    if isinstance(value, str):
        return value * times * times
    if isinstance(value, list):
        return [grown(one, times // 2 or 1) for one in value] * times
    if isinstance(value, dict):
        return {key: grown(one, times // 2 or 1) for key, one in value.items()}
    return value


MORE = re.compile(r"\[([\d,]+) more (characters|members|keys)(?:: (?:path=(.*) )?offset=(\d+))?\]", re.DOTALL)
WHOLE = re.compile(
    r"\[an? (list|object|string|number)(?: (?:of|with) ([\d,]+) \w+)?(?:: path=(.*))?\]|…", re.DOTALL
)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def check(shown: Any, whole: Any, root: Any) -> None:
    """That `shown` is a part of `whole`, and each remark says exactly what is missing and where it is."""
    if shown == whole:
        return
    left_out = WHOLE.fullmatch(shown) if isinstance(shown, str) else None
    if left_out is not None:
        kind, count, path = left_out.groups()
        assert (
            kind is None or type(whole).__name__ in {"list": "list", "object": "dict", "string": "str"}[kind]
        )
        assert count is None or number(count) == len(whole)
        assert path is None or find(root, path) == whole
    elif isinstance(whole, str):
        remark = MORE.search(shown)
        assert remark is not None
        head, tail = shown[: remark.start()].removesuffix("… "), shown[remark.end() :].removeprefix(" …")
        assert whole.startswith(head)
        assert whole.endswith(tail)
        check_remark(remark, "characters", len(whole) - len(head) - len(tail), len(head), whole, root)
    elif isinstance(whole, list):
        *members, rest = shown if len(shown) <= len(whole) else [*shown, None]
        remark = MORE.fullmatch(rest) if isinstance(rest, str) else None
        if remark is None:
            members = shown
            assert len(shown) == len(whole)
        else:
            check_remark(remark, "members", len(whole) - len(members), len(members), whole, root)
        for one, other in zip(members, whole, strict=False):
            check(one, other, root)
    else:
        keys = [key for key in shown if not key.startswith(("[more]", "[cut]"))]
        assert keys == list(whole)[: len(keys)]
        if len(keys) < len(whole):
            remark = MORE.fullmatch(shown["[more]"])
            assert remark is not None
            check_remark(remark, "keys", len(whole) - len(keys), len(keys), whole, root)
        for key in keys:
            check(shown[key], whole[key], root)


def check_remark(remark: re.Match[str], unit: str, missing: int, first: int, whole: Any, root: Any) -> None:
    count, said_unit, path, offset = remark.groups()
    assert (number(count), said_unit) == (missing, unit)
    assert missing > 0
    if offset is not None:
        assert int(offset) == first
        assert find(root, path or "") == whole


@settings(deadline=None)
@given(RESULT, TIMES, st.integers(MIN_LIMIT, 8_000), st.sampled_from(["r1", None]))
def test_a_cut_result_fits_and_is_json_and_says_exactly_what_is_missing(
    result: dict[str, Any], times: int, limit: int, handle: str | None
) -> None:
    result = grown(result, times)

    text = fit_json(result, limit, handle)

    assert len(text.encode()) <= limit
    shown = orjson.loads(text)
    assert next(iter(shown)) == "[cut]"
    assert ("handle=r1" in shown["[cut]"]) == (handle is not None)
    check({key: value for key, value in shown.items() if key != "[cut]"}, result, result)


@settings(deadline=None)
@given(TEXT, st.integers(1, 300), st.integers(MIN_LIMIT, 4_000))
def test_a_cut_text_fits_and_keeps_its_beginning_and_end(text: str, times: int, limit: int) -> None:
    text = text * times + "some more" * 500
    cut = fit_text(text, limit, "r7")

    assert len(cut.encode()) <= limit
    note, _, shown = cut.partition("\n\n")
    assert "handle=r7" in note
    assert shown.endswith("more")
    check(shown, text, text)


@settings(deadline=None)
@given(VALUE, TIMES, st.integers(MIN_LIMIT, 3_000))
def test_pages_go_through_a_value_to_its_end(value: Any, times: int, limit: int) -> None:
    value = grown(value, times)

    offset, pages = 0, []
    while True:
        read = page(value, limit, "", offset)
        assert len(orjson.dumps(read.value)) <= limit
        pages.append(read.value)
        offset += read.count
        if offset >= read.total:
            break
        assert read.count > 0

    if isinstance(value, str):
        assert "".join(pages) == value
    elif isinstance(value, list):
        for shown, whole in zip([one for part in pages for one in part], value, strict=True):
            check(shown, whole, value)
    elif isinstance(value, dict):
        merged = {key: one for part in pages for key, one in part.items()}
        assert list(merged) == list(value)
        for key, shown in merged.items():
            check(shown, value[key], value)


def test_one_giant_field_does_not_hide_the_others() -> None:
    others = {f"field_{n}": "x" * 20 for n in range(20)}
    shown = orjson.loads(fit_json({"giant": "y" * 1_000_000, **others}, 4_000, "r1"))

    assert {key: shown[key] for key in others} == others
    assert len(shown["giant"]) > 2_000


def test_giants_share_what_the_small_ones_leave() -> None:
    shown = orjson.loads(fit_json({"a": "y" * 90_000, "b": "tiny", "c": "z" * 90_000}, 8_000, "r1"))

    assert shown["b"] == "tiny"
    assert min(len(shown["a"]), len(shown["c"])) > 3_000


def test_the_first_members_of_a_list_stay_whole() -> None:
    items = [{"id": n, "name": f"number {n}", "tags": ["a", "b"]} for n in range(1_000)]
    shown = orjson.loads(fit_json({"items": items, "next_page_token": "t"}, 4_000, "r1"))

    *members, rest = shown["items"]
    assert members == items[: len(members)]
    assert len(members) > 50
    assert rest == f"[{1_000 - len(members)} more members: path=items offset={len(members)}]"
    assert shown["next_page_token"] == "t"


def test_members_that_are_all_too_long_are_each_shown_in_part() -> None:
    documents = [{"title": f"Document {n}", "body": "lorem ipsum " * 5_000} for n in range(3)]
    shown = orjson.loads(fit_json({"documents": documents}, 6_000, "r1"))

    assert [one["title"] for one in shown["documents"]] == ["Document 0", "Document 1", "Document 2"]
    assert all(len(one["body"]) > 1_000 for one in shown["documents"])
    assert "path=documents[2].body offset=" in shown["documents"][2]["body"]


def test_a_long_text_in_a_result_keeps_its_end() -> None:
    log = "starting\n" * 5_000 + "panic: disk is full"
    shown = orjson.loads(fit_json({"log": log}, 2_000, "r1"))

    assert shown["log"].startswith("starting")
    assert shown["log"].endswith("panic: disk is full")


def test_a_key_that_looks_like_a_remark_is_kept() -> None:
    result = {"[cut]": "mine", "[more]": "mine too", "a": "x" * 5_000}
    shown = orjson.loads(fit_json(result, 1_000, "r1"))

    assert (shown["[cut]"], shown["[more]"]) == ("mine", "mine too")
    assert "handle=r1" in shown["[cut]…"]


def nested(depth: int, inner: Any) -> dict[str, Any]:
    value = {"leaf": inner}
    for _ in range(depth):
        value = {"children": [value], "note": "n" * 10}
    return value


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({"items": list(range(1_000_000))}, id="a million numbers"),
        pytest.param({"items": [{"id": n} for n in range(300_000)]}, id="many objects"),
        pytest.param({str(n): {"v": n} for n in range(300_000)}, id="many keys"),
        pytest.param({"text": "汉\n" * 2_500_000, "n": 1}, id="ten megabytes in one string"),
        pytest.param({"k" * 5_000_000: 1, "a": 2}, id="a giant key"),
        pytest.param(nested(100, "x" * 5_000_000), id="a giant a hundred messages deep"),
        pytest.param(nested(100, list(range(500_000))), id="a long list a hundred messages deep"),
        pytest.param({f"k{n}": "x" * (100 + n * 13) for n in range(3_000)}, id="all of different lengths"),
    ],
)
def test_the_worst_results_are_cut_too(result: dict[str, Any]) -> None:
    for limit in (1_000, 45_700):
        text = fit_json(result, limit, "r1")
        assert len(text.encode()) <= limit
        assert orjson.loads(text)


def test_what_lies_deep_is_reached() -> None:
    shown = orjson.loads(fit_json(nested(20, "x" * 50_000), 8_000, "r1"))

    for _ in range(20):
        shown = shown["children"][0]
    assert len(shown["leaf"]) > 3_000


@given(st.text(max_size=60), st.integers(0, 200))
def test_the_limit_is_of_utf8(text: str, limit: int) -> None:
    assert fits(text, limit) == (len(text.encode(errors="replace")) <= limit)
