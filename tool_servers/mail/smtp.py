"""Mails → a mail server (RFC 5321), by aiosmtplib, and what it said about each."""

import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import Enum, auto

import aiosmtplib

TIMEOUT = 20.0
"""Seconds that the mail server has for each step."""
_MAX_REASON = 300
_MAX_ADDRESS, _MAX_LOCAL = 254, 64
"""Characters of an address, and of what stands before its @ (RFC 5321, 4.5.3.1)."""
_REFUSES = 400
"""A reply from this number on is a refusal (RFC 5321, 4.2.1)."""
_SHORT = 200
"""Characters of a subject that stands on one line: with it, shorter than the 998 that a line may have."""
_PLAIN = re.compile(r"[!-~]+( [!-~]+)*")
"""What reads the same in a header as it is written, if there is no encoded word in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where mails are handed in."""

    host: str
    port: int
    starttls: bool = True
    """True: nothing is sent before the connection is encrypted, and the certificate is the host's."""
    user: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    """None: the system's certificate authorities."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """A mail to one recipient."""

    sender: str
    to: str
    subject: str
    body: str


class Outcome(Enum):
    """What became of a mail."""

    SENT = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    NOT_SENT = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What became of one mail, and why."""

    mail: Mail
    outcome: Outcome
    reason: str = ""


class MailServerFailed(Exception):
    """The mail server could not be used at all: nothing was sent."""


def from_environment(environment: Mapping[str, str]) -> MailServer | None:
    """The mail server that the environment names; None: it names none. Raises ValueError.

    >>> from_environment({}) is None
    True
    >>> from_environment({"SMTP_HOST": "mail.example.com"}).port
    587
    """
    host = environment.get("SMTP_HOST")
    if not host:
        return None
    port = environment.get("SMTP_PORT", "587")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"SMTP_PORT {port!r} is no port: give 1 to 65535")
    starttls = environment.get("SMTP_STARTTLS", "required")
    if starttls not in ("required", "never"):
        raise ValueError(f"SMTP_STARTTLS {starttls!r} is not known: give required or never")
    user, password = environment.get("SMTP_USER"), environment.get("SMTP_PASSWORD")
    if (user is None) != (password is None):
        raise ValueError("SMTP_USER and SMTP_PASSWORD go together: give both or none")
    if user is not None and starttls == "never":
        raise ValueError("SMTP_PASSWORD would be sent in the open: give SMTP_STARTTLS=required")
    return MailServer(
        host=host, port=int(port), starttls=starttls == "required", user=user, password=password
    )


async def send(server: MailServer, mails: Sequence[Mail]) -> list[Delivery]:
    """Hands in all mails over one connection; raises MailServerFailed when there is none to be had."""
    # All are written before one is sent, so that none can fail between others.
    written = [(mail, _written(mail)) for mail in mails]
    deliveries: list[Delivery] = []
    async with _connected(server) as client:
        for mail, data in written:
            if client.is_connected:
                deliveries.append(await _send_one(client, mail, data))
            else:
                why = "the connection broke before it"
                deliveries.append(Delivery(mail=mail, outcome=Outcome.NOT_SENT, reason=why))
    return deliveries


async def _send_one(client: aiosmtplib.SMTP, mail: Mail, data: bytes) -> Delivery:
    try:
        await client.sendmail(mail.sender, [mail.to], data)
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
        refusal = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
        reason = f"{refusal.code} {refusal.message}"[:_MAX_REASON]
        if refusal.code >= _REFUSES:
            return Delivery(mail=mail, outcome=Outcome.REFUSED, reason=reason)
        # Not what a mail server says: nothing that comes after it can be trusted to be an answer.
        client.close()
        return Delivery(mail=mail, outcome=Outcome.UNKNOWN, reason=reason)
    except (aiosmtplib.SMTPException, OSError) as error:
        return Delivery(mail=mail, outcome=Outcome.UNKNOWN, reason=str(error)[:_MAX_REASON])
    return Delivery(mail=mail, outcome=Outcome.SENT)


@asynccontextmanager
async def _connected(server: MailServer) -> AsyncIterator[aiosmtplib.SMTP]:
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        start_tls=server.starttls,
        tls_context=server.tls,
        username=server.user,
        password=server.password,
        timeout=TIMEOUT,
    )
    try:
        await client.connect()
    except aiosmtplib.SMTPAuthenticationError as error:
        raise MailServerFailed("the mail server does not know this user or password") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise MailServerFailed(f"the mail server cannot be used: {str(error)[:_MAX_REASON]}") from error
    try:
        yield client
    finally:
        client.close()


def _written(mail: Mail) -> bytes:
    """The mail as it goes over the wire (RFC 5322)."""
    head = {
        "From": mail.sender,
        "To": mail.to,
        "Subject": _subject(mail.subject),
        "Date": formatdate(),
        "Message-ID": make_msgid(domain="localhost"),
    }
    content = EmailMessage(policy=policy.SMTP)
    content.set_content(mail.body)
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return lines.encode("ascii") + content.as_bytes()


def _subject(text: str) -> str:
    r"""The value of a header that reads as this text and is nothing else, whatever stands in it.

    >>> _subject("Your offer, Ada")
    'Your offer, Ada'
    >>> _subject("=?utf-8?q?a=0D=0ABcc:_eve@example.com?=")
    '=?utf-8?b?PT91dGYtOD9xP2E9MEQ9MEFCY2M6X2V2ZUBleGFtcGxlLmNvbT89?='
    """
    # `email` would read encoded words in the text, and drop blanks, where it is given the text.
    if len(text) <= _SHORT and _PLAIN.fullmatch(text) and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n")


def is_address(text: str) -> bool:
    """Whether it is one mail address of ASCII, in a form and of a length that fits a header."""
    if not text.isascii() or len(text) > _MAX_ADDRESS or len(text.rpartition("@")[0]) > _MAX_LOCAL:
        return False
    try:
        Address(addr_spec=text)
    except (ValueError, HeaderParseError, IndexError):
        return False
    return True
