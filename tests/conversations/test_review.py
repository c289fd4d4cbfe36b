"""Conversation 8: one model writes code, another one reviews it, and the first one mends what was found."""

import json
from typing import Any

from tests.conversations import page
from tests.conversations.script import Turn, call, says, turn
from tests.conversations.talk import Talk
from tests.models.scripted_server import Answer, scripted_server

FIRST = "def mean(numbers):\n    return sum(numbers) / len(numbers)\n"
SECOND = "def mean(numbers):\n    return sum(numbers) / len(numbers) if numbers else 0.0\n"
OBJECTION = "Line 2 divides by zero when the list is empty: return 0.0 then."


async def test_what_the_other_model_finds_is_mended_before_the_user_gets_the_code(conversation: Talk) -> None:
    async with scripted_server() as reviewer:
        reviewer.script += [
            review(f"{OBJECTION}\nVERDICT: CHANGES NEEDED"),
            review("Correct.\nVERDICT: APPROVED"),
        ]
        settings = {"EXPERT_BASE_URL": reviewer.base_url, "EXPERT_MODEL": "reviewer"}
        await conversation.start("experts", **settings)
        conversation.model.script += [submit("call_1", FIRST), turn(mend), turn(deliver)]

        shown = await conversation.chat("用 Python 写一个求平均值的函数，让另一个模型审查后再给我")

    first, second = (request["messages"][-1]["content"] for request in reviewer.requests)
    assert first.endswith(f"Code:\n{FIRST}")
    assert second.endswith(f"Code:\n{SECOND}")
    assert {request["model"] for request in reviewer.requests} == {"reviewer"}
    assert shown.endswith(f"{SECOND}\n模型 reviewer 审查了两次。第一次：{OBJECTION} 第二次：通过。\n")
    page.assert_shows("8. Code by one model, reviewed by another", conversation.transcript)


def submit(call_id: str, code: str) -> Answer:
    purpose = "the mean of a list of numbers, which may be empty"
    method = "experts.v1.ExpertService.ReviewCode"
    return call(call_id, method, code=code, language="Python", purpose=purpose)


def mend(seen: Turn) -> Answer:
    verdict = seen.result("call_1")
    assert verdict["verdict"] == "VERDICT_CHANGES_NEEDED"
    assert verdict["review"].startswith(OBJECTION)
    return submit("call_2", SECOND)


def deliver(seen: Turn) -> Answer:
    first, second = seen.result("call_1"), seen.result("call_2")
    assert second["verdict"] == "VERDICT_APPROVED"
    objection = first["review"].splitlines()[0]
    return says(f"{SECOND}\n模型 {second['model']} 审查了两次。第一次：{objection} 第二次：通过。")


def review(text: str) -> Answer:
    """A completion of the second model, whose server does not stream it."""
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "r", "object": "chat.completion", "created": 0, "model": "reviewer"}
    completion = body | {"choices": [{"index": 0} | choice]}
    return Answer(blocks=[json.dumps(completion).encode()], content_type="application/json")
