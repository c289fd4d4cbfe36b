"""What each kind of server is sent over Chat Completions for the same request."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from broker.errors import ModelError
from broker.models.model import ChatMessage, Model, ModelRequest, Notice, Turn
from broker.models.refused_tool import refused_tool
from tests.models import responses_events
from tests.models.scripted_server import ScriptedServer, asked_for, refusal, said, stream

Make = Callable[..., Model]
HELLO: list[ChatMessage] = [{"role": "user", "content": "hello"}]
PNG = "data:image/png;base64,iVBORw0KGgo="
IMAGE = {"type": "image_url", "image_url": {"url": PNG}}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}, **more}}


F, G = tool("f"), tool("g")
NAMED = {"type": "function", "function": {"name": "f"}}


def allowed(mode: str) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [NAMED]}}


async def heard(model: Model, messages: list[ChatMessage] = HELLO, **more: Any) -> tuple[list[str], Turn]:
    """The notices, and the turn."""
    items = [item async for item in model.stream(ModelRequest(messages=messages, **more))]
    assert isinstance(items[-1], Turn)
    return [item.text for item in items if isinstance(item, Notice)], items[-1]


@pytest.mark.parametrize(
    ("endpoint", "choice", "tools", "sent", "is_told"),
    [
        pytest.param("openai", None, [F, G], None, False, id="none given"),
        pytest.param("openai", "auto", [F, G], "auto", False, id="auto"),
        pytest.param("openai", "required", [F, G], "required", False, id="required"),
        pytest.param("openai", NAMED, [F, G], NAMED, False, id="named"),
        pytest.param("openai", allowed("auto"), [F, G], allowed("auto"), False, id="allowed"),
        pytest.param("vllm", allowed("auto"), [F], "auto", False, id="allowed, filtered"),
        pytest.param("vllm", allowed("required"), [F], "required", False, id="allowed and required"),
        pytest.param("ollama", "none", None, None, False, id="none without tool_choice"),
        pytest.param("ollama", "auto", [F, G], None, False, id="auto without tool_choice"),
        pytest.param("ollama", "required", [F, G], None, True, id="required without tool_choice"),
        pytest.param("ollama", NAMED, [F], None, True, id="named without tool_choice"),
        pytest.param("ollama", allowed("required"), [F], None, True, id="allowed without tool_choice"),
        pytest.param({"tool_choice": "free"}, "none", [F, G], "none", False, id="none, free"),
        pytest.param({"tool_choice": "free"}, NAMED, [F], None, True, id="named, free"),
    ],
)
async def test_a_choice_becomes_the_nearest_that_the_server_takes(
    server: ScriptedServer,
    model_for: Make,
    endpoint: Any,
    choice: Any,
    tools: list[Any] | None,
    sent: Any,
    is_told: bool,
) -> None:
    server.script.append(stream(said("a")))

    notices, _ = await heard(model_for(endpoint=endpoint), tools=[F, G], tool_choice=choice)

    assert server.requests[0].get("tools") == tools
    assert server.requests[0].get("tool_choice") == sent
    assert bool(notices) is is_told


@pytest.mark.parametrize(
    ("endpoint", "given", "sent"),
    [
        ("llama.cpp", None, True),
        ("openai", False, False),
        ("gemini", None, None),
        ("ollama", False, None),
        ({"kind": "vllm", "parallel_tool_calls": False}, True, None),
    ],
)
async def test_parallel_calls_are_spoken_of_only_where_that_is_understood(
    server: ScriptedServer, model_for: Make, endpoint: Any, given: bool | None, sent: bool | None
) -> None:
    server.script.append(stream(said("a")))

    await heard(model_for(endpoint=endpoint), tools=[F], parallel_tool_calls=given)

    assert server.requests[0].get("parallel_tool_calls") == sent


@pytest.mark.parametrize(
    ("endpoint", "word"),
    [("openai", "max_completion_tokens"), ("azure", "max_completion_tokens")]
    + [(kind, "max_tokens") for kind in ("vllm", "ollama", "deepseek", "gemini", "other")],
)
async def test_the_limit_of_output_has_the_word_that_the_server_knows(
    server: ScriptedServer, model_for: Make, endpoint: str, word: str
) -> None:
    server.script.append(stream(said("a")))

    await heard(model_for(endpoint=endpoint, max_output_tokens=5))

    assert server.requests[0][word] == 5


async def test_parameters_of_a_run_go_before_those_of_the_settings(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(stream(said("a")))
    model = model_for(temperature=1.0, top_p=0.5, extra_body={"top_k": 3, "min_p": 0})
    parameters = {
        "temperature": 0.0,
        "max_output_tokens": 9,
        "seed": 1,
        "reasoning_effort": "low",
        "stop": ["END"],
        "extra_body": {"top_k": 5, "stream_options": None},
    }

    await heard(model, parameters=parameters)

    assert server.requests[0] == {
        "model": "m",
        "messages": HELLO,
        "stream": True,
        "temperature": 0.0,
        "top_p": 0.5,
        "max_tokens": 9,
        "seed": 1,
        "reasoning_effort": "low",
        "stop": ["END"],
        "top_k": 5,
        "min_p": 0,
    }


@pytest.mark.parametrize("driver", ["chat-completions", "responses", "auto"])
async def test_a_parameter_that_there_is_not_is_told(model_for: Make, driver: str) -> None:
    with pytest.raises(ModelError, match=r'temperture: unknown key; did you mean "temperature"\?'):
        await heard(model_for(driver=driver), parameters={"temperture": 1})


async def test_an_answer_is_asked_for_in_one_piece(server: ScriptedServer, model_for: Make) -> None:
    message = {"role": "assistant", "content": "hi"}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    server.script.append(refusal(200, body))

    _, turn = await heard(model_for(stream=False))

    assert server.requests[0]["stream"] is False
    assert "stream_options" not in server.requests[0]
    assert turn.text == "hi"


SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}}}


async def test_a_format_is_passed_on(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(stream(said("{}")))

    notices, _ = await heard(model_for(), response_format=SCHEMA)

    assert server.requests[0]["response_format"] == SCHEMA
    assert not notices


async def test_a_schema_is_told_in_words_where_the_server_takes_none(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(stream(said("{}")))

    notices, _ = await heard(model_for(endpoint="deepseek"), response_format=SCHEMA)

    assert server.requests[0]["response_format"] == {"type": "json_object"}
    assert '{"type":"object","properties":{}}' in server.requests[0]["messages"][0]["content"]
    assert "may answer otherwise" in notices[0]


CALLS = [{"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id in ("c1", "c2")]
SHOWN: list[ChatMessage] = [
    {"role": "assistant", "content": None, "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "a map"}, IMAGE]},
    {"role": "tool", "tool_call_id": "c2", "content": [IMAGE]},
]


async def test_images_of_results_follow_all_results_in_one_message(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(stream(said("a")))

    await heard(model_for(), [*SHOWN, *HELLO])

    _, first, second, shown, hello = server.requests[0]["messages"]
    assert first["content"] == "a map\n[Attachment 1 is shown in the message after the results.]"
    assert second["content"] == "[Attachment 2 is shown in the message after the results.]"
    assert shown == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Attachment 1, of the result of call c1:"},
            IMAGE,
            {"type": "text", "text": "Attachment 2, of the result of call c2:"},
            IMAGE,
        ],
    }
    assert hello == HELLO[0]


@pytest.mark.parametrize(
    ("endpoint", "part", "words"),
    [
        ("deepseek", IMAGE, "[Here was an image, which this model's server does not take.]"),
        ("ollama", IMAGE, None),
        (
            "ollama",
            {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
            "[Here was an image at https://x.example/a.png, which this model's server does not fetch.]",
        ),
        (
            "vllm",
            {"type": "file", "file": {"file_data": "x"}},
            "[Here was a file, which this model's server does not take.]",
        ),
        ("openai", {"type": "file", "file": {"file_data": "x"}}, None),
    ],
)
async def test_words_stand_for_what_a_server_does_not_take(
    server: ScriptedServer, model_for: Make, endpoint: str, part: dict[str, Any], words: str | None
) -> None:
    server.script.append(stream(said("a")))
    result = {"role": "tool", "tool_call_id": "c1", "content": [part]}

    await heard(
        model_for(endpoint=endpoint),
        [{"role": "user", "content": [part]}, {**SHOWN[0], "tool_calls": CALLS[:1]}, result],
    )

    messages = server.requests[0]["messages"]
    sent = part if words is None else {"type": "text", "text": words}
    assert messages[0]["content"] == [sent]
    assert isinstance(messages[2]["content"], str)
    assert (messages[2]["content"] == words) is (words is not None)
    assert len(messages) == (4 if words is None else 3)


TURN = {"role": "assistant", "content": "a", "reasoning_content": "hm"}
SIGNED = {**CALLS[0], "extra_content": {"google": {"thought_signature": "s"}}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "b"}


@pytest.mark.parametrize(
    ("endpoint", "without_calls", "with_calls", "call"),
    [
        pytest.param("deepseek", {}, {"reasoning_content": "hm"}, SIGNED, id="DeepSeek"),
        pytest.param("gemini", *[{"reasoning_content": "hm"}] * 2, SIGNED, id="Gemini"),
        pytest.param("vllm", *[{"reasoning": "hm"}] * 2, SIGNED, id="vLLM"),
        pytest.param("openai", {}, {}, CALLS[0], id="OpenAI"),
    ],
)
async def test_each_server_sees_again_what_it_wants_to_see(
    server: ScriptedServer,
    model_for: Make,
    endpoint: str,
    without_calls: dict[str, str],
    with_calls: dict[str, str],
    call: dict[str, Any],
) -> None:
    server.script.append(stream(said("a")))
    messages = [TURN, *HELLO, {**TURN, "tool_calls": [SIGNED]}, RESULT]

    await heard(model_for(endpoint=endpoint), messages)

    said_, _, asked, _ = server.requests[0]["messages"]
    assert said_ == {"role": "assistant", "content": "a", **without_calls}
    assert asked == {"role": "assistant", "content": "a", "tool_calls": [call], **with_calls}


async def test_what_the_other_api_said_is_sent_to_no_server(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(stream(said("a")))
    kept = [responses_events.reasoning("gAAA")]
    empty = {"role": "assistant", "content": "", "responses_output": kept}

    await heard(model_for(), [*HELLO, empty, {**TURN, "responses_output": kept}, *HELLO])

    assert server.requests[0]["messages"] == [*HELLO, TURN, *HELLO]


async def test_ids_of_mistral_have_nine_letters_and_digits(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(stream(said("a")))

    await heard(model_for(endpoint="mistral"), SHOWN)

    asked, first, second, _ = server.requests[0]["messages"]
    ids = [call["id"] for call in asked["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]]
    assert len(set(ids)) == 2
    assert all(len(id) == 9 and id.isalnum() for id in ids)


async def test_names_for_gemini_begin_with_a_letter_and_come_back_as_they_were(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(stream(asked_for(("x", "_1_f", "{}"), ("y", "g", "{}"))))
    call = {"id": "c1", "type": "function", "function": {"name": "1_f", "arguments": "{}"}}
    messages = [*HELLO, {"role": "assistant", "content": None, "tool_calls": [call]}, RESULT]
    choice = {"type": "function", "function": {"name": "1_f"}}

    _, turn = await heard(
        model_for(endpoint="gemini"), messages, tools=[tool("1_f", strict=True), G], tool_choice=choice
    )

    request = server.requests[0]
    assert request["tools"] == [tool("_1_f"), G]
    assert request["tool_choice"]["function"]["name"] == "_1_f"
    assert request["messages"][1]["tool_calls"][0]["function"]["name"] == "_1_f"
    assert [one.name for one in turn.calls] == ["1_f", "g"]
    assert [one["function"]["name"] for one in turn.message["tool_calls"]] == ["1_f", "g"]


async def test_system_messages_are_joined_for_templates_that_take_one(
    server: ScriptedServer, model_for: Make
) -> None:
    server.script.append(stream(said("a")))
    parts = [{"type": "text", "text": "Two."}]
    system = [{"role": "system", "content": "One."}, *HELLO, {"role": "developer", "content": parts}]

    await heard(model_for(endpoint="vllm"), system)

    assert server.requests[0]["messages"] == [{"role": "system", "content": "One.\n\nTwo."}, *HELLO]


MANY = [tool(f"tool_{n}") for n in range(5)]
FLAT = [{"type": "function", "name": f"tool_{n}"} for n in range(5)]
NESTED: list[dict[str, Any]] = [{"type": "namespace", "name": "n", "tools": FLAT}, {"type": "tool_search"}]
SAID: list[tuple[Any, Any]] = [
    (
        {"message": "Invalid schema for function 'tool_2': In context=(), ...", "param": None},
        "tool_2",
    ),
    ({"message": "Invalid schema for function 'tool_2': unlike tool_1 it has no type"}, "tool_2"),
    ({"message": "Bad.", "param": "tools[3].function.parameters"}, "tool_3"),
    ({"message": "[{'type': 'missing', 'loc': ('body', 'tools', 1, 'function', 'name')}]"}, "tool_1"),
    ([{"loc": ["body", "tools", 4, "function", "parameters"], "msg": "bad"}], "tool_4"),
    (
        [{"error": {"message": "Unknown name at 'tools[0].function_declarations[2].parameters': no field."}}],
        "tool_2",
    ),
    ({"message": "Tool tool_0: the JSON schema cannot be made into a grammar"}, "tool_0"),
    ({"message": "tool_0 and tool_1: the schema is bad"}, None),
    ({"message": "Invalid 'tools': array too long. Expected maximum length 128, but got 200."}, None),
    ({"message": "tools[99] is bad"}, None),
    ({"message": "Invalid schema for response_format 'tool_9'"}, None),
    ({"message": "the model has no tool_1 today"}, None),
    (None, None),
    ("x" * 100_000, None),
]


@pytest.mark.parametrize(("body", "name"), SAID)
@pytest.mark.parametrize("tools", [MANY, FLAT], ids=["nested", "flat"])
def test_the_tool_that_was_refused_is_found_in_what_was_said(
    body: Any, name: str | None, tools: list[Any]
) -> None:
    assert refused_tool(body, tools) == name


def test_a_tool_in_a_namespace_is_found() -> None:
    assert refused_tool({"param": "tools[0].tools[2].parameters", "message": "Bad."}, NESTED) == "tool_2"
    assert refused_tool({"param": "tools[0].name", "message": "Bad."}, NESTED) is None
    assert refused_tool({"message": "Invalid schema for function 'tool_4'"}, NESTED) == "tool_4"


@pytest.mark.parametrize("driver", ["chat-completions", "responses", "auto"])
async def test_a_refusal_for_one_tool_names_it(server: ScriptedServer, model_for: Make, driver: str) -> None:
    body = {"error": {"message": "Bad type.", "param": "tools[1].parameters", "code": "x"}}
    server.script.append(refusal(400, body))

    with pytest.raises(ModelError) as raised:
        await heard(model_for(driver=driver), tools=MANY)

    assert raised.value.refused_tool == "tool_1"
    assert raised.value.is_refusal


async def test_a_refused_tool_is_named_as_we_know_it(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(refusal(400, {"error": {"message": "Invalid schema for function '_1_f'"}}))

    with pytest.raises(ModelError) as raised:
        await heard(model_for(endpoint="gemini"), tools=[tool("1_f")])

    assert raised.value.refused_tool == "1_f"


async def test_no_tool_is_blamed_for_a_server_that_fails(server: ScriptedServer, model_for: Make) -> None:
    server.script.append(refusal(500, {"error": {"message": "Invalid schema for function 'tool_1'"}}))

    with pytest.raises(ModelError) as raised:
        await heard(model_for(), tools=MANY)

    assert raised.value.refused_tool is None
    assert not raised.value.is_refusal


async def test_tokens_that_were_read_before_and_those_of_reasoning_are_counted(
    server: ScriptedServer, model_for: Make
) -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": None},
    }
    hit = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 7}
    for counted in (usage, hit):
        server.script.append(stream([*said("a"), {"choices": [], "usage": counted}]))
    model = model_for()

    _, first = await heard(model)
    _, second = await heard(model)

    assert (first.usage.cached_tokens, first.usage.reasoning_tokens) == (8, 3)
    assert second.usage.cached_tokens == 7
    assert json.dumps(server.requests[0]) == json.dumps(server.requests[1])
