"""What a client of the chart service sees, over real gRPC."""

import asyncio
import io
from typing import Any

import pytest
from charts.v1 import charts_pb2, charts_pb2_grpc
from google.rpc import error_details_pb2
from grpc import StatusCode
from PIL import Image

from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.process import running
from tests.tool_servers.served import failure
from tool_servers.charts import fonts
from tool_servers.charts.service import chart_service


def rain(**changes: Any) -> charts_pb2.DrawChartRequest:
    """A chart of rain on three days, changed."""
    given: dict[str, Any] = {
        "kind": charts_pb2.CHART_KIND_LINE,
        "title": "Rain",
        "labels": ["Mon", "Tue", "Wed"],
        "series": [{"name": "Beijing", "values": [1, 3.5, 2]}],
    }
    return charts_pb2.DrawChartRequest(**(given | changes))


def picture(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


@pytest.mark.parametrize("kind", [charts_pb2.CHART_KIND_LINE, charts_pb2.CHART_KIND_BAR])
async def test_a_chart_is_a_png_of_the_size_asked_for(
    serve_service: Serve, kind: charts_pb2.ChartKind
) -> None:
    _, channel = await serve_service(chart_service())
    stub = charts_pb2_grpc.ChartServiceStub(channel)

    body = await stub.DrawChart(rain(kind=kind, width=400, height=300))
    usual = await stub.DrawChart(rain(kind=kind))

    assert body.content_type == "image/png"
    assert picture(body.data).format == "PNG"
    assert picture(body.data).size == (400, 300)
    assert picture(usual.data).size == (960, 540)


async def test_other_numbers_kinds_and_words_give_another_picture(serve_service: Serve) -> None:
    _, channel = await serve_service(chart_service())
    stub = charts_pb2_grpc.ChartServiceStub(channel)
    variants: list[dict[str, Any]] = [
        {},
        {"kind": charts_pb2.CHART_KIND_BAR},
        {"title": "Snow"},
        {"labels": ["Thu", "Fri", "Sat"]},
        {"series": [{"name": "Beijing", "values": [1, 3.5, 9]}]},
        {"series": [{"values": [1, 3.5, 2]}]},
        {"x_label": "day"},
        {"y_label": "mm"},
    ]

    pictures = [picture((await stub.DrawChart(rain(**each))).data).tobytes() for each in variants]
    again = picture((await stub.DrawChart(rain())).data).tobytes()

    assert len(set(pictures)) == len(variants)
    assert again == pictures[0]


async def test_each_series_has_a_colour_of_its_own(serve_service: Serve) -> None:
    _, channel = await serve_service(chart_service())
    series = [{"name": name, "values": [5, 5, 5]} for name in ("a", "b", "c")]

    body = await charts_pb2_grpc.ChartServiceStub(channel).DrawChart(
        rain(kind=charts_pb2.CHART_KIND_BAR, series=series)
    )

    image = picture(body.data).convert("RGB")
    counted: Any = image.getcolors(image.width * image.height)
    coloured = [colour for count, colour in counted if count > 5000 and len({*colour}) > 1]
    assert len(coloured) == 3


async def test_a_series_is_named_in_the_legend_whatever_its_name_begins_with(serve_service: Serve) -> None:
    _, channel = await serve_service(chart_service())
    stub = charts_pb2_grpc.ChartServiceStub(channel)

    pictures = set()
    for name in ("_a", "_b", ""):
        series = [{"name": name, "values": [1, 2, 3]}, {"name": "c", "values": [3, 2, 1]}]
        pictures.add(picture((await stub.DrawChart(rain(series=series))).data).tobytes())

    assert len(pictures) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "TITLE" * 20},
        {"title": "word " * 40},
        {"x_label": "x" * 100},
        {"y_label": "y" * 100},
        {"labels": ["W" * 100] * 3},
        {"labels": ["x\n" * 50] * 3},
        {"series": [{"name": "W" * 100, "values": [1, 2, 3]}]},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_no_text_runs_out_of_the_smallest_picture(
    serve_service: Serve, changes: dict[str, Any]
) -> None:
    _, channel = await serve_service(chart_service())
    stub = charts_pb2_grpc.ChartServiceStub(channel)

    body = await stub.DrawChart(rain(width=320, height=240, **changes))

    image = picture(body.data).convert("L")
    edges = [(0, 0, 1, 240), (319, 0, 320, 240), (0, 0, 320, 1), (0, 239, 320, 240)]
    assert [image.crop(edge).getextrema()[0] for edge in edges] == [255] * 4


async def test_long_labels_are_drawn_as_far_as_there_is_room(serve_service: Serve) -> None:
    _, channel = await serve_service(chart_service())
    stub = charts_pb2_grpc.ChartServiceStub(channel)

    requests = [rain(labels=[letter * 100] * 3, width=320, height=240) for letter in "xy"]
    one, other = [picture((await stub.DrawChart(each)).data).tobytes() for each in requests]

    assert one != other


async def test_text_of_a_model_is_drawn_as_it_is_written(serve_service: Serve) -> None:
    _, channel = await serve_service(chart_service())

    # As formulas, the first would be refused and the second would look the same without its signs.
    for title in (r"$\frac{1}$", "from $5 to $10"):
        body = await charts_pb2_grpc.ChartServiceStub(channel).DrawChart(rain(title=title))
        assert picture(body.data).size == (960, 540)


async def test_characters_that_no_font_has_are_refused_by_name(serve_service: Serve) -> None:
    _, channel = await serve_service(chart_service())
    # A private character, which no font of a system draws.
    title = "Rain \U0010fffd"

    code, message, (info,) = await failure(
        charts_pb2_grpc.ChartServiceStub(channel).DrawChart(rain(title=title))
    )

    assert code == StatusCode.FAILED_PRECONDITION
    assert 'no font of this server has the characters "\U0010fffd"' in message
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert (info.reason, info.metadata["characters"]) == ("NO_FONT", "\U0010fffd")


def test_chinese_is_drawn_where_a_font_has_it() -> None:
    has_chinese = any("CJK" in name or "WenQuanYi" in name for name in fonts.family())

    assert (fonts.missing(["北京"], fonts.family()) == "") == has_chinese


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"kind": 0}, ["kind"]),
        ({"kind": 7}, ["kind"]),
        ({"title": ""}, ["title"]),
        ({"title": "x" * 201}, ["title"]),
        ({"labels": []}, ["labels"]),
        ({"labels": ["x"] * 501}, ["labels"]),
        ({"labels": ["Mon", "x" * 101, "Wed"]}, ["labels[1]"]),
        ({"series": []}, ["series"]),
        ({"series": [{"values": [1, 2, 3]}] * 11}, ["series"]),
        ({"series": [{"name": "x" * 101, "values": [1, 2, 3]}]}, ["series[0].name"]),
        ({"series": [{"values": []}]}, ["series[0].values"]),
        ({"series": [{"values": [1.0] * 501}]}, ["series[0].values"]),
        ({"series": [{"values": [1, float("nan"), 3]}]}, ["series[0].values[1]"]),
        ({"series": [{"values": [1, float("inf"), 3]}]}, ["series[0].values[1]"]),
        ({"series": [{"values": [1, 2, -1e16]}]}, ["series[0].values[2]"]),
        ({"series": [{"values": [1, 2, 1e16]}]}, ["series[0].values[2]"]),
        ({"series": [{"values": [1, 2, 3]}, {"values": [1, 2]}]}, ["series[1].values"]),
        ({"x_label": "x" * 101}, ["x_label"]),
        ({"y_label": "x" * 101}, ["y_label"]),
        ({"width": 319}, ["width"]),
        ({"width": 2001}, ["width"]),
        ({"height": 239}, ["height"]),
        ({"height": 2001}, ["height"]),
        ({"kind": 0, "title": "", "labels": []}, ["kind", "title", "labels"]),
    ],
)
async def test_a_bad_request_is_refused_naming_every_bad_field(
    serve_service: Serve, elsewhere: Elsewhere, changes: dict[str, Any], fields: list[str]
) -> None:
    server, _ = await serve_service(chart_service())

    code, message, (bad,) = await failure(
        charts_pb2_grpc.ChartServiceStub(elsewhere(server)).DrawChart(rain(**changes))
    )

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert list(dict.fromkeys(violation.field for violation in bad.field_violations)) == fields
    assert all(violation.description in message for violation in bad.field_violations)


@pytest.mark.parametrize("language", ["python", "node"])
async def test_hundreds_of_bad_fields_are_refused_naming_the_first_and_telling_how_many_more(
    serve_service: Serve, request: pytest.FixtureRequest, language: str
) -> None:
    server, channel = await serve_service(chart_service())
    if language == "node":
        channel = request.getfixturevalue("elsewhere")(server)
    too_long = rain(labels=["x" * 101] * 500, series=[{"values": [1.0] * 500}])

    code, message, (bad,) = await failure(charts_pb2_grpc.ChartServiceStub(channel).DrawChart(too_long))

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    told = [violation.field for violation in bad.field_violations]
    assert told == [f"labels[{number}]" for number in range(len(told))]
    assert len(told) >= 20
    assert message.endswith(f"; and {500 - len(told)} more")


def largest() -> charts_pb2.DrawChartRequest:
    values = [float(number % 17) for number in range(500)]
    return rain(
        kind=charts_pb2.CHART_KIND_BAR,
        labels=[str(number) for number in range(500)],
        series=[{"name": str(number), "values": values} for number in range(10)],
        width=2000,
        height=2000,
    )


async def test_the_largest_chart_is_drawn_and_many_at_once_are_all_answered() -> None:
    async with running("charts") as (_, channel):
        stub = charts_pb2_grpc.ChartServiceStub(channel)
        bodies = await asyncio.gather(stub.DrawChart(largest()), *(stub.DrawChart(rain()) for _ in range(3)))

    assert picture(bodies[0].data).size == (2000, 2000)
    assert bodies[1].data == bodies[2].data == bodies[3].data


async def test_while_a_chart_is_drawn_others_are_answered() -> None:
    async with running("charts") as (_, channel):
        stub = charts_pb2_grpc.ChartServiceStub(channel)
        drawing = asyncio.ensure_future(stub.DrawChart(largest()))

        # It arrives after the other, and nothing is drawn for it.
        code, _, _ = await failure(stub.DrawChart(rain(title="")))

        assert code == StatusCode.INVALID_ARGUMENT
        assert not drawing.done()
        await drawing
