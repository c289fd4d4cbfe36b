"""Conversation 4: from customers to mails, with somebody's approval between preview and sending."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.conversations import mails, page
from tests.conversations.conftest import Sales
from tests.conversations.script import Turn, call, calls, says, turn
from tests.conversations.talk import WAITS, Talk
from tests.models.scripted_server import Answer

HEADING = "4. Customers, a preview, an approval, mails"
ASKED = "给2024年以前注册、消费超过1万欧元的客户每人发一封感谢信"
FOUND = """
SELECT email, name FROM customers JOIN customer_revenue ON customer_id = id
WHERE revenue > 1000000 AND created_on < '2024-01-01' ORDER BY revenue DESC
"""


async def test_mails_go_to_the_customers_who_were_found_once_somebody_approved(
    conversation: Talk, sales: Sales, tmp_path: Path
) -> None:
    sink = tmp_path / "sink"
    await conversation.start("customers", **sales.environment)
    mail = await conversation.start("mail", "--sink", str(sink))
    conversation.model.script += [find(), turn(preview), turn(send), turn(tell)]

    shown = await conversation.chat("--save", "thanks.db", ASKED, status=WAITS)

    assert "共 31 封，第一封给 customer3@example.com：\n感谢您的支持，Lake Café 3\n" in shown
    assert "? mail_v1_MailService_SendMail waits for approval as call_3: " in shown
    assert mail.received("SendMail") == 0
    assert mails.kept(sink) == []

    shown = await conversation.chat("--resume", "thanks.db", "--approve", "call_3")

    wanted = await expected(sales)
    assert len(wanted) == 31
    assert shown.endswith("已发送 31 封感谢信，第一封给 Lake Café 3。\n")
    await mail.stop()
    assert (mail.received("PreviewMail"), mail.received("SendMail")) == (1, 1)
    sent = mails.kept(sink)
    assert [each["X-Envelope-To"] for each in sent] == [address for address, _ in wanted]
    for each, (address, name) in zip(sent, wanted, strict=True):
        assert (each["To"], each["Subject"]) == (address, f"感谢您的支持，{name}")
        assert each.get_content().splitlines()[0] == f"{name}："
    page.assert_shows(HEADING, conversation.transcript)


async def test_mails_that_are_not_approved_are_not_sent(
    conversation: Talk, sales: Sales, tmp_path: Path
) -> None:
    sink = tmp_path / "sink"
    await conversation.start("customers", **sales.environment)
    mail = await conversation.start("mail", "--sink", str(sink))
    conversation.model.script += [find(), turn(preview), turn(send), turn(give_up)]
    await conversation.chat("--save", "thanks.db", ASKED, status=WAITS)

    shown = await conversation.chat("--resume", "thanks.db", "--reject", "call_3")

    assert shown.endswith("好的，没有发送任何邮件。\n")
    await mail.stop()
    assert (mail.received("PreviewMail"), mail.received("SendMail")) == (1, 0)
    assert mails.kept(sink) == []


def find() -> Answer:
    wanted = {"min_revenue": 10_000, "created_before": "2024-01-01", "limit": 100}
    return call("call_1", "customers.v1.CustomerService.GetCustomers", **wanted)


def preview(seen: Turn) -> Answer:
    return call("call_2", "mail.v1.MailService.PreviewMail", draft=draft(seen))


def send(seen: Turn) -> Answer:
    mails = seen.result("call_2")["mails"]
    preview = f"共 {len(mails)} 封，第一封给 {mails[0]['to']}：\n{mails[0]['subject']}\n{mails[0]['body']}"
    return calls(("call_3", "mail.v1.MailService.SendMail", {"draft": draft(seen)}), saying=preview)


def tell(seen: Turn) -> Answer:
    first = seen.result("call_1")["customers"][0]["name"]
    return says(f"已发送 {seen.result('call_3')['sent']} 封感谢信，第一封给 {first}。")


def give_up(seen: Turn) -> Answer:
    assert "rejected" in seen.content("call_3").lower()
    return says("好的，没有发送任何邮件。")


def draft(seen: Turn) -> dict[str, Any]:
    recipients = [
        {"address": each["email"], "values": {"name": each["name"], "revenue": f"{each['revenue']:.2f}"}}
        for each in seen.result("call_1")["customers"]
    ]
    body = "{{name}}：\n\n感谢您迄今惠顾 {{revenue}} 欧元。\n"
    return {"subject": "感谢您的支持，{{name}}", "body": body, "recipients": recipients}


async def expected(sales: Sales) -> Sequence[Any]:
    """The address and name of whom the database itself finds."""
    async with sales.database.engine.connect() as connection:
        return (await connection.execute(text(FOUND))).all()
