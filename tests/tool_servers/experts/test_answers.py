"""What becomes of the answers of the other model, whatever its server makes of them."""

import asyncio
from collections.abc import Iterator

import pytest
from experts.v1 import experts_pb2, experts_pb2_grpc
from grpc import StatusCode

from tests.models.scripted_server import Answer, refusal, scripted_server
from tests.tool_servers.conftest import Serve
from tests.tool_servers.experts.asked import experts, saying
from tests.tool_servers.served import failure
from tool_servers.experts import expert
from tool_servers.experts.expert import MAX_BYTES, open_expert
from tool_servers.experts.service import expert_service


async def test_a_review_that_was_cut_off_gives_no_verdict_and_says_so(serve_service: Serve) -> None:
    text = "Line 1 has a comment:\nVERDICT: APPROVED"
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}
    async with experts(serve_service, *[saying("", choices=[choice])] * 2) as (stub, _):
        review = await stub.ReviewCode(experts_pb2.ReviewCodeRequest(code="x"))
        answer = await stub.Ask(experts_pb2.AskRequest(question="x"))

    assert review.verdict == experts_pb2.VERDICT_UNSPECIFIED
    assert review.review.startswith(f"{text}\n\n[Cut off here")
    assert answer.answer == review.review


async def test_a_refusal_is_what_the_other_model_says(serve_service: Serve) -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    async with experts(serve_service, saying("", choices=[choice])) as (stub, _):
        response = await stub.Ask(experts_pb2.AskRequest(question="x"))

    assert response.answer == "I cannot help with that."


async def test_a_server_that_names_the_limit_of_tokens_otherwise_is_asked_in_its_words(
    serve_service: Serve,
) -> None:
    words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    refused = refusal(400, {"error": {"message": words, "param": "max_tokens"}})
    async with experts(serve_service, refused, saying("Yes."), saying("No.")) as (stub, model):
        answers = [(await stub.Ask(experts_pb2.AskRequest(question="x"))).answer for _ in range(2)]

    assert answers == ["Yes.", "No."]
    limits = [{key for key in request if key.startswith("max_")} for request in model.requests]
    assert limits == [{"max_tokens"}, {"max_completion_tokens"}, {"max_completion_tokens"}]


async def test_half_a_letter_and_a_name_of_any_length_are_told_as_far_as_they_can_be(
    serve_service: Serve,
) -> None:
    async with experts(serve_service, saying("a\ud800b", model="m" * 2_000_000)) as (stub, _):
        response = await stub.Ask(experts_pb2.AskRequest(question="x"))

    assert response.answer == "a?b"
    assert response.model == "m" * 200


async def test_an_answer_without_end_is_not_read_to_its_end(serve_service: Serve) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield b" " * 1024 * 1024

    endless_answer = Answer(blocks=endless(), content_type="application/json")
    async with experts(serve_service, endless_answer) as (stub, _):
        code, message, _ = await failure(stub.Ask(experts_pb2.AskRequest(question="x")))

    assert code == StatusCode.FAILED_PRECONDITION
    assert f"sent more than {MAX_BYTES} bytes" in message
    assert len(sent) < 100


async def test_an_answer_that_drips_is_waited_for_no_longer_than_one_that_is_silent(
    serve_service: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expert, "MAX_SECONDS", 0.5)

    def drops() -> Iterator[bytes | asyncio.Event]:
        while True:
            yield b" "
            drop = asyncio.Event()
            asyncio.get_running_loop().call_later(0.1, drop.set)
            yield drop

    async with experts(serve_service, Answer(blocks=drops(), content_type="application/json")) as (stub, _):
        call = failure(stub.Ask(experts_pb2.AskRequest(question="x")))
        code, message, _ = await asyncio.wait_for(call, 20)

    assert code == StatusCode.UNAVAILABLE
    assert "did not answer in time" in message


async def test_the_operator_reads_in_the_log_why_nobody_answered(
    serve_service: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with experts(serve_service, refusal(401, {"error": {"message": "hidden"}})) as (stub, _):
        await failure(stub.Ask(experts_pb2.AskRequest(question="x")))

    assert "the other model's server refused with HTTP 401" in caplog.text
    assert "hidden" not in caplog.text


async def test_a_key_from_a_file_with_a_line_feed_is_the_key_without_it(serve_service: Serve) -> None:
    async with scripted_server() as model:
        model.script.append(saying("Yes."))
        settings = {"EXPERT_BASE_URL": model.base_url, "EXPERT_API_KEY": "the-key\n"}
        async with open_expert(settings) as opened:
            _, channel = await serve_service(expert_service(opened))
            await experts_pb2_grpc.ExpertServiceStub(channel).Ask(experts_pb2.AskRequest(question="x"))

    assert model.headers[0]["authorization"] == "Bearer the-key"
