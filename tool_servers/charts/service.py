"""charts.v1 requests → images, one after the other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import grpc.aio
from charts.v1 import charts_pb2, charts_pb2_grpc
from google.api import httpbody_pb2

from tool_servers.charts import fonts
from tool_servers.charts.drawing import Chart, Kind, Series, draw
from tool_servers.serving.failures import Failure, Violation, invalid_request, reason
from tool_servers.serving.server import Service

_DESCRIPTOR = charts_pb2.DESCRIPTOR.services_by_name["ChartService"]
_KINDS = {charts_pb2.CHART_KIND_LINE: Kind.LINE, charts_pb2.CHART_KIND_BAR: Kind.BAR}
_DEFAULT_WIDTH, _DEFAULT_HEIGHT = 960, 540
_MAX_NAMED = 20


def chart_service() -> Service:
    """What is served."""
    return Service(
        descriptor=_DESCRIPTOR,
        servicer=ChartService(),
        register=charts_pb2_grpc.add_ChartServiceServicer_to_server,
        max_request=512 * 1024,
        max_response=8 * 1024 * 1024,
    )


class ChartService(charts_pb2_grpc.ChartServiceServicer):
    """Answers DrawChart."""

    def __init__(self) -> None:
        # matplotlib draws in one thread at a time; meanwhile others are answered.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")

    async def DrawChart(
        self,
        request: charts_pb2.DrawChartRequest,
        context: grpc.aio.ServicerContext[charts_pb2.DrawChartRequest, httpbody_pb2.HttpBody],
    ) -> httpbody_pb2.HttpBody:
        uneven = _uneven(request)
        if uneven:
            raise invalid_request(uneven)
        chart = _chart(request)
        image = await asyncio.get_running_loop().run_in_executor(self._thread, _drawn, chart)
        return httpbody_pb2.HttpBody(content_type="image/png", data=image)


def _drawn(chart: Chart) -> bytes:
    missing = fonts.missing(chart.texts, chart.family)
    if missing:
        raise Failure(
            grpc.StatusCode.FAILED_PRECONDITION,
            f'no font of this server has the characters "{missing[:_MAX_NAMED]}"; '
            "write all text of the chart in Latin letters, for instance in English",
            reason(_DESCRIPTOR.full_name, "NO_FONT", {"characters": missing[:_MAX_NAMED]}),
        )
    return draw(chart)


def _uneven(request: charts_pb2.DrawChartRequest) -> list[Violation]:
    labels = len(request.labels)
    return [
        Violation(
            field=f"series[{number}].values",
            description=f"must have one value for each of the {labels} label(s), not {len(series.values)}",
        )
        for number, series in enumerate(request.series)
        if len(series.values) != labels
    ]


def _chart(request: charts_pb2.DrawChartRequest) -> Chart:
    return Chart(
        kind=_KINDS[request.kind],
        title=request.title,
        labels=list(request.labels),
        series=[Series(name=series.name, values=list(series.values)) for series in request.series],
        x_label=request.x_label,
        y_label=request.y_label,
        width=request.width if request.HasField("width") else _DEFAULT_WIDTH,
        height=request.height if request.HasField("height") else _DEFAULT_HEIGHT,
    )
