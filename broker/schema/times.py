"""Points in time and lengths of time: ProtoJSON's text ↔ seconds and nanoseconds."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from broker.schema.arguments import Reading
from broker.schema.notes import Leniency, Understood, understood
from broker.schema.problems import Refused, expected, quoted

_EPOCH = date(1970, 1, 1).toordinal()
_YEAR_1 = -62135596800
_YEAR_10000 = 253402300800
_MAX_DURATION = 315_576_000_000

# RFC 3339, as ProtoJSON has it: capital T and Z, seconds, an offset.
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-]\d\d):(\d\d))", re.ASCII)
# What is as unambiguous: t and z, a space, no seconds, an offset without its colon.
_LENIENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)", re.ASCII)
_WITHOUT_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?)?", re.ASCII)
# What a number that counts from 1970 may count: each unit, up to where the next is likelier.
_EPOCHS = (("seconds", 10**11), ("milliseconds", 10**14), ("microseconds", 10**17), ("nanoseconds", 10**20))
_PER_SECOND = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_POINT = 'a point in time (RFC 3339, like "2024-05-01T12:00:00Z")'

_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_GO = re.compile(
    r"(-?)(?:(\d{1,9}(?:\.\d{1,9})?)h)?(?:(\d{1,9}(?:\.\d{1,9})?)m)?(?:(\d{1,12}(?:\.\d{1,9})?)s)?"
    r"(?:(\d{1,15}(?:\.\d{1,6})?)ms)?(?:(\d{1,18}(?:\.\d{1,3})?)[uµμ]s)?(?:(\d{1,18})ns)?",
    re.ASCII,
)
_GO_UNITS = tuple(map(Decimal, ("3600", "60", "1", "0.001", "0.000001", "0.000000001")))
_ISO = re.compile(
    r"(-?)P(?:(\d{1,7})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12}(?:\.\d{1,9})?)S)?)?", re.ASCII
)
_ISO_UNITS = tuple(map(Decimal, ("86400", "3600", "60", "1")))
INVALID = "invalid"
"""What is sent in place of a value that has no text begins with it."""
_TOO_LONG = f"a length of time is at most {_MAX_DURATION}s."
_LENGTH = 'a length of time in seconds, like "3.5s"'


def decode_timestamp(value: Any, reading: Reading) -> dict[str, int]:
    """RFC 3339 text, or {"seconds", "nanos"}."""
    if type(value) is dict and reading.lenient:
        raise _understood_point(_parts(value, _YEAR_1, _YEAR_10000 - 1), "an object")
    if type(value) is not str:
        raise _refused_epoch(value, value)
    try:
        return _zulu(value)
    except (LookupError, ValueError):
        pass  # another form, or none
    exact = match = _TIMESTAMP.fullmatch(value)
    if match is None and reading.lenient:
        match = _TIMESTAMP.fullmatch(_written_out(value))
    if match is None:
        raise _refused_timestamp(value)
    clock, fraction, hours, minutes = match.groups()
    seconds = _seconds(clock, value)
    if hours is not None:
        seconds -= _offset(hours, minutes, value)
        if not _YEAR_1 <= seconds < _YEAR_10000:
            raise Refused(f"{quoted(value)} is not within the years 0001 to 9999 in UTC.")
    parts = {"seconds": seconds, "nanos": 0 if fraction is None else int(fraction.ljust(9, "0"))}
    if exact is None:
        raise _understood_point(parts, quoted(value))
    return parts


def _understood_point(parts: dict[str, int], given: str) -> Understood:
    text = f'{given} taken as "{encode_timestamp(parts["seconds"], parts["nanos"])}"'
    return understood(parts, Leniency.TIMESTAMP_FORM, text)


def _zulu(value: str) -> dict[str, int]:
    """Reads 2024-05-01T12:00:00.5Z, the form of most; raises LookupError or ValueError for all else."""
    seconds = _since_epoch(value)
    if len(value) == 20 and value[19] == "Z":
        return {"seconds": seconds}
    fraction = value[20:-1]
    if not (value[19] == "." and value[-1] == "Z" and fraction.isdigit() and fraction.isascii()):
        raise ValueError(value)
    return {"seconds": seconds, "nanos": _NANOS[len(fraction)] * int(fraction)}


def _since_epoch(clock: str) -> int:
    return _midnight(clock[:11]) + _MINUTES[clock[11:17]] + _SECONDS[clock[17:19]]


_MINUTES = {f"{time // 60:02}:{time % 60:02}:": time * 60 for time in range(24 * 60)}
_SECONDS = {f"{second:02}": second for second in range(60)}
_NANOS = {digits: 10 ** (9 - digits) for digits in range(1, 10)}


@lru_cache(maxsize=1024)
def _midnight(day: str) -> int:
    """The beginning of a day like "2024-05-01T"; the times in one request are of few days."""
    if day[4:11:3] != "--T":  # ISO 8601 has weeks and days of the year too, ProtoJSON does not
        raise ValueError(day)
    return (date.fromisoformat(day[:10]).toordinal() - _EPOCH) * 86400


def _seconds(clock: str, value: str) -> int:
    try:
        datetime.fromisoformat(clock)
    except ValueError as error:
        raise Refused(f"{quoted(value)} is no point in time: {error}.") from None
    return _since_epoch(clock)


def _offset(hours: str, minutes: str, value: str) -> int:
    if abs(int(hours)) > 23 or int(minutes) > 59:
        raise Refused(f"{quoted(value)} has an offset from UTC that does not exist.")
    east = abs(int(hours)) * 3600 + int(minutes) * 60
    return -east if hours[0] == "-" else east


def _written_out(value: str) -> str:
    match = _LENIENT.fullmatch(value)
    if match is None:
        return ""
    day, clock, seconds, fraction, zone = (part or "" for part in match.groups())
    zone = zone.upper() if len(zone) != 5 else f"{zone[:3]}:{zone[3:]}"
    return f"{day}T{clock}{seconds or ':00'}{fraction}{zone}"


def _refused_epoch(value: Any, number: Any) -> Refused:
    """The refusal of a number, or of a string of digits, since its unit is a guess."""
    refused = expected(_POINT, value)
    if type(number) not in (int, float):
        return refused
    unit = next((unit for unit, size in _EPOCHS if abs(number) < size), None)
    if unit is None:
        return refused
    nanos = int(Decimal(str(number)) * 10**9 / _PER_SECOND[unit])
    literal = encode_timestamp(*divmod(nanos, 10**9))
    if literal.startswith(INVALID):
        return refused
    return Refused(f'{refused} If it counts {unit} since 1970, send "{literal}".')


def _refused_timestamp(value: str) -> Refused:
    match = _WITHOUT_ZONE.fullmatch(value)
    if match is None:
        digits = re.fullmatch(r"-?[0-9]{1,19}(\.[0-9]{1,9})?", value)
        return _refused_epoch(value, None if digits is None else float(value) if digits[1] else int(value))
    day, clock, fraction = match.groups()
    literal = _written_out(f"{day}T{clock or '00:00:00'}{fraction or ''}Z")
    _seconds(literal[:19], value)  # what is no point in time is not taught
    return Refused(f'{quoted(value)} has no time zone. If UTC, send "{literal}".')


def encode_timestamp(seconds: int, nanos: int) -> str:
    """RFC 3339 in UTC, with 0, 3, 6 or 9 digits after the point.

    >>> encode_timestamp(1714564800, 500_000_000)
    '2024-05-01T12:00:00.500Z'
    """
    if not (_YEAR_1 <= seconds < _YEAR_10000 and 0 <= nanos <= 999_999_999):
        return _invalid(seconds, nanos)
    day, rest = divmod(seconds, 86400)
    minute, second = divmod(rest, 60)
    fraction = _fraction(nanos) if nanos else ""
    return f"{_day(day)}T{_MINUTE_TEXTS[minute]}{_SECOND_TEXTS[second]}{fraction}Z"


_MINUTE_TEXTS = tuple(_MINUTES)
_SECOND_TEXTS = tuple(_SECONDS)


@lru_cache(maxsize=1024)
def _day(number: int) -> str:
    """The date of a day since 1970; the times in one response are of few days."""
    return date.fromordinal(_EPOCH + number).isoformat()


def _fraction(nanos: int) -> str:
    if not nanos % 1_000_000:
        return f".{nanos // 1_000_000:03}"
    return f".{nanos:09}" if nanos % 1_000 else f".{nanos // 1_000:06}"


def _invalid(seconds: int, nanos: int) -> str:
    """What is sent in place of a value that has no text, so that the rest of the response is not lost."""
    return f"{INVALID}: seconds={seconds} nanos={nanos}"


def decode_duration(value: Any, reading: Reading) -> dict[str, int]:
    """Seconds and an "s", or {"seconds", "nanos"}; also 1h30m, 250ms and PT1H30M."""
    match = _DURATION.fullmatch(value) if type(value) is str else None
    if match is None:
        raise _other_duration(value) if reading.lenient else _refused_duration(value)
    sign, whole, fraction = match.groups()
    seconds, nanos = int(whole), 0 if fraction is None else int(fraction.ljust(9, "0"))
    if seconds > _MAX_DURATION:
        raise Refused(_TOO_LONG)
    return {"seconds": -seconds, "nanos": -nanos} if sign else {"seconds": seconds, "nanos": nanos}


def _other_duration(value: Any) -> Understood | Refused:
    if type(value) is dict:
        return _understood_length(_parts(value, -_MAX_DURATION, _MAX_DURATION), "an object")
    for form, units in (_GO, _GO_UNITS), (_ISO, _ISO_UNITS):
        match = form.fullmatch(value) if type(value) is str else None
        if match is not None and any(match.groups()[1:]):
            sign, *amounts = match.groups()
            total = sum(Decimal(a) * unit for a, unit in zip(amounts, units, strict=True) if a is not None)
            seconds, nanos = divmod(int(total * 10**9), 10**9)
            if seconds > _MAX_DURATION:
                return Refused(_TOO_LONG)
            flow = -1 if sign else 1
            return _understood_length({"seconds": flow * seconds, "nanos": flow * nanos}, quoted(value))
    return _refused_duration(value)


def _understood_length(parts: dict[str, int], given: str) -> Understood:
    text = f'{given} taken as "{encode_duration(parts["seconds"], parts["nanos"])}"'
    return understood(parts, Leniency.DURATION_FORM, text)


def _refused_duration(value: Any) -> Refused:
    refused = expected(_LENGTH, value)
    bare = type(value) is str and re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", value)
    if not bare and type(value) not in (int, float):
        return refused
    seconds = Decimal(str(value))
    if abs(seconds) > _MAX_DURATION:
        return refused
    literal = value if bare else f"{round(seconds, 9).normalize():f}"
    return Refused(f'{refused} If it counts seconds, send "{literal}s".')


def encode_duration(seconds: int, nanos: int) -> str:
    """Decimal seconds, with 0, 3, 6 or 9 digits after the point, and an "s".

    >>> encode_duration(-1, -500_000_000)
    '-1.500s'
    """
    if 0 <= seconds <= _MAX_DURATION and 0 <= nanos <= 999_999_999:
        return f"{seconds}{_fraction(nanos)}s" if nanos else f"{seconds}s"
    opposed = (seconds < 0 < nanos) or (nanos < 0 < seconds)
    if opposed or abs(seconds) > _MAX_DURATION or abs(nanos) > 999_999_999:
        return _invalid(seconds, nanos)
    sign = "-" if seconds < 0 or nanos < 0 else ""
    fraction = _fraction(abs(nanos)) if nanos else ""
    return f"{sign}{abs(seconds)}{fraction}s"


def _parts(value: Mapping[str, Any], low: int, high: int) -> dict[str, int]:
    """The message's own two fields, as gRPC tools print them."""
    seconds, nanos = value.get("seconds", 0), value.get("nanos", 0)
    seconds = int(seconds) if type(seconds) is str and re.fullmatch(r"-?[0-9]{1,18}", seconds) else seconds
    fits = (
        value.keys() <= {"seconds", "nanos"}
        and type(seconds) is int
        and type(nanos) is int
        and low <= seconds <= high
        and _nanos_fit(seconds, nanos, low)
    )
    if not fits:
        raise Refused('expected text, or {"seconds": integer, "nanos": 0 to 999999999}.')
    return {"seconds": seconds, "nanos": nanos}


def _nanos_fit(seconds: int, nanos: int, low: int) -> bool:
    """A timestamp counts nanoseconds forward; those of a duration have the sign of its seconds."""
    if low == _YEAR_1:
        return 0 <= nanos <= 999_999_999
    return abs(nanos) <= 999_999_999 and not (seconds < 0 < nanos or nanos < 0 < seconds)
