"""What the model's server sent beside its words goes back to it."""

from typing import Any

import grpc
import grpc.aio

from tests.chat_service.client import ask, refused, talked
from tests.chat_service.conftest import Opened
from tests.chat_service.script import server_call
from tests.models import responses_events as over_responses
from tests.models.scripted_server import ScriptedServer, asked_for, chunk, refusal, said, stream


async def test_what_a_server_of_chat_completions_said_beside_its_text_and_calls_goes_back_to_it(
    server: ScriptedServer, opened: Opened
) -> None:
    signature = {"google": {"thought_signature": "c2ln"}}
    call, rest = asked_for(server_call("x"))[0], asked_for(server_call("x"))[1:]
    call["choices"][0]["delta"]["tool_calls"][0]["extra_content"] = signature
    thought = chunk({"reasoning_content": "I echo."})
    server.script += [stream([thought, call, *rest]), stream(said("Done.")), stream(said("Bye."))]

    async with opened({"endpoint": {"kind": "other", "send_back": "always"}}) as stub:
        _, done = await talked(stub, ask())
        await talked(stub, ask(*done.messages))

    within, after = (request["messages"][1] for request in server.requests[1:])
    assert within["tool_calls"][0]["extra_content"] == signature
    assert within["reasoning_content"] == "I echo."
    assert after == within


async def test_what_the_responses_api_said_goes_back_to_it_word_for_word(
    server: ScriptedServer, opened: Opened
) -> None:
    thought = over_responses.reasoning("gAAA")
    asked = over_responses.call(*server_call("x"))
    answered = [over_responses.events([over_responses.said(text)]) for text in ("Done.", "Bye.")]
    server.script.append(over_responses.sent(over_responses.events([thought, asked])))
    server.script += map(over_responses.sent, answered)

    async with opened({"driver": "responses", "endpoint": "openai"}) as stub:
        _, done = await talked(stub, ask())
        await talked(stub, ask(*done.messages))

    within, after = (request["input"] for request in server.requests[1:])
    assert [item["type"] for item in within] == [
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert within[1]["encrypted_content"] == "gAAA"
    assert after[: len(within)] == within


async def test_a_model_that_refuses_the_conversation_is_an_invalid_argument(
    server: ScriptedServer, stub: Any
) -> None:
    server.script.append(refusal(400, {"error": {"message": "no such model: secret-name"}}))

    code, details = await refused(stub, ask())

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("the model refused the conversation; error ")
    assert "secret-name" not in details
