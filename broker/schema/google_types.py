"""The text that people write for some messages of google.type → the message, or what to send in its place.

ProtoJSON gives these messages no form of their own, so that `decode` takes their fields; what else is read is
lossless. https://github.com/googleapis/googleapis/tree/master/google/type
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from broker.schema.notes import Leniency, Understood, understood
from broker.schema.problems import Refused, got, quoted

Literal = Callable[[Any], Refused | Understood]
"""A value that is no object → what it means, or why it is refused; either is there to be raised."""

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(.*)", re.ASCII | re.DOTALL)
_TIME = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d{1,100}(?:\.\d{0,100})?|\.\d{1,100})(?:[eE][+-]?\d{1,9})?", re.ASCII)
_AMOUNT = r"(-?\d{1,18})(?:\.(\d{1,9}))?"
_MONEY = re.compile(rf"(?P<c1>[A-Z]{{3}})? ?{_AMOUNT} ?(?P<c2>[A-Z]{{3}})?", re.ASCII)
_PLACE = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*", re.ASCII)


def _refused(name: str, shape: str, value: Any) -> Refused:
    return Refused(f"expected {shape} ({name}), got {got(value)}.")


def _date(value: Any) -> Refused | Understood:
    match = _DATE.fullmatch(value) if type(value) is str else None
    if match is None:
        return _refused("Date", 'a date, like "2024-05-01" or {"year": 2024, "month": 5, "day": 1}', value)
    year, month, day = map(int, match.groups()[:3])
    try:
        date(year, month, day)
    except ValueError as error:
        return Refused(f"{quoted(value)} is no date: {error}.")
    if match[4]:
        return Refused(f'{quoted(value)} is more than a date. If the day is meant, send "{value[:10]}".')
    parts = {"year": year, "month": month, "day": day}
    return understood(parts, Leniency.DATE_TEXT, f'"{value}" taken as {json.dumps(parts)}')


def _time_of_day(value: Any) -> Refused | Understood:
    match = _TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        return _refused("TimeOfDay", 'a time of day, like "09:30:00" or {"hours": 9, "minutes": 30}', value)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    nanos = int((match[4] or "").ljust(9, "0"))
    # 24:00:00 is the end of a day, and second 60 a leap second.
    fits = (
        minutes <= 59 and seconds <= 60 and (hours <= 23 or (hours, minutes, seconds, nanos) == (24, 0, 0, 0))
    )
    if not fits:
        return Refused(f"{quoted(value)} is no time of day: 00:00:00 to 24:00:00.")
    parts = {"hours": hours, "minutes": minutes, "seconds": seconds, "nanos": nanos}
    return understood(parts, Leniency.TIME_OF_DAY_TEXT, f'"{value}" taken as {json.dumps(parts)}')


def _decimal(value: Any) -> Refused | Understood:
    whole = type(value) is int
    if whole or (type(value) is str and _DECIMAL.fullmatch(value)):
        parts = {"value": str(value)}
        return understood(parts, Leniency.DECIMAL_TEXT, f"{got(value)} taken as {json.dumps(parts)}")
    refused = _refused("Decimal", 'a decimal number as text, like "1.5" or {"value": "1.5"}', value)
    # A number has lost the zeros at its end, which tell how exact it is.
    return refused if type(value) is not float else Refused(f'{refused} Send "{Decimal(repr(value)):f}".')


def _money(value: Any) -> Refused:
    shape = 'an object, like {"currency_code": "USD", "units": "12", "nanos": 500000000}'
    refused = _refused("Money", shape, value)
    match = _MONEY.fullmatch(value) if type(value) is str else None
    if match is None or (match["c1"] is None) == (match["c2"] is None):
        return refused
    units, nanos = match[2], int((match[3] or "").ljust(9, "0"))
    money = {
        "currency_code": match["c1"] or match["c2"],
        "units": str(int(units)),
        "nanos": -nanos if units.startswith("-") else nanos,
    }
    return Refused(f"{refused} If you meant {match.string}, send {json.dumps(money)}.")


def _lat_lng(value: Any) -> Refused:
    refused = _refused("LatLng", 'an object, like {"latitude": 48.85, "longitude": 2.35}', value)
    match = _PLACE.fullmatch(value) if type(value) is str else None
    if match is None:
        return refused
    literal = f'{{"latitude": {Decimal(match[1]):f}, "longitude": {Decimal(match[2]):f}}}'
    return Refused(f"{refused} If the latitude comes first, send {literal}.")


LITERALS: Mapping[str, Literal] = {
    "google.type.Date": _date,
    "google.type.TimeOfDay": _time_of_day,
    "google.type.Decimal": _decimal,
    "google.type.Money": _money,
    "google.type.LatLng": _lat_lng,
}
"""By full name of the message."""
