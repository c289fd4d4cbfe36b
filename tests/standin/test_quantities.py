"""Numbers with what they count, as people write them in English and in Chinese."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.standin.quantities import find_numbers

patient = settings(deadline=None, max_examples=50)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 days", [(5, "days")]),
        ("-2.5", [(-2.5, "")]),
        ("1,234,567", [(1234567, "")]),
        ("20%", [(20, "%")]),
        ("3万元", [(30000, "元")]),
        ("5km", [(5, "km")]),
        ("two hundred and five apples", [(205, "apples")]),
        ("twenty-one", [(21, "")]),
        ("three thousand", [(3000, "")]),
        ("an hour", [(1, "hour")]),
        ("两个小时", [(2, "小时")]),
        ("一百零五人", [(105, "人")]),
        ("二十四", [(24, "")]),
        ("三", [(3, "")]),
        ("三天和十天", [(3, "天"), (10, "天")]),
        ("2 or 3 days", [(2, ""), (3, "days")]),
    ],
)
def test_a_number_is_read_with_its_unit(text: str, expected: list[tuple[float, str]]) -> None:
    assert [(span.value, span.unit) for span in find_numbers(text)] == expected


@pytest.mark.parametrize(
    "text",
    ["GPT4", "v1.2", "一个", "一位", "三思而行", "百感交集", "第三天", "someone", "one of them", "a tree"],
)
def test_what_counts_nothing_is_no_number(text: str) -> None:
    assert find_numbers(text) == []


@patient
@given(st.integers(-(10**30), 10**30))
def test_every_whole_number_is_read(number: int) -> None:
    assert [span.value for span in find_numbers(f"take {number} now")] == [number]


@patient
@given(st.integers(0, 10**11))
def test_every_chinese_number_is_read(number: int) -> None:
    assert [span.value for span in find_numbers(f"{_in_chinese(number)}天")] == [number]


def _in_chinese(number: int) -> str:
    if number < 10:
        return "零一二三四五六七八九"[number]
    for power, sign in ((10**8, "亿"), (10**4, "万"), (1_000, "千"), (100, "百"), (10, "十")):
        if number >= power:
            high, low = divmod(number, power)
            return _in_chinese(high) + sign + (_gap(low, power) + _in_chinese(low) if low else "")
    raise AssertionError(number)


def _gap(low: int, power: int) -> str:
    """一百零五: a zero where a place is left out."""
    return "零" if low < power // 10 else ""
