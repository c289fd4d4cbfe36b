"""Text and today's date → the dates and the times of day that the text names, in English and Chinese."""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, time, timedelta, timezone

from broker.standin.lexicon import NUMBER_WORDS
from broker.standin.quantities import parse_han, parse_words
from broker.standin.spans import HAN_NUMERAL, Kind, Span

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH_NUMBER = {name[:length]: at for at, name in enumerate(_MONTHS, 1) for length in (3, 4, len(name))}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RELATIVE = {
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "day before yesterday": -2,
    "tomorrow": 1,
    "yesterday": -1,
    "today": 0,
    "tonight": 0,
    "大后天": 3,
    "后天": 2,
    "明天": 1,
    "明日": 1,
    "明早": 1,
    "明晚": 1,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "今早": 0,
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨日": -1,
    "昨晚": -1,
}
_UNIT_DAYS = {
    "day": 1,
    "week": 7,
    "month": 30,
    "year": 365,
    "天": 1,
    "日": 1,
    "周": 7,
    "星期": 7,
    "月": 30,
    "年": 365,
}
_JUST_BEEN = timedelta(days=31)
_WEEK_SHIFT = {"上上": -14, "上": -7, "这": 0, "本": 0, "下": 7, "下下": 14}

_COUNT = rf"(?P<count>\d{{1,5}}|{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))}|an?)"
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_NUMBER, key=len, reverse=True))})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_HAN_COUNT = rf"(?:\d{{1,4}}|{HAN_NUMERAL})"

Match = re.Match[str]


def find_dates(text: str, today: date) -> list[Span]:
    """Every date of a text, in its order; `today` is what relative ones are counted from.

    >>> monday = date(2026, 3, 2)
    >>> [str(span.value) for span in find_dates("2026-03-01, May 5, tomorrow, next Friday", monday)]
    ['2026-03-01', '2026-05-05', '2026-03-03', '2026-03-06']
    >>> [str(span.value) for span in find_dates("3月8日、后天、下周一和三天后", monday)]
    ['2026-03-08', '2026-03-04', '2026-03-09', '2026-03-05']
    """
    found: list[Span] = []
    for pattern, read in _RULES:
        for match in pattern.finditer(text):
            value = _valid(read, match, today)
            if value is not None and not any(_overlap(span, match) for span in found):
                found.append(Span(start=match.start(), end=match.end(), kind=Kind.DATE, value=value))
    return sorted(found, key=lambda span: span.start)


def find_times(text: str) -> list[Span]:
    """Every time of day of a text, in its order.

    >>> [str(span.value) for span in find_times("15:30, 3pm, 9:05 am, noon, 下午三点半, T08:00:00Z")]
    ['15:30:00', '15:00:00', '09:05:00', '12:00:00', '15:30:00', '08:00:00+00:00']
    """
    return sorted(_times(text), key=lambda span: span.start)


def date_time(day: date, at: time | None) -> str:
    """RFC 3339; midnight and UTC where the text does not say.

    >>> date_time(date(2026, 3, 1), None)
    '2026-03-01T00:00:00Z'
    """
    text = f"{day.isoformat()}T{(at or time()).isoformat()}"
    return text.replace("+00:00", "Z") if at is not None and at.tzinfo is not None else f"{text}Z"


def _overlap(span: Span, match: Match) -> bool:
    return span.start < match.end() and match.start() < span.end


def _valid(read: Callable[[Match, date], date], match: Match, today: date) -> date | None:
    """None for the 31st of February, and for the year 100,000."""
    try:
        return read(match, today)
    except (ValueError, OverflowError):
        return None


def _day_of_month(match: Match, today: date) -> date:
    """Without a year: the coming one, unless it has just been. A leap day waits for its year."""
    year = match["year"]
    month = _MONTH_NUMBER.get(match["month"].lower()) or _number(match["month"])
    day = _number(match["day"])
    if year is not None:
        return date(_number(year), month, day)
    years = range(today.year - 1, today.year + 9)
    candidates = [
        date(later, month, day) for later in years if (month, day) != (2, 29) or calendar.isleap(later)
    ]
    return next(candidate for candidate in candidates if candidate > today - _JUST_BEEN)


def _weekday(match: Match, today: date) -> date:
    ahead = (_WEEKDAYS.index(match["weekday"].lower()) - today.weekday()) % 7
    if (match["which"] or "").lower() == "last":
        return today + timedelta(days=ahead - 7)
    if (match["which"] or "").lower() == "next" and ahead == 0:
        return today + timedelta(days=7)
    return today + timedelta(days=ahead)


def _han_weekday(match: Match, today: date) -> date:
    weekday = min("一二三四五六日天".index(match["weekday"]), 6)
    if match["which"] is None:
        return today + timedelta(days=(weekday - today.weekday()) % 7)
    return today + timedelta(days=_WEEK_SHIFT[match["which"]] + weekday - today.weekday())


def _counted(match: Match, today: date) -> date:
    days = _number(match["count"]) * _UNIT_DAYS[match["unit"].lower()]
    return today + timedelta(days=-days if (match["which"] or "").lower() in ("ago", "前") else days)


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    if text.isascii():
        return parse_words(text)
    return parse_han(text)


def _rule(
    pattern: str, read: Callable[[Match, date], date]
) -> tuple[re.Pattern[str], Callable[[Match, date], date]]:
    return re.compile(pattern, re.IGNORECASE), read


_RULES = (
    _rule(
        r"(?<![\d.-])(?P<year>\d{4})(?P<dash>[-/.])(?P<month>\d{1,2})(?P=dash)(?P<day>\d{1,2})(?!\d)",
        _day_of_month,
    ),
    _rule(
        rf"(?:(?P<year>\d{{4}}|[零〇一二三四五六七八九]{{4}})年)?(?<!\d)(?P<month>{_HAN_COUNT})月(?P<day>{_HAN_COUNT})[日号]?",
        _day_of_month,
    ),
    _rule(rf"\b{_MONTH}\.?\s{{1,4}}{_DAY}(?:,?\s{{1,4}}(?P<year>\d{{4}}))?\b", _day_of_month),
    _rule(
        rf"\b{_DAY}\s{{1,4}}(?:of\s{{1,4}})?{_MONTH}\b\.?(?:,?\s{{1,4}}(?P<year>\d{{4}})\b)?", _day_of_month
    ),
    _rule(rf"\bin\s{{1,4}}{_COUNT}\s{{1,4}}(?P<unit>day|week|month|year)s?\b(?P<which>)", _counted),
    _rule(
        rf"\b{_COUNT}\s{{1,4}}(?P<unit>day|week|month|year)s?\s{{1,4}}(?P<which>ago|from\s{{1,4}}now|later)\b",
        _counted,
    ),
    _rule(rf"(?P<count>{_HAN_COUNT})个?(?P<unit>天|日|周|星期|月|年)(?:以|之)?(?P<which>后|前)", _counted),
    _rule(
        "|".join(rf"\b{word}\b" if word.isascii() else word for word in _RELATIVE),
        lambda match, today: today + timedelta(days=_RELATIVE[match[0].lower()]),
    ),
    _rule(rf"\b(?:(?P<which>next|this|last|coming)\s{{1,4}})?(?P<weekday>{'|'.join(_WEEKDAYS)})\b", _weekday),
    _rule(
        r"(?<![零〇一二两三四五六七八九十\d个])(?P<which>上上|下下|上|下|这|本)?个?"
        r"(?:星期|礼拜|周(?!天))(?P<weekday>[一二三四五六日天])",
        _han_weekday,
    ),
)

_CLOCK = re.compile(
    r"(?<![\d:])T?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?"
    r"(?:(?P<zone>Z|[+-]\d{2}:\d{2})|\s?(?P<half>[ap])\.?m\b\.?)?(?![\d:])",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?<![\d:.])(?P<hour>\d{1,2})\s?(?:(?P<half>[ap])\.?m\b|o'clock\b)", re.IGNORECASE)
_NAMED = re.compile(r"\b(?P<name>noon|midnight)\b", re.IGNORECASE)
_HAN_CLOCK = re.compile(
    rf"(?P<half>凌晨|早上|上午|中午|下午|晚上|今晚|明晚)?(?P<hour>{_HAN_COUNT})[点时](?!间)"
    rf"(?:(?P<quarter>半|一刻|三刻)|(?P<minute>{_HAN_COUNT})分?|整|钟)?"
)
_AFTERNOON = ("p", "中午", "下午", "晚上", "今晚", "明晚")
_QUARTERS = {"半": 30, "一刻": 15, "三刻": 45}


def _times(text: str) -> Iterator[Span]:
    found: list[Span] = []
    for pattern in (_CLOCK, _HOUR, _NAMED, _HAN_CLOCK):
        for match in pattern.finditer(text):
            if any(_overlap(span, match) for span in found):
                continue
            try:
                value = _time(match.groupdict())
            except ValueError:
                continue
            found.append(Span(start=match.start(), end=match.end(), kind=Kind.TIME, value=value))
    yield from found


def _time(parts: dict[str, str | None]) -> time:
    if (name := parts.get("name")) is not None:
        return time(12 if name.lower() == "noon" else 0)
    hour = _number(parts["hour"] or "")
    half = (parts.get("half") or "").lower()
    if half in _AFTERNOON and hour < 12:
        hour += 12
    elif half in ("a", "凌晨") and hour == 12:
        hour = 0
    minute = _QUARTERS.get(parts.get("quarter") or "", _number(parts.get("minute") or "0"))
    return time(hour, minute, _number(parts.get("second") or "0"), tzinfo=_zone(parts.get("zone")))


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)
