"""What arrives of a mail, what its mail server said of it, and that it is sent once or told not to be."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from mail.v1 import mail_pb2, mail_pb2_grpc

from tests.tool_servers.conftest import Serve
from tests.tool_servers.mail.mailing import Scripted, draft, mail_server, mails, plain, to
from tests.tool_servers.process import running
from tool_servers.mail import smtp
from tool_servers.mail.service import mail_service
from tool_servers.mail.sink import open_sink


@pytest.mark.parametrize(
    "text",
    [
        "=?utf-8?q?Hello=0D=0ABcc:_eve@example.com?=",
        "=?utf-8?b?SGVsbG8=?= and more",
        "  two  blanks  ",
        "李雷" * 60,
        "émoji 🎉 " * 20,
        "a" * 90 + " é " + "b" * 90,
        "w" * 200,
        "李\u3000雷",
        "👩\u200d💻",
    ],
)
async def test_a_subject_arrives_as_it_was_shown_and_is_no_other_header(
    serve_service: Serve, tmp_path: Path, text: str
) -> None:
    recipients = [{"address": "ada@example.com", "values": {"name": text}}]
    drafts = [draft(subject=text, body="x", recipients=recipients)]
    drafts.append(draft(subject="{{name}}", body="x", recipients=recipients))
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)
        for each in drafts:
            await stub.SendMail(mail_pb2.SendMailRequest(draft=each))
        shown = [await stub.PreviewMail(mail_pb2.PreviewMailRequest(draft=each)) for each in drafts]

    assert [mail["Subject"] for mail in mails(tmp_path)] == [text, text]
    assert [each.mails[0].subject for each in shown] == [text, text]
    headers = ["X-Envelope-To", "From", "To", "Subject", "Date", "Message-ID"]
    assert all(mail.keys()[: len(headers)] == headers and mail["Bcc"] is None for mail in mails(tmp_path))


@pytest.mark.parametrize("text", ["one\rtwo\r\nthree\n", ".\n..\n.\n", "é" * 2000 + "\n", "From me\n \n"])
async def test_a_text_arrives_as_it_was_shown(serve_service: Serve, tmp_path: Path, text: str) -> None:
    given = draft(subject="x", body=text, recipients=[{"address": "ada@example.com"}])
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)
        await stub.SendMail(mail_pb2.SendMailRequest(draft=given))
        shown = await stub.PreviewMail(mail_pb2.PreviewMailRequest(draft=given))

    (mail,) = mails(tmp_path)
    assert mail.get_content().replace("\r\n", "\n") == shown.mails[0].body


@asynccontextmanager
async def speaking(answer: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """A server that answers each line as told, for what no mail server says; it ends data with a point."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            said = answer(line.strip())
            writer.write(said + b"\r\n")
            if said.startswith(b"354"):
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(answer(b".") + b"\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answers", "outcomes"),
    [
        ({b".": b"451 later"}, ["REFUSED", "REFUSED"]),
        ({b"DATA": b"452 full"}, ["REFUSED", "REFUSED"]),
        # No reply of SMTP: the mail may have been taken.
        ({b".": b"what?"}, ["UNKNOWN", "NOT_SENT"]),
    ],
)
async def test_what_the_mail_server_says_of_a_mail_is_told(
    serve_service: Serve, answers: dict[bytes, bytes], outcomes: list[str]
) -> None:
    fine = {b"DATA": b"354 go on"}
    async with speaking(lambda line: (fine | answers).get(line, b"250 fine")) as port:
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))

        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=to("a@example.com", "b@example.com"))
        )

    told = [mail_pb2.Outcome.Name(each.outcome) for each in response.deliveries]
    assert told == [f"OUTCOME_{outcome}" for outcome in outcomes]
    assert response.sent == 0


async def test_a_mail_server_that_does_not_answer_leaves_one_unknown_and_the_rest_untried(
    serve_service: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
    release = asyncio.Event()

    class Slow(Scripted):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            await release.wait()
            return await super().handle_DATA(server, session, envelope)

    async with mail_server(Slow()) as port:
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=to("a@example.com", "b@example.com"))
        )
        release.set()

    outcomes = [mail_pb2.OUTCOME_UNKNOWN, mail_pb2.OUTCOME_NOT_SENT]
    assert [each.outcome for each in response.deliveries] == outcomes


async def test_mails_whose_client_has_gone_away_are_sent_before_the_server_stops() -> None:
    reached, release = asyncio.Event(), asyncio.Event()
    mind = Scripted()

    class Slow(Scripted):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            reached.set()
            await release.wait()
            return await mind.handle_DATA(server, session, envelope)

    async with mail_server(Slow()) as port:
        settings = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(port), "SMTP_STARTTLS": "never"}
        async with running("mail", "--grace", "60", **settings) as (process, channel):
            call: Any = mail_pb2_grpc.MailServiceStub(channel).SendMail(
                mail_pb2.SendMailRequest(draft=to("a@example.com", "b@example.com"))
            )
            await reached.wait()
            call.cancel()
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            while b"stopped" not in await process.stderr.readline():
                pass
            release.set()
            assert await process.wait() == 0

    assert [envelope.rcpt_tos for envelope in mind.taken] == [["a@example.com"], ["b@example.com"]]


async def test_a_sink_keeps_what_it_has_when_some_of_it_was_removed(
    serve_service: Serve, tmp_path: Path
) -> None:
    for names in ("abc", "d"):
        async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
            _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
            await mail_pb2_grpc.MailServiceStub(channel).SendMail(
                mail_pb2.SendMailRequest(draft=to(*(f"{name}@example.com" for name in names)))
            )
        (tmp_path / "00001.eml").unlink(missing_ok=True)

    assert [mail["To"] for mail in mails(tmp_path)] == [f"{name}@example.com" for name in "bcd"]


async def test_a_sink_that_cannot_keep_a_mail_refuses_it(serve_service: Serve, tmp_path: Path) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        (tmp_path / "00001.eml").mkdir()
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))

        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=to("a@example.com", "b@example.com"))
        )

    assert [each.outcome for each in response.deliveries] == [
        mail_pb2.OUTCOME_REFUSED,
        mail_pb2.OUTCOME_SENT,
    ]
    assert str(tmp_path) not in response.deliveries[0].reason
