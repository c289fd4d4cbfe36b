"""mail.v1 requests → mails, and what became of them."""

import asyncio
import re
import unicodedata
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp
from mail.v1 import mail_pb2, mail_pb2_grpc

from tool_servers.mail import smtp, template
from tool_servers.mail.smtp import Mail, MailServer, MailServerFailed, Outcome
from tool_servers.serving.failures import Failure, Violation, invalid_request, reason
from tool_servers.serving.server import Service

MAX_LISTED = 1000
"""So many of the mails that were sent are remembered."""
MAX_ANSWERED = 1000
"""So many of the calls with a request_id are remembered."""
MAX_CHARACTERS = 2_000_000
"""Of all mails of a draft, with their values."""
MAX_SUBJECT = 1000
"""Characters of a subject with its values."""
_DEFAULT_LIMIT = 50
_DESCRIPTOR = mail_pb2.DESCRIPTOR.services_by_name["MailService"]
_OUTCOMES = {
    Outcome.SENT: mail_pb2.OUTCOME_SENT,
    Outcome.REFUSED: mail_pb2.OUTCOME_REFUSED,
    Outcome.UNKNOWN: mail_pb2.OUTCOME_UNKNOWN,
    Outcome.NOT_SENT: mail_pb2.OUTCOME_NOT_SENT,
}


def mail_service(server: MailServer, sender: str) -> Service:
    """What is served; raises ValueError for a sender that is no mail address."""
    if not smtp.is_address(sender):
        raise ValueError(f"MAIL_FROM {sender!r} is no mail address: give one like tools@example.com")
    return Service(
        descriptor=_DESCRIPTOR,
        servicer=MailService(server, sender),
        register=mail_pb2_grpc.add_MailServiceServicer_to_server,
        max_request=8 * 1024 * 1024,
        max_response=8 * 1024 * 1024,
    )


class MailService(mail_pb2_grpc.MailServiceServicer):
    """Answers PreviewMail, SendMail and ListSentMails."""

    def __init__(self, server: MailServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._deliveries: deque[mail_pb2.Delivery] = deque(maxlen=MAX_LISTED)
        self._answers: OrderedDict[str, _Answer] = OrderedDict()
        self._sending: set[asyncio.Task[mail_pb2.SendMailResponse]] = set()

    async def PreviewMail(
        self,
        request: mail_pb2.PreviewMailRequest,
        context: grpc.aio.ServicerContext[mail_pb2.PreviewMailRequest, mail_pb2.PreviewMailResponse],
    ) -> mail_pb2.PreviewMailResponse:
        mails = [
            mail_pb2.Mail(**{"from": mail.sender}, to=mail.to, subject=mail.subject, body=mail.body)
            for mail in self._mails(request.draft)
        ]
        return mail_pb2.PreviewMailResponse(mails=mails)

    async def SendMail(
        self,
        request: mail_pb2.SendMailRequest,
        context: grpc.aio.ServicerContext[mail_pb2.SendMailRequest, mail_pb2.SendMailResponse],
    ) -> mail_pb2.SendMailResponse:
        mails = self._mails(request.draft)
        known = self._answers.get(request.request_id)
        if known is not None and known.mails != mails:
            what = "was used for another draft: give a new UUID to send this one"
            raise invalid_request([Violation(field="request_id", description=what)])
        # A task of its own: mails that were begun are sent, and remembered, also when the client goes away.
        sending = self._begin(mails) if known is None else known.sending
        if request.request_id and known is None:
            self._remember(request.request_id, _Answer(mails=mails, sending=sending))
        return await asyncio.shield(sending)

    async def ListSentMails(
        self,
        request: mail_pb2.ListSentMailsRequest,
        context: grpc.aio.ServicerContext[mail_pb2.ListSentMailsRequest, mail_pb2.ListSentMailsResponse],
    ) -> mail_pb2.ListSentMailsResponse:
        limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
        wanted = (each for each in reversed(self._deliveries) if request.to in ("", each.to))
        return mail_pb2.ListSentMailsResponse(deliveries=islice(wanted, limit))

    async def finish(self, grace: float) -> None:
        """Gives mails whose client has gone away so many seconds to be sent."""
        if self._sending:
            await asyncio.wait(self._sending, timeout=grace)

    def _begin(self, mails: Sequence[Mail]) -> asyncio.Task[mail_pb2.SendMailResponse]:
        sending = asyncio.create_task(self._send(mails))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        return sending

    def _mails(self, draft: mail_pb2.Draft) -> list[Mail]:
        problems = list(_violations(draft))
        if problems:
            raise invalid_request(problems)
        mails: list[Mail] = []
        left = MAX_CHARACTERS
        for recipient in draft.recipients:
            mail = Mail(
                sender=self._sender,
                to=recipient.address,
                subject=template.fill(draft.subject, recipient.values),
                # As it arrives: every line ends alike.
                body="\n".join(re.split("\r\n?|\n", template.fill(draft.body, recipient.values))),
            )
            left -= len(mail.subject) + len(mail.body)
            if left < 0:
                what = f"make more than {MAX_CHARACTERS} characters of mail; send to fewer, or shorter values"
                raise invalid_request([Violation(field="draft.recipients", description=what)])
            mails.append(mail)
        return mails

    async def _send(self, mails: Sequence[Mail]) -> mail_pb2.SendMailResponse:
        try:
            deliveries = await smtp.send(self._server, mails)
        except MailServerFailed as error:
            raise Failure(
                grpc.StatusCode.UNAVAILABLE,
                f"{error}; nothing was sent",
                reason(_DESCRIPTOR.full_name, "MAIL_SERVER_FAILED"),
            ) from error
        now = Timestamp()
        now.GetCurrentTime()
        told = [
            mail_pb2.Delivery(
                to=each.mail.to,
                subject=each.mail.subject,
                outcome=_OUTCOMES[each.outcome],
                reason=each.reason,
                time=now,
            )
            for each in deliveries
        ]
        self._deliveries.extend(told)
        sent = sum(each.outcome is Outcome.SENT for each in deliveries)
        return mail_pb2.SendMailResponse(deliveries=told, sent=sent)

    def _remember(self, request_id: str, answer: "_Answer") -> None:
        self._answers[request_id] = answer
        if len(self._answers) > MAX_ANSWERED:
            self._answers.popitem(last=False)
        # What was not sent at all may be tried again with the same id.
        answer.sending.add_done_callback(
            lambda done: self._answers.pop(request_id, None) if done.cancelled() or done.exception() else None
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """What the call with a request_id is doing, or has done."""

    mails: Sequence[Mail]
    sending: asyncio.Task[mail_pb2.SendMailResponse]


def _violations(draft: mail_pb2.Draft) -> Iterator[Violation]:
    """What the rules of the .proto cannot say: about placeholders, and what values make of the subject."""
    for field, text in (("subject", draft.subject), ("body", draft.body)):
        odd = template.odd(text)
        if odd is not None:
            yield Violation(
                field=f"draft.{field}",
                description=f'"{odd}" is no placeholder: write {{{{name}}}}, with letters, digits and _ only',
            )
    if not _is_one_line(draft.subject):
        yield Violation(field="draft.subject", description="must be one line of text")
    wanted = template.names(f"{draft.subject}\n{draft.body}")
    for number, recipient in enumerate(draft.recipients):
        path = f"draft.recipients[{number}]"
        if not smtp.is_address(recipient.address):
            yield Violation(field=f"{path}.address", description=f'"{recipient.address}" is no mail address')
        missing = [name for name in wanted if name not in recipient.values]
        if missing:
            names = ", ".join(f'"{name}"' for name in missing)
            yield Violation(field=f"{path}.values", description=f"has no {names}, which the draft uses")
        elif len(template.fill(draft.subject, recipient.values)) > MAX_SUBJECT:
            what = f"make a subject of more than {MAX_SUBJECT} characters; send shorter ones"
            yield Violation(field=f"{path}.values", description=what)
        for name in template.names(draft.subject):
            if not _is_one_line(recipient.values.get(name, "")):
                description = "must be one line of text, since it stands in the subject"
                yield Violation(field=f'{path}.values["{name}"]', description=description)


def _is_one_line(text: str) -> bool:
    """Whether it has no control characters and separators of lines, which end a header."""
    return not any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text)
