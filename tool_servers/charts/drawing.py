"""Numbers → a PNG image, by matplotlib."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import matplotlib
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
        (_lines if chart.kind is Kind.LINE else _bars)(axes, chart)
        _explain(axes, chart)
        png = io.BytesIO()
        figure.savefig(png, format="png")
    return png.getvalue()


def _lines(axes: Axes, chart: Chart) -> None:
    # A point on its own would be no line.
    marker = "o" if len(chart.labels) <= _MAX_TICKS else ""
    for each in chart.series:
        axes.plot(range(len(each.values)), each.values, marker=marker, label=each.name)


def _bars(axes: Axes, chart: Chart) -> None:
    # One collection for each series: thousands of bars of their own would take seconds.
    width = 0.8 / len(chart.series)
    for number, each in enumerate(chart.series):
        first = (number - len(chart.series) / 2) * width
        corners = [_bar(place + first, width, value) for place, value in enumerate(each.values)]
        bars = PolyCollection(corners, facecolors=f"C{number}", label=each.name)
        bars.sticky_edges.y.append(0)
        axes.add_collection(bars)
    axes.autoscale_view()


def _bar(left: float, width: float, value: float) -> list[tuple[float, float]]:
    return [(left, 0), (left, value), (left + width, value), (left + width, 0)]


def _explain(axes: Axes, chart: Chart) -> None:
    axes.set_title(chart.title, wrap=True)
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(axis="y", alpha=0.3)
    step = -(-len(chart.labels) // _MAX_TICKS)
    places = range(0, len(chart.labels), step)
    crowded = sum(len(chart.labels[place]) for place in places) > chart.width // 12
    axes.set_xticks(places, [chart.labels[place] for place in places])
    axes.tick_params("x", rotation=45 if crowded else 0)
    if any(each.name for each in chart.series):
        axes.legend()
