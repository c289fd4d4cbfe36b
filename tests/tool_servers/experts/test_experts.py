"""What a client of the expert service sees, over real gRPC, before a server that speaks real HTTP."""

import asyncio
from typing import Any

import pytest
from experts.v1 import experts_pb2, experts_pb2_grpc
from google.rpc import error_details_pb2
from grpc import StatusCode

from tests.models.scripted_server import Answer, refusal
from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.experts.asked import experts, saying, stand_in
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure
from tool_servers.experts.expert import open_expert
from tool_servers.experts.service import expert_service


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
