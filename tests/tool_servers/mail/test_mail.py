"""What a client of the mail service sees, over real gRPC, and what a real mail server gets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from google.rpc import error_details_pb2
from grpc import StatusCode
from mail.v1 import mail_pb2, mail_pb2_grpc

from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.mail.mailing import UUID, Scripted, draft, mail_server, mails, plain, to
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure
from tool_servers.mail.service import mail_service
from tool_servers.mail.sink import open_sink
from tool_servers.mail.smtp import MailServer


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


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def known_user(*_: object) -> AuthResult:
    auth = _[-1]
    assert isinstance(auth, LoginPassword)
    return AuthResult(success=(auth.login, auth.password) == (b"shop", b"right"), handled=False)


@asynccontextmanager
async def encrypted_server(mind: Scripted, authority: trustme.CA) -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    async with mail_server(
        mind,
        tls_context=context,
        require_starttls=True,
        authenticator=known_user,
        auth_required=True,
    ) as port:
        yield port


def trusting(port: int, authority: trustme.CA, **changes: Any) -> MailServer:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    known: dict[str, Any] = {"user": "shop", "password": "right", "tls": context}
    return MailServer(host="localhost", port=port, **(known | changes))


async def test_a_real_mail_server_gets_mail_over_starttls_after_the_login(
    serve_service: Serve, authority: trustme.CA
) -> None:
    mind = Scripted()
    async with encrypted_server(mind, authority) as port:
        _, channel = await serve_service(mail_service(trusting(port, authority), "shop@example.com"))

        response = await mail_pb2_grpc.MailServiceStub(channel).SendMail(
            mail_pb2.SendMailRequest(draft=draft())
        )

    assert response.sent == 2
    assert mind.encrypted == [True, True]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "does not know this user or password"),
        # The system's authorities did not issue the certificate.
        ({"tls": None}, "cannot be used"),
    ],
)
async def test_nothing_is_sent_to_a_mail_server_that_is_not_the_right_one_or_refuses_the_login(
    serve_service: Serve, authority: trustme.CA, changes: dict[str, Any], words: str
) -> None:
    mind = Scripted()
    async with encrypted_server(mind, authority) as port:
        server = trusting(port, authority, **changes)
        _, channel = await serve_service(mail_service(server, "shop@example.com"))

        code, message, _ = await failure(
            mail_pb2_grpc.MailServiceStub(channel).SendMail(mail_pb2.SendMailRequest(draft=draft()))
        )

    assert code == StatusCode.UNAVAILABLE
    assert words in message
    assert "wrong" not in message
    assert mind.taken == []


async def test_nothing_is_sent_in_the_open_where_starttls_is_required(serve_service: Serve) -> None:
    mind = Scripted()
    async with mail_server(mind) as port:
        server = MailServer(host="127.0.0.1", port=port)
        _, channel = await serve_service(mail_service(server, "shop@example.com"))

        code, _, _ = await failure(
            mail_pb2_grpc.MailServiceStub(channel).SendMail(mail_pb2.SendMailRequest(draft=draft()))
        )

    assert code == StatusCode.UNAVAILABLE
    assert mind.taken == []


ONE = {"address": "ada@example.com"}
LONG = {"address": "ada@example.com", "values": {"n": "x" * 2000}}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"subject": ""}, ["draft.subject"]),
        ({"subject": "x" * 201}, ["draft.subject"]),
        ({"subject": "Hello\r\nBcc: eve@example.com"}, ["draft.subject"]),
        ({"body": ""}, ["draft.body"]),
        ({"body": "x" * 20_001}, ["draft.body"]),
        ({"recipients": []}, ["draft.recipients"]),
        ({"recipients": [ONE] * 101, "subject": "x", "body": "x"}, ["draft.recipients"]),
        ({"recipients": [{"address": "nobody"}]}, ["draft.recipients[0].address"]),
        ({"recipients": [{"address": "a@b.c\nBcc: e@f.g"}]}, ["draft.recipients[0].address"]),
        ({"recipients": [ONE]}, ["draft.recipients[0].values"]),
        (
            {"recipients": [{"address": "a@b.c", "values": {"first name": "Ada"}}]},
            ['draft.recipients[0].values["first name"]'],
        ),
        (
            {"recipients": [{"address": "a@b.c", "values": {"name": "A", "years": "1", "x" * 51: "1"}}]},
            [f'draft.recipients[0].values["{"x" * 51}"]'],
        ),
        (
            {"recipients": [{"address": "a@b.c", "values": {"name": "x" * 2001}}]},
            ['draft.recipients[0].values["name"]'],
        ),
        (
            {"recipients": [{"address": "a@b.c", "values": {f"n{n}": "" for n in range(31)}}]},
            ["draft.recipients[0].values"],
        ),
        (
            {"recipients": [{"address": "a@b.c", "values": {"name": "A\nBcc: e@f.g", "years": "1"}}]},
            ['draft.recipients[0].values["name"]'],
        ),
        ({"subject": "Hello\x0bBcc: eve@example.com"}, ["draft.subject"]),
        ({"subject": "Hello\u2028Bcc: eve@example.com"}, ["draft.subject"]),
        (
            {"recipients": [{"address": "a@b.c", "values": {"name": "A\x85Bcc: e@f.g", "years": "1"}}]},
            ['draft.recipients[0].values["name"]'],
        ),
        (
            {"recipients": [{"address": f"{'x' * 65}@b.c"}]},
            ["draft.recipients[0].address", "draft.recipients[0].values"],
        ),
        (
            {
                "subject": "{{n}}",
                "body": "x",
                "recipients": [{"address": "a@b.c", "values": {"n": "x" * 1001}}],
            },
            ["draft.recipients[0].values"],
        ),
        (
            {
                "subject": "x",
                "body": "{{n}}" * 1001,
                "recipients": [{"address": "a@b.c", "values": {"n": "x" * 2000}}],
            },
            ["draft.recipients"],
        ),
        ({"subject": "Hello {{first name}}"}, ["draft.subject"]),
        ({"body": "Hello {{"}, ["draft.body"]),
        ({"subject": "", "body": "", "recipients": []}, ["draft.subject", "draft.body", "draft.recipients"]),
    ],
)
async def test_a_bad_draft_is_refused_naming_every_bad_field_and_nothing_is_sent(
    serve_service: Serve, elsewhere: Elsewhere, tmp_path: Path, changes: dict[str, Any], fields: list[str]
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        server, _ = await serve_service(mail_service(plain(port), "shop@example.com"))
        stub = mail_pb2_grpc.MailServiceStub(elsewhere(server))
        bad = draft(**changes)

        for call in (
            stub.PreviewMail(mail_pb2.PreviewMailRequest(draft=bad)),
            stub.SendMail(mail_pb2.SendMailRequest(draft=bad)),
        ):
            code, message, (details,) = await failure(call)

            assert code == StatusCode.INVALID_ARGUMENT
            assert isinstance(details, error_details_pb2.BadRequest)
            assert list(dict.fromkeys(each.field for each in details.field_violations)) == fields
            assert all(each.description in message for each in details.field_violations)

    assert mails(tmp_path) == []


@pytest.mark.parametrize(
    ("method", "request_message", "field"),
    [
        ("PreviewMail", mail_pb2.PreviewMailRequest(), "draft"),
        ("SendMail", mail_pb2.SendMailRequest(), "draft"),
        ("SendMail", mail_pb2.SendMailRequest(draft=draft(), request_id="1"), "request_id"),
        ("ListSentMails", mail_pb2.ListSentMailsRequest(limit=0), "limit"),
        ("ListSentMails", mail_pb2.ListSentMailsRequest(limit=201), "limit"),
        ("ListSentMails", mail_pb2.ListSentMailsRequest(to="nobody"), "to"),
    ],
)
async def test_a_bad_request_is_refused_naming_its_field(
    serve_service: Serve, elsewhere: Elsewhere, tmp_path: Path, method: str, request_message: Any, field: str
) -> None:
    async with open_sink("127.0.0.1:0", tmp_path) as (_, port):
        server, _ = await serve_service(mail_service(plain(port), "shop@example.com"))

        code, _, (details,) = await failure(
            getattr(mail_pb2_grpc.MailServiceStub(elsewhere(server)), method)(request_message)
        )

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(details, error_details_pb2.BadRequest)
    assert [each.field for each in details.field_violations] == [field]
    assert mails(tmp_path) == []


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
