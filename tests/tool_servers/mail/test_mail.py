"""What a client of the mail service sees, over real gRPC, and what a real mail server gets."""

import asyncio
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from google.rpc import error_details_pb2
from grpc import StatusCode
from mail.v1 import mail_pb2, mail_pb2_grpc

from tests.tool_servers.conftest import Serve
from tests.tool_servers.mail.mailing import UUID, Scripted, draft, mail_server, mails, plain, to
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure
from tool_servers.mail.service import mail_service
from tool_servers.mail.sink import open_sink


async def test_a_draft_is_shown_as_each_recipient_would_get_it_and_nothing_is_sent(
    serve_service: Serve, tmp_path: Path
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)

        preview = await stub.PreviewMail(mail_pb2.PreviewMailRequest(draft=draft()))
        listed = await stub.ListSentMails(mail_pb2.ListSentMailsRequest())

    assert [(mail.to, mail.subject) for mail in preview.mails] == [
        ("ada@example.com", "Your offer, Ada"),
        ("li@example.com", "Your offer, 李雷"),
    ]
    assert preview.mails[0].body == "Dear Ada,\n\nthank you for 3 years.\n"
    assert getattr(preview.mails[0], "from") == "shop@example.com"
    assert mails(tmp_path) == []
    assert not listed.deliveries


async def test_each_recipient_gets_a_mail_of_their_own_through_smtp(
    serve_service: Serve, tmp_path: Path
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)

        response = await stub.SendMail(mail_pb2.SendMailRequest(draft=draft()))

    assert response.sent == 2
    assert [each.outcome for each in response.deliveries] == [mail_pb2.OUTCOME_SENT] * 2
    ada, li = mails(tmp_path)
    assert (ada["From"], ada["To"], ada["Subject"]) == (
        "shop@example.com",
        "ada@example.com",
        "Your offer, Ada",
    )
    assert (li["To"], li["Subject"]) == ("li@example.com", "Your offer, 李雷")
    assert li.get_content().splitlines() == ["Dear 李雷,", "", "thank you for 5 years."]
    assert ada["X-Envelope-To"] == "ada@example.com"
    assert ada["Message-ID"] != li["Message-ID"]


async def test_what_was_sent_is_listed_the_latest_first_and_can_be_asked_for_by_address(
    serve_service: Serve, tmp_path: Path
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)
        for name in "abc":
            await stub.SendMail(mail_pb2.SendMailRequest(draft=to(f"{name}@example.com")))

        every = await stub.ListSentMails(mail_pb2.ListSentMailsRequest())
        two = await stub.ListSentMails(mail_pb2.ListSentMailsRequest(limit=2))
        one = await stub.ListSentMails(mail_pb2.ListSentMailsRequest(to="b@example.com"))

    assert [each.to for each in every.deliveries] == ["c@example.com", "b@example.com", "a@example.com"]
    assert [each.to for each in two.deliveries] == ["c@example.com", "b@example.com"]
    assert [each.to for each in one.deliveries] == ["b@example.com"]
    assert every.deliveries[0].HasField("time")


async def test_a_repeated_request_id_sends_nothing_and_gets_the_first_answer(
    serve_service: Serve, tmp_path: Path
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)
        request = mail_pb2.SendMailRequest(draft=draft(), request_id=UUID)

        first, beside = await asyncio.gather(stub.SendMail(request), stub.SendMail(request))
        again = await stub.SendMail(request)
        code, message, _ = await failure(
            stub.SendMail(mail_pb2.SendMailRequest(draft=to("eve@example.com"), request_id=UUID))
        )

    assert first == beside == again
    assert len(mails(tmp_path)) == 2
    assert code == StatusCode.INVALID_ARGUMENT
    assert "was used for another draft" in message


async def test_a_refused_recipient_is_told_and_the_others_get_their_mail(serve_service: Serve) -> None:
    mind = Scripted()
    async with mail_server(mind) as port:
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))

        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=to("a@example.com", "refused@example.com", "b@example.com"))
        )

    assert [mail_pb2.Outcome.Name(each.outcome) for each in response.deliveries] == [
        "OUTCOME_SENT",
        "OUTCOME_REFUSED",
        "OUTCOME_SENT",
    ]
    assert response.deliveries[1].reason == "550 5.1.1 nobody of that name"
    assert response.sent == 2


async def test_a_connection_that_breaks_leaves_one_unknown_and_the_rest_untried(
    serve_service: Serve,
) -> None:
    mind = Scripted()
    async with mail_server(mind) as port:
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))

        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=to("a@example.com", "dropped@example.com", "b@example.com"))
        )

    assert [mail_pb2.Outcome.Name(each.outcome) for each in response.deliveries] == [
        "OUTCOME_SENT",
        "OUTCOME_UNKNOWN",
        "OUTCOME_NOT_SENT",
    ]
    assert response.sent == 1


async def test_a_mail_server_that_is_down_is_unavailable_and_the_request_id_is_free_again(
    serve_service: Serve, tmp_path: Path
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        pass
    _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
    stub = mail_pb2_grpc.MailServiceStub(channel)
    request = mail_pb2.SendMailRequest(draft=draft(), request_id=UUID)

    code, message, (info,) = await failure(stub.SendMail(request))
    async with open_sink(f"127.0.0.1:{port}", tmp_path):
        response = await stub.SendMail(request)

    assert code == StatusCode.UNAVAILABLE
    assert message.endswith("nothing was sent")
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.reason == "MAIL_SERVER_FAILED"
    assert response.sent == 2


async def test_by_itself_it_sends_to_a_sink_in_the_folder_that_it_is_given(tmp_path: Path) -> None:
    async with running("mail", "--sink", str(tmp_path), MAIL_FROM="shop@example.com") as (_, channel):
        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=draft())
        )

    assert response.sent == 2
    assert [mail["From"] for mail in mails(tmp_path)] == ["shop@example.com"] * 2


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ((), {"MAIL_FROM": "nobody"}, "MAIL_FROM 'nobody' is no mail address"),
        ((), {"SMTP_HOST": "localhost", "SMTP_PORT": "x"}, "SMTP_PORT 'x' is no port"),
        ((), {"SMTP_HOST": "localhost", "SMTP_STARTTLS": "maybe"}, "give required or never"),
        ((), {"SMTP_HOST": "localhost", "SMTP_USER": "me"}, "SMTP_USER and SMTP_PASSWORD go together"),
        (
            (),
            {"SMTP_HOST": "h", "SMTP_USER": "me", "SMTP_PASSWORD": "hidden", "SMTP_STARTTLS": "never"},
            "would be sent in the open",
        ),
        (("--sink-address", "nowhere"), {}, "'nowhere' is no address of a sink"),
        (("--sink-address", "127.0.0.1:65536"), {}, "'127.0.0.1:65536' is no address of a sink"),
        (("--sink", "/dev/null/x"), {}, "/dev/null/x"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line(
    arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    await refuses("mail", words, "--address", "127.0.0.1:0", *arguments, **environment)


async def test_a_client_that_goes_away_leaves_mails_that_are_sent_and_listed(serve_service: Serve) -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    class Slow(Scripted):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            reached.set()
            await release.wait()
            return await super().handle_DATA(server, session, envelope)

    async with mail_server(Slow()) as port:
        _, channel = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(channel)
        request = mail_pb2.SendMailRequest(draft=to("a@example.com"), request_id=UUID)
        call: Any = stub.SendMail(request)
        await reached.wait()
        call.cancel()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await call
        release.set()

        again = await stub.SendMail(request)
        listed = await stub.ListSentMails(mail_pb2.ListSentMailsRequest())

    assert again.sent == 1
    assert [each.to for each in listed.deliveries] == ["a@example.com"]
