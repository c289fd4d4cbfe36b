"""A stream that ends in the middle, without an error and without a word that it is over."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.models.model import Model, ModelRequest, Turn
from tests.models import responses_events
from tests.models.scripted_server import Answer, ScriptedServer, asked_for, chunk, event, said, stream

HELLO = [{"role": "user", "content": "hello"}]
CALL = responses_events.of_item(0, responses_events.call("x", "f", '{"a": 1}'), ['{"a": 1}'])
TEXT = responses_events.of_item(0, responses_events.said("It is"), ["It is"])


def responses(events: list[dict[str, Any]]) -> Answer:
    return Answer(blocks=[*map(event, events)])


async def turn_of(model: Model) -> Turn:
    items = [item async for item in model.stream(ModelRequest(messages=HELLO))]
    assert isinstance(items[-1], Turn)
    return items[-1]


@pytest.mark.parametrize(
    ("driver", "answer"),
    [
        pytest.param(
            "chat-completions", stream(asked_for(("x", "f", '{"a": 1}'))[:1], done=False), id="a call"
        ),
        pytest.param("chat-completions", stream([chunk({"content": "It is"})], done=False), id="text"),
        pytest.param("responses", responses(CALL[:1]), id="a call, over Responses"),
        pytest.param("responses", responses(TEXT[:2]), id="text, over Responses"),
    ],
)
async def test_what_broke_off_is_not_taken_for_whole(
    server: ScriptedServer, model_for: Callable[..., Model], driver: str, answer: Answer
) -> None:
    server.script.append(answer)

    turn = await turn_of(model_for(driver=driver))

    assert turn.truncated
    assert (len(turn.calls), turn.text) in ((1, ""), (0, "It is"))


@pytest.mark.parametrize(
    ("driver", "answer"),
    [
        pytest.param(
            "chat-completions", stream(asked_for(("x", "f", ""), finish_reason="")), id="the end is said"
        ),
        pytest.param(
            "chat-completions", stream(asked_for(("x", "f", "")), done=False), id="a reason is said"
        ),
        pytest.param("chat-completions", stream(said("It is")[:1]), id="the end of a text is said"),
        pytest.param(
            "chat-completions",
            stream(asked_for(("x", "f", "{}"), finish_reason=""), done=False),
            id="the arguments are whole",
        ),
        pytest.param("responses", responses(CALL), id="the end of the call is said"),
        pytest.param("responses", responses(TEXT), id="the end of the text is said, over Responses"),
    ],
)
async def test_what_shows_that_it_is_whole_is_whole_whatever_else_is_missing(
    server: ScriptedServer, model_for: Callable[..., Model], driver: str, answer: Answer
) -> None:
    server.script.append(answer)

    assert not (await turn_of(model_for(driver=driver))).truncated


@pytest.mark.parametrize("end", [[], [chunk({}, "length")]], ids=["broken off", "stopped"])
async def test_of_calls_that_come_side_by_side_none_is_taken_for_one_without_arguments(
    server: ScriptedServer, model_for: Callable[..., Model], end: list[dict[str, Any]]
) -> None:
    heads = [
        {"index": place, "id": id, "function": {"name": "f", "arguments": ""}}
        for place, id in enumerate("xy")
    ]
    server.script.append(stream([*(chunk({"tool_calls": [head]}) for head in heads), *end], done=False))

    turn = await turn_of(model_for())

    assert [call.id for call in turn.calls] == ["y"]
    assert turn.truncated, "so that the last one is not made either"
    assert [call["id"] for call in turn.message["tool_calls"]] == ["y"]
