"""What is asked by the Responses API, and what becomes of the answers."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from broker.errors import ModelError
from broker.models.model import KEPT_OUTPUT, ChatMessage, Model, ModelRequest, Notice, TextDelta, Turn, Usage
from tests.models.responses_events import call, events, of_item, reasoning, refused, response, said, sent
from tests.models.scripted_server import Answer, ScriptedServer, refusal

Make = Callable[..., Model]
HELLO: list[ChatMessage] = [{"role": "user", "content": "hello"}]
KEY = "key-5ecret-5ecret"
PARAMETERS = {"type": "object", "properties": {}}
OPENAI = {"endpoint": "openai"}
PNG = "data:image/png;base64,iVBORw0KGgo="


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": PARAMETERS, **more}}


async def heard(model: Model, messages: list[ChatMessage] = HELLO, **more: Any) -> list[Any]:
    return [item async for item in model.stream(ModelRequest(messages=messages, **more))]


async def ask(model: Model, messages: list[ChatMessage] = HELLO, **more: Any) -> Turn:
    turn = (await heard(model, messages, **more))[-1]
    assert isinstance(turn, Turn)
    return turn


async def test_the_request_has_what_the_settings_say(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(sent(events([said("hi")])))
    model = model_for(
        driver="responses",
        api_key=KEY,
        temperature=0.0,
        top_p=0.5,
        max_output_tokens=800,
        reasoning_effort="low",
        extra_body={"text": {"verbosity": "low"}, "model": "another"},
    )
    schema = {"name": "a", "schema": {"type": "object"}, "strict": True}

    await ask(
        model,
        tools=[tool("f", description="F.", strict=True), tool("g")],
        tool_choice="required",
        parallel_tool_calls=False,
        response_format={"type": "json_schema", "json_schema": schema},
        parameters={"top_p": 0.25},
    )

    assert server.requests == [
        {
            "model": "m",
            "input": [{"type": "message", "role": "user", "content": "hello"}],
            "stream": True,
            "store": False,
            "include": ["reasoning.encrypted_content"],
            "tools": [
                {
                    "type": "function",
                    "name": "f",
                    "description": "F.",
                    "parameters": PARAMETERS,
                    "strict": True,
                },
                {"type": "function", "name": "g", "parameters": PARAMETERS, "strict": False},
            ],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "text": {"verbosity": "low", "format": {"type": "json_schema", **schema}},
            "temperature": 0.0,
            "top_p": 0.25,
            "max_output_tokens": 800,
            "reasoning": {"effort": "low"},
        }
    ]
    assert server.headers[0][":path"] == "/v1/responses"
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("choice", "sent_choice"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [tool("f")]}},
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f", "parameters": PARAMETERS}],
            },
        ),
    ],
)
async def test_a_choice_is_flat(
    server: ScriptedServer, model_for: Make, choice: Any, sent_choice: Any
) -> None:
    server.script.append(sent(events([said("hi")])))

    await ask(model_for(driver="responses", **OPENAI), tools=[tool("f"), tool("g")], tool_choice=choice)

    assert server.requests[0]["tool_choice"] == sent_choice
    assert len(server.requests[0]["tools"]) == 2


CONVERSATION: list[ChatMessage] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,QQ==", "filename": "a.pdf"}},
        ],
    },
    {
        "role": "assistant",
        "content": "I look.",
        "reasoning_content": "of another server",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "warm"},
    {
        "role": "tool",
        "tool_call_id": "c2",
        "content": [{"type": "text", "text": "a map"}, {"type": "image_url", "image_url": {"url": PNG}}],
    },
    {"role": "assistant", "content": None, "refusal": "No."},
    {"role": "user", "content": "Why?"},
]
IMAGE = {"type": "input_image", "image_url": PNG, "detail": "auto"}


async def test_a_conversation_of_chat_messages_becomes_items(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(sent(events([said("hi")])))

    await ask(model_for(driver="responses", **OPENAI), CONVERSATION)

    assert server.requests[0]["input"] == [
        {"type": "message", "role": "system", "content": "Be brief."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {**IMAGE, "detail": "low"},
                {
                    "type": "input_file",
                    "file_data": "data:application/pdf;base64,QQ==",
                    "filename": "a.pdf",
                },
            ],
        },
        {"type": "message", "role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "warm"},
        {
            "type": "function_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "a map"}, IMAGE],
        },
        {"type": "message", "role": "assistant", "content": "No."},
        {"type": "message", "role": "user", "content": "Why?"},
    ]


async def test_images_of_results_follow_all_results_where_a_result_is_text(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(sent(events([said("hi")])))

    await ask(model_for(driver="responses"), CONVERSATION)

    results = server.requests[0]["input"][5:8]
    assert results[1]["output"].startswith("a map\n[")
    assert results[2] == {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Shown by call c2:"}, IMAGE],
    }


async def test_reasoning_and_all_that_was_said_goes_back_as_it_came(
    server: ScriptedServer, model_for: Make
) -> None:
    output = [
        reasoning("gAAA"),
        {"type": "tool_search_call", "id": "ts_1", "arguments": {}, "execution": "server"},
        {**said("I look."), "phase": "commentary"},
        call("c1", "f", '{"a": 1}', namespace="n"),
        call("c2", "g", "{}"),
    ]
    server.script += [sent(events(output)), sent(events([said("warm")]))]
    model = model_for(driver="responses", **OPENAI)

    turn = await ask(model, tools=[tool("f"), tool("g")])
    saved = orjson.loads(orjson.dumps(turn.message))
    results = [{"role": "tool", "tool_call_id": id, "content": "warm"} for id in ("c1", "c2")]
    await ask(model, [*HELLO, saved, *results])

    assert turn.text == "I look."
    assert [(one.id, one.name, one.arguments) for one in turn.calls] == [
        ("c1", "f", '{"a": 1}'),
        ("c2", "g", "{}"),
    ]
    assert server.requests[1]["input"][1:6] == output


async def test_what_was_changed_since_is_sent_as_it_is_now(server: ScriptedServer, model_for: Make) -> None:
    server.script += [sent(events([reasoning("gAAA"), call("c1", "f", "{oops")])), sent(events([said("a")]))]
    model = model_for(driver="responses")
    message = (await ask(model)).message
    message["tool_calls"][0]["id"] = "new"
    message["tool_calls"][0]["function"]["arguments"] = "{}"

    await ask(model, [*HELLO, message, {"role": "tool", "tool_call_id": "new", "content": ""}])

    sent_call = server.requests[1]["input"][2]
    assert (sent_call["call_id"], sent_call["arguments"]) == ("new", "{}")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"content": "Redacted."}, id="other words"),
        pytest.param({"tool_calls": []}, id="a call less"),
        pytest.param({"responses_output": ["I look."], "tool_calls": []}, id="no items"),
    ],
)
async def test_what_was_kept_is_forgotten_when_the_message_says_something_else(
    server: ScriptedServer, model_for: Make, change: dict[str, Any]
) -> None:
    server.script += [sent(events([said("I look."), call("c1", "f", "{}")])), sent(events([said("a")]))]
    model = model_for(driver="responses")
    message = {**(await ask(model)).message, **change}

    await ask(model, [*HELLO, message])

    texts = [item.get("content") for item in server.requests[1]["input"] if item["type"] == "message"]
    assert texts == ["hello", message["content"]]
    assert "msg_1" not in str(server.requests[1])


async def test_reasoning_that_nobody_could_read_is_left_out_with_the_ids_that_refer_to_it(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script += [sent(events([reasoning(None), call("c1", "f", "{}")])), sent(events([said("a")]))]
    model = model_for(driver="responses")
    message = (await ask(model)).message

    await ask(model, [*HELLO, message, {"role": "tool", "tool_call_id": "c1", "content": ""}])

    assert [item["type"] for item in server.requests[1]["input"]] == [
        "message",
        "function_call",
        "function_call_output",
    ]
    assert "id" not in server.requests[1]["input"][1]


async def test_an_id_that_is_too_long_is_the_same_short_one_in_call_and_result(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(sent(events([said("a")])))
    function = {"name": "f", "arguments": "{}"}
    messages: list[ChatMessage] = [
        {"role": "assistant", "tool_calls": [{"id": "x" * 65, "function": function}]},
        {"role": "tool", "tool_call_id": "x" * 65, "content": "a"},
    ]

    await ask(model_for(driver="responses"), messages)

    asked, result = server.requests[0]["input"]
    assert asked["call_id"] == result["call_id"]
    assert len(asked["call_id"]) <= 64


def many_tools() -> list[dict[str, Any]]:
    return [tool(f"mail_v1_MailService_Send{n}") for n in range(40)] + [
        tool(f"weather_v1_WeatherService_Get{n}", strict=True) for n in range(40)
    ]


async def test_many_tools_are_searched_at_the_server(server: ScriptedServer, model_for: Make) -> None:
    found = call("c1", "mail_v1_MailService_Send7", "{}", namespace="mail_v1_MailService")
    server.script.append(sent(events([found])))
    choice = {"type": "function", "function": {"name": "mail_v1_MailService_Send3"}}

    turn = await ask(model_for(driver="responses", **OPENAI), tools=many_tools(), tool_choice=choice)

    mail, weather, search = server.requests[0]["tools"]
    assert search == {"type": "tool_search"}
    assert (mail["type"], mail["name"]) == ("namespace", "mail_v1_MailService")
    assert mail["description"].startswith("The tools of mail_v1_MailService: Send0, Send1, ")
    assert [one["name"] for one in mail["tools"]] == [f"mail_v1_MailService_Send{n}" for n in range(40)]
    assert [one["name"] for one in mail["tools"] if "defer_loading" not in one] == [
        "mail_v1_MailService_Send3"
    ]
    assert weather["tools"][0] == {
        "type": "function",
        "name": "weather_v1_WeatherService_Get0",
        "parameters": PARAMETERS,
        "strict": True,
        "defer_loading": True,
    }
    assert turn.calls[0].name == "mail_v1_MailService_Send7"


@pytest.mark.parametrize(
    ("tools", "settings"),
    [
        pytest.param(many_tools()[:60], OPENAI, id="few"),
        pytest.param(many_tools(), {}, id="a server without search"),
    ],
)
async def test_other_tools_are_all_there_at_once(
    server: ScriptedServer, model_for: Make, tools: list[Any], settings: dict[str, Any]
) -> None:
    server.script.append(sent(events([said("a")])))
    model = model_for(driver="responses", **settings)

    await ask(model, tools=tools)

    assert [one["name"] for one in server.requests[0]["tools"]] == [one["function"]["name"] for one in tools]


async def test_a_model_that_cannot_search_is_sent_all_tools_from_then_on(
    server: ScriptedServer, model_for: Make
) -> None:
    no = {"error": {"message": "Tool 'tool_search' is not supported with m.", "param": "tools"}}
    server.script += [refusal(400, no), sent(events([said("a")])), sent(events([said("b")]))]
    model = model_for(driver="responses", **OPENAI)
    searches = model.max_tools

    items = await heard(model, tools=many_tools())
    await ask(model, tools=many_tools())

    assert isinstance(items[0], Notice)
    assert "cannot search" in items[0].text
    assert [len(one["tools"]) for one in server.requests] == [3, 80, 80]
    assert searches is None
    assert model.max_tools == 128


async def test_a_model_that_does_not_reason_is_not_asked_for_its_reasoning(
    server: ScriptedServer, model_for: Make
) -> None:
    no = {"error": {"message": "Encrypted content is not supported with this model.", "param": "include"}}
    server.script += [refusal(400, no), sent(events([said("a")])), sent(events([said("b")]))]
    model = model_for(driver="responses")

    items = await heard(model)
    await ask(model)

    assert not any(isinstance(item, Notice) for item in items)
    assert ["include" in one for one in server.requests] == [True, False, False]


async def test_reasoning_that_the_server_cannot_read_is_left_out(
    server: ScriptedServer, model_for: Make
) -> None:
    words = "The encrypted content gAAA could not be verified."
    no = refusal(400, {"error": {"message": words, "code": "invalid_encrypted_content"}})
    server.script += [sent(events([reasoning("gAAA"), said("a")])), no, sent(events([said("b")]))]
    model = model_for(driver="responses")
    message = (await ask(model)).message

    items = await heard(model, [*HELLO, message, *HELLO])

    assert isinstance(items[0], Notice)
    assert "gAAA" in str(server.requests[1])
    assert "gAAA" not in str(server.requests[2])
    assert items[-1].text == "b"


async def test_a_refusal_that_stays_is_told(server: ScriptedServer, model_for: Make) -> None:
    no = {"error": {"message": "The encrypted content could not be verified.", "param": None}}
    server.script += [refusal(400, no), refusal(400, no)]
    message = {"role": "assistant", "content": "a", KEPT_OUTPUT: [reasoning("gAAA"), said("a")]}

    with pytest.raises(ModelError, match="could not be verified"):
        await ask(model_for(driver="responses"), [*HELLO, message])

    assert len(server.requests) == 2


async def test_text_is_streamed_and_the_rest_is_in_the_turn(server: ScriptedServer, model_for: Make) -> None:
    usage = {
        "input_tokens": 7,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 3},
    }
    server.script.append(sent(events([reasoning("gAAA"), said("Good morning")], usage=usage)))

    items = await heard(model_for(driver="responses"))

    assert items[:-1] == [TextDelta(text="Good"), TextDelta(text=" morning")]
    turn = items[-1]
    assert turn.text == turn.message["content"] == "Good morning"
    assert turn.usage == Usage(input_tokens=7, output_tokens=5, cached_tokens=4, reasoning_tokens=3)
    assert (turn.finish_reason, turn.truncated) == ("completed", False)


async def test_a_refusal_of_the_model_is_its_text(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(sent(events([refused("I will not.")])))

    items = await heard(model_for(driver="responses"))

    assert "".join(item.text for item in items[:-1]) == items[-1].text == "I will not."
    assert items[-1].message["refusal"] == "I will not."
    assert items[-1].message["content"] is None


@pytest.mark.parametrize("ends", [0, 1], ids=["no end", "with all items at the end"])
async def test_items_that_have_all_the_same_place_are_told_apart(
    server: ScriptedServer, model_for: Make, ends: int
) -> None:
    asked = [said("I look."), call("c1", "f", '{"a": 1}'), call("c2", "f", '{"a": 2}')]
    streamed = [one for item in asked for one in of_item(0, item, [])]
    server.script.append(sent([*streamed, *events(asked)[-1:] * ends]))

    turn = await ask(model_for(driver="responses"))

    assert turn.text == "I look."
    assert [(one.id, one.arguments) for one in turn.calls] == [("c1", '{"a": 1}'), ("c2", '{"a": 2}')]


@pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
async def test_an_answer_that_was_stopped_is_truncated(
    server: ScriptedServer, model_for: Make, reason: str
) -> None:
    items = [call("c1", "f", "{}"), call("c2", "g", '{"a": ', status="incomplete")]
    server.script.append(sent(events(items, "incomplete", incomplete_details={"reason": reason})))

    turn = await ask(model_for(driver="responses"))

    assert turn.truncated
    assert turn.finish_reason == reason
    assert [one.id for one in turn.calls] == ["c1", "c2"]


@pytest.mark.parametrize("driver", ["responses", "auto"])
async def test_an_answer_in_one_piece_is_asked_for_and_is_a_turn(
    server: ScriptedServer, model_for: Make, driver: str
) -> None:
    body = response([said("Wait."), call("c1", "f", '{"a": 1}')], usage={"input_tokens": 5})
    text = json.dumps(body, indent=2).encode()
    server.script.append(Answer(blocks=[text[:20], text[20:]], content_type="application/json"))

    items = await heard(model_for(driver=driver, stream=False, **OPENAI))

    assert server.requests[0]["stream"] is False
    assert items[0] == TextDelta(text="Wait.")
    assert [(one.id, one.name, one.arguments) for one in items[-1].calls] == [("c1", "f", '{"a": 1}')]
    assert items[-1].usage.input_tokens == 5


async def test_a_stream_that_stays_open_after_its_last_event_is_not_waited_for(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(Answer(blocks=[*sent(events([said("a")])).blocks, asyncio.Event()]))

    assert (await ask(model_for(driver="responses"))).text == "a"


async def test_what_the_settings_say_and_the_api_does_not_know_is_told_once_in_a_run(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script += [sent(events([call("c1", "f", "{}")])), sent(events([said("a")]))]
    model = model_for(driver="responses", seed=7, stop=["END"])

    first = await heard(model)
    result = {"role": "tool", "tool_call_id": "c1", "content": ""}
    second = await heard(model, [*HELLO, first[-1].message, result])

    assert "`seed` and `stop`" in first[0].text
    assert not any(isinstance(item, Notice) for item in second)
    assert server.requests[0].keys().isdisjoint({"seed", "stop"})


HTML = b"<!doctype html><title>Welcome</title>"
FAILED = {"error": {"code": "server_error", "message": "out of memory"}}
FAILURES = [
    pytest.param(refusal(401, {"error": {"message": f"Bad key {KEY}"}}), ["401", "model.api_key"], id="401"),
    pytest.param(refusal(404, {"error": {"message": "no"}}), ["404", "model.base_url"], id="404"),
    pytest.param(refusal(429, {"error": {"message": "slow down"}}), ["429", "quota"], id="429"),
    pytest.param(refusal(502, HTML, "text/html"), ["502", "HTML"], id="HTML with 502"),
    pytest.param(refusal(200, HTML, "text/html"), ["HTML", "model.base_url"], id="HTML"),
    pytest.param(refusal(200, {"error": {"message": "overloaded"}}), ["overloaded"], id="an error with 200"),
    pytest.param(refusal(200, b""), ["no answer"], id="nothing"),
    pytest.param(
        sent([{"type": "response.created", "response": response([])}]), ["no answer"], id="only a beginning"
    ),
    pytest.param(sent(events([], "failed", **FAILED)), ["out of memory"], id="response.failed"),
    pytest.param(refusal(200, response([], "failed", **FAILED)), ["out of memory"], id="failed"),
    pytest.param(sent([{"type": "error", "message": "too long", "code": "x"}]), ["too long"], id="error"),
    pytest.param(Answer(blocks=[b"data: {oops\n\n"]), ["not JSON"], id="no JSON"),
    pytest.param(
        Answer(blocks=[*sent(events([said("abc")])[:3]).blocks], breaks_off=True),
        ["broke off", "Ask again"],
        id="half a stream",
    ),
    pytest.param(sent(events([call(str(n), "f", "{}") for n in range(129)])), ["128 tool calls"], id="calls"),
    pytest.param(refusal(200, response([said("a")] * 10_001)), ["10,000 items"], id="items"),
]


@pytest.mark.parametrize(("answer", "told"), FAILURES)
async def test_a_failure_is_told_in_plain_words_and_without_the_key(
    server: ScriptedServer, model_for: Make, answer: Answer, told: list[str]
) -> None:
    server.script.append(answer)

    with pytest.raises(ModelError) as raised:
        await ask(model_for(driver="responses", api_key=KEY))

    message = str(raised.value)
    assert message.startswith(f'The server of model "m" at {server.base_url}/ ')
    for words in told:
        assert words in message
    assert KEY not in message
    assert len(message) < 1000


async def test_a_server_that_is_slow_or_down_is_told(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(Answer(blocks=[asyncio.Event()]))
    with pytest.raises(ModelError, match=r"did not finish its answer within 0\.05 s"):
        await ask(model_for(driver="responses", timeout=0.05))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(ModelError, match="cannot be reached"):
            await ask(model_for(driver="responses", base_url=f"http://127.0.0.1:{port}/v1"))


async def test_a_request_that_came_too_often_is_sent_again(server: ScriptedServer, model_for: Make) -> None:
    again = Answer(blocks=[b"{}"], status=429, headers={"retry-after-ms": "1"})
    server.script += [again, sent(events([said("a")]))]

    assert (await ask(model_for(driver="responses", max_retries=1))).text == "a"


async def test_the_connection_is_used_again(server: ScriptedServer, model_for: Make) -> None:
    server.script += [sent(events([said("a")])) for _ in range(3)]
    model = model_for(driver="responses")

    for _ in range(3):
        await ask(model)

    assert server.connections == 1
