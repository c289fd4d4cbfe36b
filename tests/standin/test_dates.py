"""Dates and times of day, as people write them in English and in Chinese."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.standin.dates import find_dates, find_times

MONDAY = date(2026, 3, 2)
patient = settings(deadline=None, max_examples=50)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-08", "2026-03-08"),
        ("2026/3/8", "2026-03-08"),
        ("2026.03.08", "2026-03-08"),
        ("March 8", "2026-03-08"),
        ("Mar. 8th, 2027", "2027-03-08"),
        ("8 March 2027", "2027-03-08"),
        ("the 8th of Sept", "2026-09-08"),
        ("December 30", "2026-12-30"),
        ("February 20", "2026-02-20"),
        ("February 29", "2028-02-29"),
        ("today", "2026-03-02"),
        ("tonight", "2026-03-02"),
        ("Tomorrow", "2026-03-03"),
        ("the day after tomorrow", "2026-03-04"),
        ("yesterday", "2026-03-01"),
        ("in two weeks", "2026-03-16"),
        ("in a day", "2026-03-03"),
        ("3 days ago", "2026-02-27"),
        ("two days from now", "2026-03-04"),
        ("Friday", "2026-03-06"),
        ("this Monday", "2026-03-02"),
        ("next Monday", "2026-03-09"),
        ("last Friday", "2026-02-27"),
        ("2026年3月8日", "2026-03-08"),
        ("二〇二七年三月八日", "2027-03-08"),
        ("3月8号", "2026-03-08"),
        ("十二月三十日", "2026-12-30"),
        ("大后天", "2026-03-05"),
        ("明晚", "2026-03-03"),
        ("前天", "2026-02-28"),
        ("三天后", "2026-03-05"),
        ("两周之后", "2026-03-16"),
        ("5天前", "2026-02-25"),
        ("周五", "2026-03-06"),
        ("星期天", "2026-03-08"),
        ("本周日", "2026-03-08"),
        ("下周一", "2026-03-09"),
        ("上个星期三", "2026-02-25"),
    ],
)
def test_a_date_is_read(text: str, expected: str) -> None:
    assert [str(span.value) for span in find_dates(f"on {text}, x", MONDAY)] == [expected]


@pytest.mark.parametrize(
    "text",
    ["2026-02-31", "13月1日", "March 40", "May", "in 99999 years", "两周一次", "12026-03-01", "marching 8"],
)
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert find_dates(text, MONDAY) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15:30", "15:30:00"),
        ("15:30:45", "15:30:45"),
        ("3pm", "15:00:00"),
        ("3:05 p.m.", "15:05:00"),
        ("12 am", "00:00:00"),
        ("12 pm", "12:00:00"),
        ("5 o'clock", "05:00:00"),
        ("noon", "12:00:00"),
        ("midnight", "00:00:00"),
        ("T08:00:00Z", "08:00:00+00:00"),
        ("08:00-05:30", "08:00:00-05:30"),
        ("三点", "03:00:00"),
        ("下午三点半", "15:30:00"),
        ("晚上8点15分", "20:15:00"),
        ("上午九点一刻", "09:15:00"),
        ("凌晨12点", "00:00:00"),
    ],
)
def test_a_time_of_day_is_read(text: str, expected: str) -> None:
    assert [str(span.value) for span in find_times(f"at {text} x")] == [expected]


@pytest.mark.parametrize("text", ["25:00", "10:99", "30点", "3:5", "12:30+99:00", "三时间"])
def test_what_is_no_time_is_left_alone(text: str) -> None:
    assert find_times(text) == []


@patient
@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_every_written_date_is_read_in_each_form(day: date) -> None:
    forms = (
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year}",
        f"{day.day} {day:%b} {day.year}",
        f"{day.year}年{day.month}月{day.day}日",
    )
    for form in forms:
        assert [span.value for span in find_dates(form, MONDAY)] == [day]


@patient
@given(st.times(timezones=st.none()).map(lambda moment: moment.replace(microsecond=0)))
def test_every_written_time_is_read(moment: time) -> None:
    assert [span.value for span in find_times(moment.isoformat())] == [moment]


@patient
@given(st.integers(0, 5_000))
def test_days_are_counted_both_ways(days: int) -> None:
    assert [span.value for span in find_dates(f"in {days} days", MONDAY)] == [MONDAY + timedelta(days=days)]
    assert [span.value for span in find_dates(f"{days}天前", MONDAY)] == [MONDAY - timedelta(days=days)]
