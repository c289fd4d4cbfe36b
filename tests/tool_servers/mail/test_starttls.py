"""A mail server that asks for STARTTLS and a login."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import AuthResult, LoginPassword
from grpc import StatusCode
from mail.v1 import mail_pb2, mail_pb2_grpc

from tests.tool_servers.conftest import Serve
from tests.tool_servers.mail.mailing import Scripted, draft, mail_server
from tests.tool_servers.served import failure
from tool_servers.mail.service import mail_service
from tool_servers.mail.smtp import MailServer


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
