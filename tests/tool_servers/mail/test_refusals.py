"""What a client may not send: each bad field is named, and nothing is sent."""

from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2
from grpc import StatusCode
from mail.v1 import mail_pb2, mail_pb2_grpc

from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.mail.mailing import draft, mails, plain
from tests.tool_servers.served import failure
from tool_servers.mail.service import mail_service
from tool_servers.mail.sink import open_sink

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
