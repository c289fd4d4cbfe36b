"""cities.csv → the cities that are known by heart: their names in English and Chinese, place and climate.

The file has one line for each city. Within a cell, `|` parts names (the first is the one that is shown)
and blanks part the twelve months, January first. Temperatures are monthly means of the daily low and high
in °C, humidity is in percent, precipitation in mm a month, wind in km/h. They are typical values, rounded to
whole numbers: general knowledge of the climate of 1991–2020, not a copy of any service's tables. Temperatures
are good to a degree or two, humidity and wind are coarser: enough to talk about, not to plan by.
"""

import csv
import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PATH = Path(__file__).with_name("cities.csv")

Months = tuple[int, ...]
"""Twelve numbers, January first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class City:
    """A city, where it is, and its climate."""

    names: tuple[str, ...]
    """In English, as it is shown first."""
    chinese: tuple[str, ...]
    regions: tuple[str, ...]
    """What it lies in: the country as it is shown, then other names of it, and its state or province."""
    latitude: float
    longitude: float
    time_zone: ZoneInfo
    low: Months
    high: Months
    humidity: Months
    precipitation: Months
    wind: Months

    @property
    def label(self) -> str:
        """`Paris, France`; a city that is its country is named once: `Singapore`."""
        return self.names[0] if self.names[0] == self.regions[0] else f"{self.names[0]}, {self.regions[0]}"

    @property
    def bilingual(self) -> str:
        """`Paris (巴黎)`."""
        return f"{self.names[0]} ({self.chinese[0]})"


class Cities:
    """The known cities, found by any of their names."""

    def __init__(self, cities: Iterable[City]) -> None:
        self._cities = tuple(cities)
        self._by_name = {
            normalize(name): city for city in self._cities for name in (*city.names, *city.chinese)
        }

    def __iter__(self) -> Iterator[City]:
        return iter(self._cities)

    def __len__(self) -> int:
        return len(self._cities)

    def find(self, name: str) -> City | None:
        """The city of that name, or None. What follows a comma must be a place that the city lies in.

        >>> cities = load()
        >>> [cities.find(name).label for name in ("NYC", "北京市", "são paulo", "Paris, France")]
        ['New York, United States', 'Beijing, China', 'São Paulo, Brazil', 'Paris, France']
        >>> cities.find("Paris, Texas") is None
        True
        """
        head, *regions = map(normalize, split_name(name))
        city = self._by_name.get(head, self._by_name.get(head.removesuffix("市")))
        if city is None or not {*regions} <= {normalize(region) for region in city.regions}:
            return None
        return city

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """Names that look like `name`, the likeliest first, none twice.

        >>> load().nearest("Shangai")[0]
        'Shanghai (上海)'
        """
        head = normalize(name.partition(",")[0])
        # Most Chinese names have two characters, of which one may be wrong.
        cutoff = 0.65 if head.isascii() else 0.5
        close = difflib.get_close_matches(head, self._by_name, n=3 * count, cutoff=cutoff)
        return list(dict.fromkeys(self._by_name[key].bilingual for key in close))[:count]


def split_name(name: str) -> list[str]:
    """The city, and what it is said to lie in.

    >>> split_name("Paris, Texas"), split_name("北京，中国")
    (['Paris', 'Texas'], ['北京', '中国'])
    """
    return [part.strip() for part in unicodedata.normalize("NFKC", name).split(",")]


def normalize(name: str) -> str:
    """The letters and digits of a name, without case, accents or anything between them.

    >>> normalize(" St. Pétersburg"), normalize("Xi'an"), normalize("臺北 市")
    ('stpetersburg', 'xian', '臺北市')
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def load(path: Path = PATH) -> Cities:
    """Reads the table; raises ValueError naming the line where a row is not whole."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return Cities([_read(row, f"{path.name}:{rows.line_num}") for row in rows])


def _read(row: dict[str, str], place: str) -> City:
    try:
        return City(
            names=tuple(row["names"].split("|")),
            chinese=tuple(row["chinese"].split("|")),
            regions=tuple(row["regions"].split("|")),
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            time_zone=ZoneInfo(row["time_zone"]),
            low=_months(row["low"]),
            high=_months(row["high"]),
            humidity=_months(row["humidity"]),
            precipitation=_months(row["precipitation"]),
            wind=_months(row["wind"]),
        )
    except ZoneInfoNotFoundError as error:
        raise ValueError(
            f"{place}: {error}; install the system's time zones, or the package tzdata"
        ) from error
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{place}: {row['names']!r} is not a whole row: {error}") from error


def _months(cell: str) -> Months:
    numbers = tuple(int(number) for number in cell.split())
    if len(numbers) != 12:
        raise ValueError(f"{len(numbers)} months in {cell!r}; write twelve")
    return numbers
