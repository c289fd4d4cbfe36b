"""Which of the two APIs is asked, and what is done when a server refuses it."""

from collections.abc import Callable
from typing import Any

import pytest

from broker.errors import ModelError
from broker.models.model import Model, ModelRequest, Notice, Turn
from tests.models import responses_events
from tests.models.responses_events import events, sent
from tests.models.scripted_server import Answer, ScriptedServer, refusal, said, stream

Make = Callable[..., Model]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
# https://github.com/openai/openai-openapi/issues/541
NO_TOOLS = refusal(
    400,
    {
        "error": {
            "message": "Function tools with reasoning_effort are not supported for m in "
            "/v1/chat/completions. To use them, use /v1/responses or set reasoning_effort to 'none'.",
            "type": "invalid_request_error",
            "param": "reasoning_effort",
        }
    },
)
NO_ROUTE = refusal(404, {"detail": "Not Found"})
OVER_CHAT = stream(said("a"))
OVER_RESPONSES = sent(events([responses_events.said("a")]))


async def heard(model: Model) -> tuple[list[str], Turn]:
    """The notices, and the turn."""
    request = ModelRequest(messages=[{"role": "user", "content": "hello"}], tools=[TOOL])
    items = [item async for item in model.stream(request)]
    assert isinstance(items[-1], Turn)
    return [item.text for item in items if isinstance(item, Notice)], items[-1]


def asked(server: ScriptedServer) -> list[str]:
    """The API of each request."""
    return [headers[":path"].removeprefix("/v1/") for headers in server.headers]


@pytest.mark.parametrize(
    ("settings", "api"),
    [
        pytest.param({"endpoint": "openai"}, "responses", id="OpenAI"),
        pytest.param({"endpoint": "azure"}, "responses", id="Azure"),
        pytest.param({"endpoint": "openai", "reasoning_effort": "none"}, "chat/completions", id="no effort"),
        pytest.param({"endpoint": "vllm"}, "chat/completions", id="vLLM"),
        pytest.param({}, "chat/completions", id="another server"),
    ],
)
async def test_the_api_is_that_by_which_the_server_takes_tools_and_reasoning(
    server: ScriptedServer, model_for: Make, settings: dict[str, Any], api: str
) -> None:
    server.script.append(OVER_RESPONSES if api == "responses" else OVER_CHAT)

    notices, turn = await heard(model_for(driver="auto", **settings))

    assert asked(server) == [api]
    assert turn.text == "a"
    assert not notices


@pytest.mark.parametrize(
    ("settings", "script", "apis", "told"),
    [
        pytest.param(
            {"endpoint": {"has_responses": True}},
            [NO_TOOLS, OVER_RESPONSES, OVER_RESPONSES],
            ["chat/completions", "responses", "responses"],
            ["asked by the Responses API"],
            id="to Responses",
        ),
        pytest.param(
            {},
            [NO_TOOLS, OVER_CHAT, OVER_CHAT],
            ["chat/completions"] * 3,
            ["not to reason"],
            id="to no reasoning",
        ),
        pytest.param(
            {"endpoint": "openai"},
            [NO_ROUTE, OVER_CHAT, OVER_CHAT],
            ["responses", "chat/completions", "chat/completions"],
            ["has no Responses API"],
            id="to Chat Completions",
        ),
        pytest.param(
            {"endpoint": "openai"},
            [NO_ROUTE, NO_TOOLS, OVER_CHAT, OVER_CHAT],
            ["responses"] + ["chat/completions"] * 3,
            ["has no Responses API", "not to reason"],
            id="to Chat Completions and no reasoning",
        ),
    ],
)
async def test_a_refusal_is_got_around_once_with_a_notice_and_remembered(
    server: ScriptedServer,
    model_for: Make,
    settings: dict[str, Any],
    script: list[Answer],
    apis: list[str],
    told: list[str],
) -> None:
    server.script += script
    model = model_for(driver="auto", **settings)

    first, turn = await heard(model)
    second, _ = await heard(model)

    assert asked(server) == apis
    assert turn.text == "a"
    assert len(first) == len(told)
    assert all(words in notice for words, notice in zip(told, first, strict=True))
    assert not second
    efforts = [request.get("reasoning_effort") for request in server.requests]
    without = "not to reason" in told[-1]
    assert efforts[-2:] == (["none", "none"] if without else [None, None])


@pytest.mark.parametrize(
    ("settings", "script"),
    [
        pytest.param({}, [NO_TOOLS, NO_TOOLS], id="it refuses to go without reasoning too"),
        pytest.param({"endpoint": "openai"}, [NO_ROUTE, NO_ROUTE], id="there is no API at all"),
        pytest.param(
            {"endpoint": "openai"},
            [refusal(404, {"error": {"message": "no such model", "code": "model_not_found"}})],
            id="it is the model that is not there",
        ),
        pytest.param({"endpoint": "openai"}, [refusal(400, {"error": {"message": "bad"}})], id="another 400"),
        pytest.param({}, [refusal(400, {"error": {"message": "bad"}})], id="another 400 over chat"),
        pytest.param({}, [refusal(500, {"error": {"message": "tools, reasoning"}})], id="another status"),
    ],
)
async def test_what_cannot_be_got_around_is_told(
    server: ScriptedServer, model_for: Make, settings: dict[str, Any], script: list[Answer]
) -> None:
    server.script += script

    with pytest.raises(ModelError):
        await heard(model_for(driver="auto", **settings))

    assert not server.script


async def test_a_fallback_that_failed_is_not_remembered(server: ScriptedServer, model_for: Make) -> None:
    server.script += [NO_ROUTE, NO_ROUTE, OVER_RESPONSES]
    model = model_for(driver="auto", endpoint="openai")

    with pytest.raises(ModelError):
        await heard(model)
    await heard(model)

    assert asked(server) == ["responses", "chat/completions", "responses"]


async def test_a_driver_that_is_named_is_the_only_one(server: ScriptedServer, model_for: Make) -> None:
    server.script += [NO_TOOLS, NO_ROUTE]

    with pytest.raises(ModelError, match="use /v1/responses"):
        await heard(model_for(driver="chat-completions", endpoint="openai"))
    with pytest.raises(ModelError, match="404"):
        await heard(model_for(driver="responses", endpoint="openai"))


async def test_the_number_of_tools_is_that_of_the_api_that_is_asked(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script += [NO_ROUTE, OVER_CHAT]
    model = model_for(driver="auto", endpoint="openai")

    before = model.max_tools
    await heard(model)

    assert (before, model.max_tools) == (None, 128)
