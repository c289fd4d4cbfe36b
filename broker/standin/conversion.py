"""A span of a sentence and the parameter that takes it → the JSON value to send."""

from datetime import date, time

from broker.standin.dates import date_time
from broker.standin.parameters import Parameter, Shape
from broker.standin.sentence import Sentence
from broker.standin.spans import Kind, Span
from broker.standin.words import hint_keys, latin_key, split_name

JsonValue = str | int | float | bool | dict[str, int]

_SECONDS = {"time:second": 1, "time:minute": 60, "time:hour": 3_600, "time:day": 86_400, "time:week": 604_800}
_TOO_LARGE = 2**63
_NUMBERED = frozenset(("id", "number", "code", "no", "zip", "phone"))


def convert(parameter: Parameter, span: Span, sentence: Sentence) -> JsonValue | None:
    """The value of a span for a parameter; None where it cannot be one, as 2.5 for a whole number."""
    match parameter.shape, span.value:
        case Shape.DATE, date() as day:
            return day.isoformat()
        case Shape.DATE_PARTS, date() as day:
            return {"year": day.year, "month": day.month, "day": day.day}
        case Shape.DATE_TIME, date() as day:
            return date_time(day, _time_for(span, sentence))
        case Shape.DATE_TIME, time() as at:
            return date_time(sentence.today, at)
        case Shape.TIME, time() as at:
            return f"{at:%H:%M}"
        case Shape.DURATION, int() | float() as number:
            return _duration(number, span.unit)
        case Shape.NUMBER, int() | float() as number:
            return number if abs(number) < _TOO_LARGE else float(number)
        case ((Shape.INTEGER | Shape.DIGITS), int() as number):
            number *= unit_ratio(parameter, span.unit) or 1
            return _whole(number, as_text=parameter.shape == Shape.DIGITS)
        case Shape.TEXT, int() | float():
            return sentence.text[span.start : span.end] if _is_numbered(parameter) else None
        case _, str() as text:
            return text
    return None


def unit_ratio(parameter: Parameter, unit: str) -> int | None:
    """How many of the parameter's unit of time one unit is; None: no whole number, or not about time.

    >>> unit_ratio(Parameter(path=("days",), shape=Shape.INTEGER), "weeks")
    7
    """
    wanted = [_SECONDS[key] for word in split_name(parameter.name) if (key := latin_key(word)) in _SECONDS]
    given = [_SECONDS[key] for key in hint_keys(unit) if key in _SECONDS]
    if not wanted or not given or given[0] % wanted[0]:
        return None
    return given[0] // wanted[0]


def _time_for(span: Span, sentence: Sentence) -> time | None:
    """The time of day that follows a date, or else the first of the sentence."""
    times = [one for group in sentence.of_kind(Kind.TIME) for one in group.spans]
    following = next((one for one in times if one.start >= span.end), times[0] if times else None)
    return following.value if following is not None and isinstance(following.value, time) else None


def _whole(number: int, *, as_text: bool) -> int | str | None:
    if as_text:
        return str(number)
    return number if abs(number) < _TOO_LARGE else None


def _duration(number: float, unit: str) -> str | None:
    """Seconds, when the unit is none: `90s`."""
    known = [_SECONDS[key] for key in hint_keys(unit) if key in _SECONDS]
    if unit and not known:
        return None
    return f"{number * (known[0] if known else 1):g}s"


def _is_numbered(parameter: Parameter) -> bool:
    """Whether a text is a number by its name or its example."""
    numbered = _NUMBERED & set(split_name(parameter.name))
    return bool(numbered) or any(example.isdigit() for example in parameter.examples)
