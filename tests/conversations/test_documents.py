"""Conversation 6: a question that documents answer, and a mail that passes the answer on."""

from pathlib import Path

from tests.conversations import mails, page
from tests.conversations.script import Turn, call, says, turn
from tests.conversations.talk import WAITS, Talk
from tests.models.scripted_server import Answer

HEADING = "6. Documents, then a mail"
ASKED = "出差住酒店一晚最多能报销多少？把规定原文发给 li@example.com"
RULES = """\
# 差旅制度

## 交通

高铁二等座、经济舱机票据实报销。

## 住宿

一线城市每晚最多报销 600 元，其他城市每晚最多 450 元。超出部分自理。

## 伙食

每天补贴 100 元，不需要发票。
"""
OTHER = "# 考勤制度\n\n每天工作八小时。请假要提前一天申请。\n"


async def test_a_passage_is_quoted_with_its_place_and_sent_on(conversation: Talk, tmp_path: Path) -> None:
    documents, sink = tmp_path / "rules", tmp_path / "sink"
    documents.mkdir()
    (documents / "差旅.md").write_text(RULES)
    (documents / "考勤.md").write_text(OTHER)
    await conversation.start("knowledge", "--folder", str(documents))
    mail = await conversation.start("mail", "--sink", str(sink))
    conversation.model.script += [search(), turn(send), turn(tell)]

    await conversation.chat("--save", "rules.db", ASKED, status=WAITS)
    assert mails.kept(sink) == []
    shown = await conversation.chat("--resume", "rules.db", "--approve", "call_2")

    assert shown.endswith("一线城市每晚最多 600 元（差旅.md，第 9 行）。原文已发给 li@example.com。\n")
    (sent,) = mails.kept(sink)
    assert sent["X-Envelope-To"] == "li@example.com"
    assert "一线城市每晚最多报销 600 元，其他城市每晚最多 450 元。" in sent.get_content()
    assert "（差旅.md，第 9 行）" in sent.get_content()
    await mail.stop()
    assert mail.received("SendMail") == 1
    page.assert_shows(HEADING, conversation.transcript)


def search() -> Answer:
    return call("call_1", "knowledge.v1.KnowledgeService.SearchDocuments", query="住宿 报销", limit=2)


def send(seen: Turn) -> Answer:
    best = seen.result("call_1")["passages"][0]
    body = f"{best['text']}\n\n（{place(seen)}）\n"
    draft = {"subject": "住宿报销规定", "body": body, "recipients": [{"address": "li@example.com"}]}
    return call("call_2", "mail.v1.MailService.SendMail", draft=draft)


def tell(seen: Turn) -> Answer:
    (delivery,) = seen.result("call_2")["deliveries"]
    assert delivery["outcome"] == "OUTCOME_SENT"
    return says(f"一线城市每晚最多 600 元（{place(seen)}）。原文已发给 {delivery['to']}。")


def place(seen: Turn) -> str:
    best = seen.result("call_1")["passages"][0]
    first, last = best["first_line"], best["last_line"]
    return f"{best['document']}，第 {first if first == last else f'{first}–{last}'} 行"
