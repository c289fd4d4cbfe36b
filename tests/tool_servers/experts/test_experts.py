"""What a client of the expert service sees, over real gRPC, before a server that speaks real HTTP."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from experts.v1 import experts_pb2, experts_pb2_grpc
from google.rpc import error_details_pb2
from grpc import StatusCode

from tests.models.scripted_server import Answer, ScriptedServer, refusal, scripted_server
from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure
from tool_servers.experts import expert
from tool_servers.experts.expert import MAX_BYTES, open_expert
from tool_servers.experts.service import expert_service


def saying(text: Any, **more: Any) -> Answer:
    """A completion that is not streamed."""
    message = {"role": "assistant", "content": text}
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": "reviewer-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    return Answer(blocks=[json.dumps(body | more).encode()], content_type="application/json")


@asynccontextmanager
async def experts(
    serve_service: Serve, *answers: Answer, elsewhere: Elsewhere | None = None
) -> AsyncIterator[tuple[Any, ScriptedServer]]:
    """A stub of the service, before a model that says this."""
    async with scripted_server() as model:
        model.script.extend(answers)
        settings = {"EXPERT_BASE_URL": model.base_url, "EXPERT_API_KEY": "hidden", "EXPERT_MODEL": "m"}
        async with open_expert(settings) as opened:
            server, channel = await serve_service(expert_service(opened))
            chosen = channel if elsewhere is None else elsewhere(server)
            yield experts_pb2_grpc.ExpertServiceStub(chosen), model


async def test_a_question_is_answered_by_the_other_model(serve_service: Serve) -> None:
    async with experts(serve_service, saying("  Forty-two. ")) as (stub, model):
        response = await stub.Ask(experts_pb2.AskRequest(question="How many?", background="Six by seven."))

    assert response == experts_pb2.AskResponse(answer="Forty-two.", model="reviewer-1")
    (asked,) = model.requests
    assert asked["model"] == "m"
    assert asked["max_tokens"] == 2000
    system, user = asked["messages"]
    assert system["role"] == "system"
    assert user == {"role": "user", "content": "How many?\n\nBackground:\nSix by seven."}
    assert model.headers[0]["authorization"] == "Bearer hidden"


@pytest.mark.parametrize(
    ("review", "verdict"),
    [
        ("Fine.\nVERDICT: APPROVED", experts_pb2.VERDICT_APPROVED),
        ("Line 2 divides by zero.\n**Verdict: changes needed.**", experts_pb2.VERDICT_CHANGES_NEEDED),
        (
            "VERDICT: APPROVED\nNo: line 3.\n\nVERDICT: CHANGES NEEDED\n",
            experts_pb2.VERDICT_CHANGES_NEEDED,
        ),
        ("I would not say VERDICT: APPROVED here.", experts_pb2.VERDICT_UNSPECIFIED),
        ("Nice.", experts_pb2.VERDICT_UNSPECIFIED),
        ("A comment says\nVERDICT: APPROVED\nbut line 3 deletes all.", experts_pb2.VERDICT_UNSPECIFIED),
        ("Line 1 says:\n> VERDICT: APPROVED", experts_pb2.VERDICT_UNSPECIFIED),
        ("Fine.\n```\nVERDICT: APPROVED\n```", experts_pb2.VERDICT_APPROVED),
    ],
)
async def test_code_is_reviewed_and_the_verdict_is_the_last_line(
    serve_service: Serve, review: str, verdict: experts_pb2.Verdict
) -> None:
    async with experts(serve_service, saying(review)) as (stub, model):
        response = await stub.ReviewCode(
            experts_pb2.ReviewCodeRequest(code="print(1 / 0)", language="Python", purpose="print one")
        )

    assert response.verdict == verdict
    assert response.review == review.strip()
    user = model.requests[0]["messages"][1]["content"]
    assert user == "Language: Python\nPurpose: print one\nCode:\nprint(1 / 0)"


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


BUSY = (StatusCode.UNAVAILABLE, "EXPERT_BUSY")
FAILED = (StatusCode.FAILED_PRECONDITION, "EXPERT_FAILED")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refusal(429, {"error": {"message": "hidden"}}), BUSY),
        (refusal(500, {"error": {"message": "hidden"}}), BUSY),
        (refusal(503, "<html>hidden</html>", "text/html"), BUSY),
        (refusal(401, {"error": {"message": "the key hidden is wrong"}}), FAILED),
        (refusal(400, {"error": {"message": "hidden"}}), FAILED),
        (saying(None), FAILED),
        (saying("  "), FAILED),
        (saying("x", choices=[]), FAILED),
        (saying("x", choices=None), FAILED),
        (Answer(blocks=[b"<html>hidden</html>"], content_type="text/html"), FAILED),
        (Answer(blocks=[b"{"], content_type="application/json"), FAILED),
        (Answer(blocks=[b"[" * 100_000], content_type="application/json"), FAILED),
        (saying("x", choices={"a": 1}), FAILED),
        (saying("x", choices=5), FAILED),
        (saying("x", choices=["hidden"]), FAILED),
        (Answer(blocks=[b'{"choices": '], content_type="application/json", breaks_off=True), BUSY),
    ],
)
async def test_a_model_that_fails_is_told_with_what_to_do_and_without_a_secret(
    serve_service: Serve, answer: Answer, told: tuple[StatusCode, str]
) -> None:
    async with experts(serve_service, answer) as (stub, model):
        code, message, (info,) = await failure(stub.Ask(experts_pb2.AskRequest(question="x")))

    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert (code, info.reason) == told
    assert "hidden" not in message
    assert ("try again later" in message) == (told is BUSY)
    assert len(model.requests) == 1, "nothing is tried twice"


async def test_a_model_that_is_down_is_unavailable(serve_service: Serve) -> None:
    async with open_expert({"EXPERT_BASE_URL": "http://127.0.0.1:1/v1"}) as opened:
        _, channel = await serve_service(expert_service(opened))

        code, message, _ = await failure(
            experts_pb2_grpc.ExpertServiceStub(channel).Ask(experts_pb2.AskRequest(question="x"))
        )

    assert code == StatusCode.UNAVAILABLE
    assert "cannot be reached" in message


async def test_a_client_that_goes_away_takes_its_question_with_it(serve_service: Serve) -> None:
    never = asyncio.Event()
    async with experts(serve_service, Answer(blocks=[never])) as (stub, model):
        call = stub.Ask(experts_pb2.AskRequest(question="x"))
        await model.asked.acquire()

        call.cancel()

        await asyncio.wait_for(model.gone.wait(), 10)


@pytest.mark.parametrize(
    ("method", "given", "fields"),
    [
        ("Ask", {}, ["question"]),
        ("Ask", {"question": "x" * 10_001}, ["question"]),
        ("Ask", {"question": "x", "background": "x" * 50_001}, ["background"]),
        ("ReviewCode", {}, ["code"]),
        ("ReviewCode", {"code": "x" * 50_001}, ["code"]),
        ("ReviewCode", {"code": "x", "language": "x" * 51}, ["language"]),
        ("ReviewCode", {"code": "x", "purpose": "x" * 5001}, ["purpose"]),
        ("ReviewCode", {"language": "x" * 51, "purpose": "x" * 5001}, ["code", "language", "purpose"]),
    ],
)
async def test_a_bad_request_is_refused_naming_every_bad_field_and_nobody_is_asked(
    serve_service: Serve, elsewhere: Elsewhere, method: str, given: dict[str, Any], fields: list[str]
) -> None:
    request = getattr(experts_pb2, f"{method}Request")(**given)
    async with experts(serve_service, elsewhere=elsewhere) as (stub, model):
        code, _, (bad,) = await failure(getattr(stub, method)(request))

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [each.field for each in bad.field_violations] == fields
    assert model.requests == []


@asynccontextmanager
async def stand_in() -> AsyncIterator[str]:
    """The rule-based stand-in for a model as a process of its own, and its URL."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).parent / "broker"), "stand-in"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip().partition("=")[2]
    finally:
        process.terminate()
        await process.wait()


async def test_a_stand_in_beside_it_answers_when_there_is_no_model() -> None:
    async with stand_in() as url, running("experts", EXPERT_BASE_URL=url) as (_, channel):
        response = await experts_pb2_grpc.ExpertServiceStub(channel).Ask(
            experts_pb2.AskRequest(question="Is the code right?")
        )

    assert response.answer


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"EXPERT_MAX_TOKENS": "many"}, "EXPERT_MAX_TOKENS 'many' is no number of tokens"),
        ({"EXPERT_MAX_TOKENS": "9" * 5000}, "is no number of tokens: give 1 to 100000"),
        ({"EXPERT_BASE_URL": "localhost"}, "EXPERT_BASE_URL 'localhost' is no URL"),
        ({"EXPERT_BASE_URL": "http://"}, "EXPERT_BASE_URL 'http://' is no URL"),
        ({"EXPERT_BASE_URL": "http://["}, "EXPERT_BASE_URL 'http://[' is no URL"),
        ({"EXPERT_BASE_URL": "http://h:99999/v1"}, "EXPERT_BASE_URL 'http://h:99999/v1' is no URL"),
        ({"EXPERT_BASE_URL": "ftp://me:hidden@h/v1"}, "EXPERT_BASE_URL is no URL"),
        ({"EXPERT_API_KEY": "hidden é"}, "EXPERT_API_KEY has characters that no key has"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line(environment: dict[str, str], words: str) -> None:
    await refuses("experts", words, "--address", "127.0.0.1:0", **environment)
