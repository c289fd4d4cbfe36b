"""Conversation 7: a chart, which the model sees as an image."""

import base64

from tests.conversations import page
from tests.conversations.script import Turn, call, says, turn
from tests.conversations.talk import Talk
from tests.models.scripted_server import Answer

DAYS = 7


async def test_the_model_sees_the_chart_that_was_drawn_of_a_forecast(conversation: Talk) -> None:
    await conversation.start("weather")
    await conversation.start("charts")
    conversation.model.script += [forecast(), turn(draw), turn(tell)]

    shown = await conversation.chat("画一张北京未来一周最高气温的折线图")

    before, after = conversation.model.requests[-2:]
    assert Turn(before["messages"]).images() == []
    (image,) = Turn(after["messages"]).images()
    assert image.startswith("data:image/png;base64,")
    png = base64.b64decode(image.partition(",")[2])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (640, 360)
    assert png.endswith(b"IEND\xaeB`\x82")
    assert f"我看到了 {len(png)} 字节的 PNG" in shown
    page.assert_shows("7. A chart as an image", conversation.transcript)


def forecast() -> Answer:
    return call("call_1", "weather.v1.WeatherService.GetForecast", name="北京", days=DAYS)


def draw(seen: Turn) -> Answer:
    days = seen.result("call_1")["days"]
    assert len(days) == DAYS
    # In Latin letters, since this machine may have no font for others.
    return call(
        "call_2",
        "charts.v1.ChartService.DrawChart",
        kind="CHART_KIND_LINE",
        title="Highest temperatures in Beijing",
        labels=[day["date"][5:] for day in days],
        series=[{"values": [day["temp_max"] for day in days]}],
        y_label="°C",
        width=640,
        height=360,
    )


def tell(seen: Turn) -> Answer:
    (image,) = seen.images()
    size = len(base64.b64decode(image.partition(",")[2]))
    return says(f"图画好了：我看到了 {size} 字节的 PNG。")
