"""What Open-Meteo answers is read, or refused where it is of no use."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tool_servers.weather.open_meteo_server import CURRENT, DAILY, SPRINGFIELDS, WINDHOEK
from tool_servers.weather.open_meteo_answers import (
    SKIES,
    Place,
    read_answer,
    read_current,
    read_forecast,
    read_place,
    sky,
)
from tool_servers.weather.provider import SourceFailed, UnknownCity

PARIS = Place(label="Paris, France", latitude=48.86, longitude=2.35)


@pytest.mark.parametrize(
    "change",
    [
        {"time": None},
        {"time": "soon"},
        {"time": 1},
        {"temperature_2m": None},
        {"temperature_2m": "27"},
        {"temperature_2m": True},
        {"temperature_2m": float("nan")},
        {"temperature_2m": 10**400},
        {"temperature_2m": 1e308},
        {"relative_humidity_2m": 101},
        {"relative_humidity_2m": -1},
        {"wind_speed_10m": []},
        {"weather_code": None},
        {"weather_code": True},
        {"weather_code": "61"},
        {"weather_code": 100},
    ],
    ids=lambda change: str(change)[:40],
)
def test_current_weather_with_a_wrong_field_is_refused_naming_it(change: dict[str, object]) -> None:
    current = CURRENT["current"]
    (field,) = change

    with pytest.raises(SourceFailed, match=field):
        read_current(PARIS, {"current": current | change})
    with pytest.raises(SourceFailed, match=field):
        read_current(PARIS, {"current": {key: value for key, value in current.items() if key != field}})


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"daily": None},
        {"daily": {}},
        {"daily": {"time": "2026-03-01"}},
        {"daily": {field: [] for field in DAILY["daily"]}},
        {"daily": {field: [None] for field in DAILY["daily"]}},
        {"daily": {field: ["2026-03-01"] for field in DAILY["daily"]}},
    ],
    ids=str,
)
def test_a_forecast_without_whole_days_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(SourceFailed):
        read_forecast(PARIS, answer)


@pytest.mark.parametrize("results", [None, "Paris", ["Paris"], {"0": WINDHOEK}], ids=str)
def test_search_results_that_are_no_list_of_places_are_refused(results: object) -> None:
    with pytest.raises(SourceFailed, match="list of places"):
        read_place("Paris", {"results": results})


def test_a_place_without_coordinates_is_refused() -> None:
    with pytest.raises(SourceFailed, match="latitude"):
        read_place("Paris", {"results": [{"name": "Paris", "longitude": 2.35}]})


def test_the_place_of_that_very_name_is_preferred_to_a_larger_one_of_another() -> None:
    yorks = [
        {
            "name": "New York",
            "country": "United States",
            "population": 8_000_000,
            "latitude": 40,
            "longitude": -74,
        },
        {"name": "York", "country": "United Kingdom", "population": 150_000, "latitude": 53, "longitude": -1},
        {"name": "York", "country": "Canada", "latitude": 43, "longitude": -79},
    ]

    assert read_place("york", {"results": yorks}) == Place(
        label="York, United Kingdom", latitude=53, longitude=-1
    )
    # The search answers in English whatever the language of the name.
    assert read_place("约克", {"results": yorks}) == Place(
        label="New York, United States", latitude=40, longitude=-74
    )


@pytest.mark.parametrize(
    ("name", "label", "latitude"),
    [
        ("Springfield", "Springfield, United States", 37),
        ("Springfield, Illinois", "Springfield, Illinois, United States", 39),
        ("springfield，ILLINOIS, usa", "Springfield, Illinois, United States", 39),
        ("Springfield, US", "Springfield, Missouri, United States", 37),
        ("Springfield, 美国", "Springfield, Missouri, United States", 37),
    ],
)
def test_what_follows_a_comma_tells_which_place_of_a_name_is_meant(
    name: str, label: str, latitude: int
) -> None:
    found = read_place(name, {"results": SPRINGFIELDS})

    assert found == Place(label=label, latitude=latitude, longitude=-90)


def test_the_name_of_a_place_can_always_be_sent_on() -> None:
    place = read_place("x", {"results": [WINDHOEK | {"name": "\ud800" + "x" * 5000}]})

    assert place is not None
    assert place.label == "?" + "x" * 199


@pytest.mark.parametrize("code", SKIES)
def test_every_weather_code_has_words(code: int) -> None:
    assert sky(code) == SKIES[code]
    assert not any(character.isdigit() for character in sky(code))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*WINDHOEK, "time"]), inner),
    max_leaves=12,
)


@given(values, values, values)
def test_whatever_is_sent_is_read_or_refused(results: Any, current: Any, daily: Any) -> None:
    answer = {"results": results, "current": current, "daily": daily}
    readers: list[Callable[[], object]] = [
        lambda: read_place("Paris", answer),
        lambda: read_place("Paris, France", answer),
        lambda: read_current(PARIS, answer),
        lambda: read_forecast(PARIS, answer),
    ]
    for read in readers:
        try:
            read()
        except (SourceFailed, UnknownCity):
            continue


@given(st.integers(100, 599), st.binary(max_size=200))
def test_an_answer_is_an_object_or_refused(status: int, body: bytes) -> None:
    try:
        answer = read_answer(status, body)
    except SourceFailed:
        return
    assert status == 200
    assert answer == json.loads(body)
