"""Drafts, and mail servers that take them."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from mail.v1 import mail_pb2

from tool_servers.mail.smtp import MailServer

UUID = "4e1b2c9a-7a40-4a0e-9a63-0c5b8f2f7d11"


def draft(**changes: Any) -> mail_pb2.Draft:
    """A mail to Ada and to 李雷, changed."""
    given: dict[str, Any] = {
        "subject": "Your offer, {{name}}",
        "body": "Dear {{ name }},\n\nthank you for {{years}} years.\n",
        "recipients": [
            {"address": "ada@example.com", "values": {"name": "Ada", "years": "3"}},
            {"address": "li@example.com", "values": {"name": "李雷", "years": "5"}},
        ],
    }
    return mail_pb2.Draft(**(given | changes))


def to(*addresses: str) -> mail_pb2.Draft:
    return draft(subject="Hello", body="Hello", recipients=[{"address": address} for address in addresses])


def mails(folder: Path) -> list[EmailMessage]:
    """What the sink has kept."""
    read = (path.read_bytes() for path in sorted(folder.glob("*.eml")))
    return [email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default) for data in read]


class Scripted:
    """A mail server's mind: it refuses `refused`, hangs up on `dropped`, and knows one user."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if envelope.rcpt_tos[0].startswith("dropped"):
            assert server.transport is not None
            server.transport.close()
        self.taken.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 2.0.0 kept"


@asynccontextmanager
async def mail_server(mind: Scripted, **options: Any) -> AsyncIterator[int]:
    """A real mail server, and its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mind, hostname="localhost", **options), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def plain(port: int) -> MailServer:
    return MailServer(host="127.0.0.1", port=port, starttls=False)
