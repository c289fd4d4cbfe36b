"""Numbers → a PNG image, by matplotlib."""

import io
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from tool_servers.charts import fonts

DOTS_PER_INCH = 96
_MAX_TICKS = 12

# What a model writes is text: `$5 to $10` is no formula.
matplotlib.rcParams["text.parse_math"] = False


class Kind(Enum):
    """How numbers are drawn."""

    LINE = auto()
    BAR = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Numbers that belong together, one for each label."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """All that is drawn."""

    kind: Kind
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    x_label: str = ""
    y_label: str = ""
    width: int = 960
    height: int = 540
    family: Sequence[str] = field(default_factory=fonts.family)
    """The fonts, the first choice first."""

    @property
    def texts(self) -> list[str]:
        """All text that is drawn."""
        return [self.title, self.x_label, self.y_label, *self.labels, *(each.name for each in self.series)]


def draw(chart: Chart) -> bytes:
    """The bytes of a PNG file of `width` × `height` pixels. Not to be called in two threads at once.

    >>> one = Series(name="", values=[1, 3, 2])
    >>> draw(Chart(kind=Kind.LINE, title="Rain", labels=["Mon", "Tue", "Wed"], series=[one]))[:4]
    b'\\x89PNG'
    """
    size = (chart.width / DOTS_PER_INCH, chart.height / DOTS_PER_INCH)
    with matplotlib.rc_context({"font.family": list(chart.family)}):
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, layout="constrained")
        axes = figure.add_subplot()
        drawn = (_lines if chart.kind is Kind.LINE else _bars)(axes, chart)
        _explain(axes, chart, drawn)
        png = io.BytesIO()
        figure.savefig(png, format="png")
    return png.getvalue()


def _lines(axes: Axes, chart: Chart) -> list[Artist]:
    # A point on its own would be no line.
    marker = "o" if len(chart.labels) <= _MAX_TICKS else ""
    return [axes.plot(range(len(each.values)), each.values, marker=marker)[0] for each in chart.series]


def _bars(axes: Axes, chart: Chart) -> list[Artist]:
    # One collection for each series: thousands of bars of their own would take seconds.
    width = 0.8 / len(chart.series)
    drawn: list[Artist] = []
    for number, each in enumerate(chart.series):
        first = (number - len(chart.series) / 2) * width
        corners = [_bar(place + first, width, value) for place, value in enumerate(each.values)]
        bars = PolyCollection(corners, facecolors=f"C{number}")
        bars.sticky_edges.y.append(0)
        drawn.append(axes.add_collection(bars))
    axes.autoscale_view()
    return drawn


def _bar(left: float, width: float, value: float) -> list[tuple[float, float]]:
    return [(left, 0), (left, value), (left + width, value), (left + width, 0)]


def _explain(axes: Axes, chart: Chart, drawn: Sequence[Artist]) -> None:
    axes.set_title(_wrapped(chart.title, chart.width), wrap=True)
    axes.set_xlabel(_wrapped(chart.x_label, chart.width))
    axes.set_ylabel(_wrapped(chart.y_label, chart.height))
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(axis="y", alpha=0.3)
    step = -(-len(chart.labels) // _MAX_TICKS)
    places = range(0, len(chart.labels), step)
    labels = [_short(chart.labels[place], chart.height // 16) for place in places]
    axes.set_xticks(places, labels)
    axes.tick_params("x", rotation=45 if sum(map(len, labels)) > chart.width // 12 else 0)
    names = [_short(each.name, chart.width // 20) for each in chart.series]
    named = [(artist, name) for artist, name in zip(drawn, names, strict=True) if name]
    if named:
        axes.legend(*zip(*named, strict=True))


def _wrapped(text: str, pixels: int) -> str:
    """In lines that fit; matplotlib itself breaks lines at blanks only, and Chinese has none."""
    wide = any(unicodedata.east_asian_width(character) in "WF" for character in text)
    return textwrap.fill(text, pixels // (18 if wide else 12))


def _short(text: str, limit: int) -> str:
    """On one line, and no longer than there is room for."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
