"""Conversation 10: a tool server is killed in mid-conversation; the loop goes on with what is left."""

from pathlib import Path
from typing import Any

from tests.conversations import mails, page
from tests.conversations.script import Turn, calls, says, turn
from tests.conversations.talk import WAITS, Talk
from tests.models.scripted_server import Answer

HEADING = "10. A backend killed in mid-conversation"
WEATHER = "weather.v1.WeatherService.GetWeather"
SEND = "mail.v1.MailService.SendMail"


async def test_what_the_killed_server_cannot_do_is_told_and_the_rest_is_done(
    conversation: Talk, tmp_path: Path
) -> None:
    sink = tmp_path / "sink"
    weather = await conversation.start("weather")
    await conversation.start("mail", "--sink", str(sink))

    async def after_the_kill(request: dict[str, Any]) -> Answer:
        assert Turn(request["messages"]).result("call_1")["location"] == "Beijing, China"
        await weather.kill()
        return calls(("call_2", WEATHER, {"name": "上海"}), ("call_3", SEND, {"draft": note(request)}))

    conversation.model.script += [
        calls(("call_1", WEATHER, {"name": "北京"})),
        after_the_kill,
        turn(tell),
    ]

    await conversation.chat(
        "--save", "note.db", "查北京和上海的天气，并把北京的气温发给 li@example.com", status=WAITS
    )
    shown = await conversation.chat("--resume", "note.db", "--approve", "call_3")

    assert shown.endswith("\n上海的天气没有查到：天气服务现在连不上（UNAVAILABLE）。\n")
    (sent,) = mails.kept(sink)
    assert sent.get_content().startswith("北京：")
    assert weather.process.returncode == -9
    page.assert_shows(HEADING, conversation.transcript)


def note(request: dict[str, Any]) -> dict[str, Any]:
    degrees = Turn(request["messages"]).result("call_1")["temp"]
    recipients = [{"address": "li@example.com"}]
    return {"subject": "北京的气温", "body": f"北京：{degrees:g} °C\n", "recipients": recipients}


def tell(seen: Turn) -> Answer:
    failed = seen.content("call_2")
    code = failed.partition(":")[0]
    assert seen.result("call_3")["sent"] == 1
    return says(f"北京的气温已发给 li@example.com。\n上海的天气没有查到：天气服务现在连不上（{code}）。")
