"""Conversation 1: the weather, asked of the rule-based stand-in, as `make demo` asks it."""

import re

from tests.conversations import page
from tests.conversations.talk import Talk

WEATHER = "weather_v1_WeatherService_GetWeather"


async def test_the_weather_of_one_place_is_told(conversation: Talk) -> None:
    weather = await conversation.start("weather")
    conversation.ask_the_stand_in()

    shown = await conversation.chat("北京今天天气怎么样？")

    assert f'→ {WEATHER} {{"name":"北京"}}' in shown
    assert re.search(r"^- 北京：location = Beijing, China，temp = -?\d", shown, re.MULTILINE)
    await weather.stop()
    assert weather.received("GetWeather") == 1
    page.assert_shows("1. The weather", conversation.transcript)


async def test_the_weather_of_several_places_is_asked_for_at_once(conversation: Talk) -> None:
    # Long enough that the others arrive meanwhile.
    weather = await conversation.start("weather", "--delay", "0.5")
    conversation.ask_the_stand_in()

    shown = await conversation.chat("北京、上海和广州今天天气怎么样？")

    assert re.findall(r"^- (\w+)：location = (\w+)", shown, re.MULTILINE) == [
        ("北京", "Beijing"),
        ("上海", "Shanghai"),
        ("广州", "Guangzhou"),
    ]
    await weather.stop()
    assert weather.received("GetWeather") == 3
    assert "max_in_flight=3" in weather.log
    page.assert_shows("In several places at once", conversation.transcript)
