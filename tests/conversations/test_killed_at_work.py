"""Conversation 10 again: a tool server is killed while it works on a call: one that reads, one that acts."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.conversations import mails, page
from tests.conversations.script import Turn, calls, says, turn
from tests.conversations.talk import WAITS, Talk
from tests.models.scripted_server import Answer

WEATHER = "weather.v1.WeatherService.GetWeather"
SEND = "mail.v1.MailService.SendMail"
NOTE = {"subject": "周会", "body": "明天十点开会。\n", "recipients": [{"address": "li@example.com"}]}
ASKED = "查上海的天气，并通知 li@example.com 明天十点开会"
Happen = Callable[[], Coroutine[Any, Any, None]]


class Source:
    """Where the weather is asked from: something happens to whoever asks, and no answer is sent."""

    def __init__(self) -> None:
        self.asked = 0
        self.happens: Happen | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        assert self.happens is not None
        await self.happens()
        writer.close()


class Post:
    """A mail server's mind: it takes a mail, and something happens before the sender hears of it."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.happens: Happen | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        assert self.happens is not None
        # Shielded, since what is said to a sender ends with the sender.
        await asyncio.shield(self.happens())
        return "250 2.0.0 kept"


class Successor(grpc.GenericRpcHandler):
    """What is reached in place of the killed server: it is to be asked for nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> None:
        self.asked.append(handler_call_details.method)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its address."""
        server = grpc.aio.server(handlers=(self,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        yield f"127.0.0.1:{port}"
        await server.stop(None)


class Switch:
    """Stands between the broker and a server, like a load balancer: each connection goes to `address`."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.address.rpartition(":")
        behind, ahead = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pass_on(reader, ahead), _pass_on(behind, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def listening(server: asyncio.Server) -> AsyncIterator[int]:
    """Its port."""
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_call_that_dies_with_its_server_is_told_and_the_other_of_the_turn_is_made(
    conversation: Talk, tmp_path: Path
) -> None:
    source, sink = Source(), tmp_path / "sink"
    async with listening(await asyncio.start_server(source.serve, "127.0.0.1", 0)) as port:
        settings = {"OPEN_METEO_URL": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}
        weather = await conversation.start("weather", WEATHER_PROVIDER="open-meteo", **settings)
        source.happens = weather.kill
        await conversation.start("mail", "--sink", str(sink))
        conversation.model.script += [both(), turn(tell_of_the_weather)]

        await conversation.chat("--save", "note.db", ASKED, status=WAITS)
        shown = await conversation.chat("--resume", "note.db", "--approve", "call_2")

    assert source.asked == 1
    assert weather.process.returncode == -9
    assert len(mails.kept(sink)) == 1
    assert shown.endswith("\n通知已发出。上海的天气没有查到（UNAVAILABLE）。\n")
    page.assert_shows("Killed while it works", conversation.transcript)


async def test_a_mail_whose_server_dies_while_it_sends_may_have_gone_and_is_not_sent_again(
    conversation: Talk,
) -> None:
    post, successor = Post(), Successor()
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(lambda: SMTP(post, hostname="localhost"), "127.0.0.1", 0)
    async with listening(smtp) as port, successor.running() as next_address:
        settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_STARTTLS": "never"}
        mail = await conversation.start("mail", **settings)
        switch = Switch(mail.address)
        async with listening(await asyncio.start_server(switch.serve, "127.0.0.1", 0)) as front:
            conversation.settings["backends"]["mail"]["target"] = f"127.0.0.1:{front}"
            await conversation.start("weather")

            async def fail_over() -> None:
                switch.address = next_address
                await mail.kill()

            post.happens = fail_over
            conversation.model.script += [both(), turn(tell_of_the_mail)]
            await conversation.chat("--save", "note.db", ASKED, status=WAITS)
            shown = await conversation.chat("--resume", "note.db", "--approve", "call_2")
            transcript = conversation.transcript
            await conversation.chat("--resume", "note.db")

    assert len(post.taken) == 1
    assert successor.asked == []
    assert "It may have been done all the same" in shown
    assert shown.endswith("通知也许已经发出，也许没有；我没有再发一次，请先问问对方。\n")
    page.assert_shows("Killed while it sends", transcript)


def both() -> Answer:
    return calls(("call_1", WEATHER, {"name": "上海"}), ("call_2", SEND, {"draft": NOTE}))


def tell_of_the_weather(seen: Turn) -> Answer:
    code = seen.content("call_1").partition(":")[0]
    assert seen.result("call_2")["sent"] == 1
    return says(f"通知已发出。上海的天气没有查到（{code}）。")


def tell_of_the_mail(seen: Turn) -> Answer:
    degrees = seen.result("call_1")["temp"]
    assert "It may have been done all the same" in seen.content("call_2")
    return says(f"上海 {degrees:g} °C。\n通知也许已经发出，也许没有；我没有再发一次，请先问问对方。")
