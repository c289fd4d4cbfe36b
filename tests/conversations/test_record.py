"""Conversation 9: a record pulled out of a paragraph; what does not fit is mended by the model itself."""

from pathlib import Path
from typing import Any

from tests.conversations import page
from tests.conversations.script import Turn, call, says, turn
from tests.conversations.talk import Talk
from tests.models.scripted_server import Answer

PARAGRAPH = "王芳，1990年5月14日出生，现任星河科技的工程师，住在上海，邮箱 wang.fang@example.com，爱好围棋。"
PERSON: dict[str, Any] = {
    "name": "王芳",
    "birthday": "1990-05-14",
    "emails": ["wang.fang@example.com"],
    "employer": "星河科技",
    "occupation": "工程师",
    "address": {"city": "上海", "country": "CN"},
    "more": {"爱好": "围棋"},
}


async def test_a_record_is_saved_once_its_birthday_is_written_as_a_date(
    conversation: Talk, tmp_path: Path
) -> None:
    file = tmp_path / "records.db"
    extract = await conversation.start("extract", DATABASE_URL=f"sqlite:///{file}")
    first = save("call_1", PERSON | {"birthday": "1990年5月14日"})
    conversation.model.script += [first, turn(mend), turn(read), turn(tell)]

    shown = await conversation.chat(f"把这段话存成一条记录：{PARAGRAPH}")

    assert shown.endswith("已存为第 1 号记录：王芳，1990-05-14，星河科技的工程师。\n")
    await extract.stop()
    assert extract.received("SaveRecord") == 1
    page.assert_shows("9. A record out of a paragraph", conversation.transcript)


def save(call_id: str, person: dict[str, Any]) -> Answer:
    return call(call_id, "extract.v1.ExtractService.SaveRecord", person=person, source=PARAGRAPH)


def mend(seen: Turn) -> Answer:
    assert 'must be a day of the calendar like "1990-05-14"' in seen.content("call_1")
    return save("call_2", PERSON)


def read(seen: Turn) -> Answer:
    return call("call_3", "extract.v1.ExtractService.GetRecord", id=int(seen.result("call_2")["id"]))


def tell(seen: Turn) -> Answer:
    record = seen.result("call_3")
    assert record["person"] == PERSON
    assert record["source"] == PARAGRAPH
    person = record["person"]
    told = f"{person['name']}，{person['birthday']}，{person['employer']}的{person['occupation']}"
    return says(f"已存为第 {record['id']} 号记录：{told}。")
