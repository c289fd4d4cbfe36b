"""The table of cities, and what is computed from it."""

import datetime
import doctest
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_servers.weather import cities
from tool_servers.weather.cities import City
from tool_servers.weather.normals import Normals, describe, normal_day, on
from tool_servers.weather.provider import UnknownCity
from tool_servers.weather.units import Imperial, Metric

CITIES = cities.load()
BEYOND_THE_TROPICS = [city for city in CITIES if abs(city.latitude) > 23.5]

dates = st.dates(datetime.date(2000, 1, 1), datetime.date(2099, 12, 31))
known = st.sampled_from([*CITIES])


@pytest.mark.parametrize("city", [*CITIES], ids=lambda city: city.names[0])
def test_every_city_has_a_plausible_climate_and_place(city: City) -> None:
    for months in (city.low, city.high, city.humidity, city.precipitation, city.wind):
        assert len(months) == 12
    assert all(low < high for low, high in zip(city.low, city.high, strict=True))
    # The coldest and hottest months of any large city.
    assert all(-45 <= degrees <= 50 for degrees in (*city.low, *city.high))
    assert all(3 <= high - low <= 20 for low, high in zip(city.low, city.high, strict=True))
    assert all(0 <= percent <= 100 for percent in city.humidity)
    assert all(0 <= millimetres <= 1000 for millimetres in city.precipitation)
    assert all(1 <= speed <= 40 for speed in city.wind)
    assert -90 <= city.latitude <= 90
    assert -180 <= city.longitude <= 180


@pytest.mark.parametrize("city", BEYOND_THE_TROPICS, ids=lambda city: city.names[0])
def test_the_warm_half_of_the_year_is_where_the_hemisphere_has_it(city: City) -> None:
    means = [low + high for low, high in zip(city.low, city.high, strict=True)]
    northern_summer, southern_summer = sum(means[5:8]), sum(means[11:] + means[:2])

    assert (northern_summer > southern_summer) == (city.latitude > 0)


@pytest.mark.parametrize("city", [*CITIES], ids=lambda city: city.names[0])
def test_the_time_zone_fits_the_longitude(city: City) -> None:
    noon = datetime.datetime(2026, 1, 15, 12, tzinfo=city.time_zone)
    offset = noon.utcoffset()

    assert offset is not None
    # No country keeps a time further than three and a half hours from that of the sun.
    assert abs(offset.total_seconds() / 3600 - city.longitude / 15) < 3.5


def test_there_are_at_least_sixty_cities() -> None:
    assert len(CITIES) >= 60


@pytest.mark.parametrize(
    "name",
    [
        *("北京", "上海", "广州", "深圳", "成都", "重庆", "武汉", "西安", "杭州", "南京", "天津", "香港"),
        *("台北", "东京", "大阪", "首尔", "新加坡", "曼谷", "巴黎", "伦敦", "柏林", "纽约", "旧金山"),
    ],
)
def test_the_large_cities_are_known_by_their_chinese_names(name: str) -> None:
    assert CITIES.find(name) is not None


def test_no_two_cities_share_a_name() -> None:
    for city in CITIES:
        for name in (*city.names, *city.chinese):
            assert CITIES.find(name) is city, name


@given(known, dates)
def test_a_day_lies_between_the_months_around_it(city: City, date: datetime.date) -> None:
    day = normal_day(city, date)
    month = date.month - 1
    around = [city.low[month - 1], city.low[month], city.low[(month + 1) % 12]]

    assert min(around) <= day.low <= max(around)
    assert day.low <= day.high
    assert day.precipitation >= 0


@given(known, dates)
def test_a_date_is_like_the_same_date_of_any_year_to_a_degree(city: City, date: datetime.date) -> None:
    common = date.replace(year=2001, day=min(date.day, 28))
    leap = common.replace(year=2024)

    assert normal_day(city, common).high == pytest.approx(normal_day(city, leap).high, abs=1)


@given(known, dates)
def test_one_day_is_close_to_the_next(city: City, date: datetime.date) -> None:
    tomorrow = date + datetime.timedelta(days=1)

    assert abs(on(tomorrow, city.high) - on(date, city.high)) < 1


@given(st.floats(-60, 60), st.floats(0, 100))
def test_every_weather_has_words(temperature: float, precipitation: float) -> None:
    words = describe(temperature, precipitation)

    assert "{" not in words
    assert ("snow" in words) <= (temperature < 0)
    assert ("rain" in words) <= (temperature >= 0)


@given(st.floats(-100, 100), st.floats(0, 500), st.floats(0, 2000))
def test_imperial_numbers_are_the_metric_ones_in_other_units(
    celsius: float, kilometres: float, millimetres: float
) -> None:
    # Each is rounded to a hundredth of its own unit.
    fahrenheit, miles, inches = (
        Imperial().temperature(celsius),
        Imperial().speed(kilometres),
        Imperial().depth(millimetres),
    )

    assert Metric().temperature((fahrenheit - 32) / 1.8) == pytest.approx(celsius, abs=0.011)
    assert Metric().speed(miles * 1.609344) == pytest.approx(kilometres, abs=0.015)
    assert Metric().depth(inches * 25.4) == pytest.approx(millimetres, abs=0.14)


@pytest.mark.parametrize(("celsius", "fahrenheit"), [(0, 32), (100, 212), (-40, -40), (37, 98.6)])
def test_fixed_points_of_the_scales_meet(celsius: float, fahrenheit: float) -> None:
    assert Imperial().temperature(celsius) == fahrenheit
    assert Metric().temperature(celsius) == celsius


async def test_the_same_date_gives_the_same_answer() -> None:
    now = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    one, other = (Normals(cities.load(), now=lambda: now) for _ in range(2))

    assert await one.current("Oslo") == await other.current("奥斯陆")
    assert await one.forecast("Oslo", 16) == await other.forecast("Oslo", 16)


async def test_today_is_the_day_of_the_clock() -> None:
    before = datetime.datetime.now(datetime.UTC)
    forecast = await Normals(CITIES).forecast("Reykjavik", 1)

    # Reykjavik keeps UTC all year; the day may have ended in between.
    assert forecast.days[0].date in {before.date(), datetime.datetime.now(datetime.UTC).date()}


@given(st.text(max_size=100))
def test_any_name_is_either_found_or_answered_with_known_names(name: str) -> None:
    nearest = CITIES.nearest(name)

    assert len(nearest) == len({*nearest}) <= 3
    assert {*nearest} <= {city.bilingual for city in CITIES}
    CITIES.find(name)


async def test_an_unknown_city_tells_its_name_and_the_nearest() -> None:
    with pytest.raises(UnknownCity) as caught:
        await Normals(CITIES).current("Lodon")

    assert caught.value.name == "Lodon"
    assert caught.value.nearest[0] == "London (伦敦)"


HEADER = cities.PATH.read_text(encoding="utf-8").splitlines()[0]
ROW = cities.PATH.read_text(encoding="utf-8").splitlines()[1]


@pytest.mark.parametrize(
    ("row", "fact"),
    [
        (ROW.replace("39.90", "north"), "could not convert"),
        (ROW.replace(",-7 -4", ",-7"), "11 months in"),
        (ROW.replace("Asia/Shanghai", "Asia/Nowhere"), "Asia/Nowhere"),
        (ROW.rpartition(",")[0], "is not a whole row"),
    ],
)
def test_a_broken_row_is_refused_with_its_place(tmp_path: Path, row: str, fact: str) -> None:
    table = tmp_path / "cities.csv"
    table.write_text(f"{HEADER}\n{ROW}\n{row}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=rf"cities\.csv:3: .*{fact}"):
        cities.load(table)


@pytest.mark.parametrize("module", ["cities", "normals", "units", "open_meteo_answers"])
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"tool_servers.weather.{module}"))

    assert result.attempted > 0
    assert result.failed == 0
