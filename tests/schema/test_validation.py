# ruff: noqa: E501 (a row of a table is a line)
"""A request that breaks the rules of its .proto → problems with their paths, before anything is sent."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from broker import assembly
from broker.config.settings import Settings
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.errors import Code, InvalidArguments
from broker.schema.decode import Decoder
from broker.schema.validation import broken_when_empty, checker, fault
from broker.tool import ToolCall

PROTOS = Path(__file__).parents[1] / "protos"


@pytest.fixture(scope="module")
def ruled() -> Descriptors:
    files = asyncio.run(compile_protos(["rules.proto"], [PROTOS]))
    return link(Loaded(files=files, services=["rules.v1.Rules"], trusted=True))


@pytest.fixture
def reflected(ruled: Descriptors) -> Descriptors:
    return replace(ruled, trusted=False)


def message(descriptors: Descriptors, name: str) -> Descriptor:
    return descriptors.pool.FindMessageTypeByName(f"rules.v1.{name}")


def decoder(descriptors: Descriptors, name: str) -> Callable[[str], Message]:
    return Decoder(descriptors, checker=checker).compile(message(descriptors, name))


def problems(descriptors: Descriptors, name: str, arguments: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidArguments) as refused:
        decoder(descriptors, name)(json.dumps(arguments))
    return list(refused.value.problems)


BROKEN: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "ManyRules",
        {"list": ["ab", "xy", "ab"], "map": {"k.long": 1, "z": 0}, "some": ["x"]},
        [
            "list: repeated value must contain unique items.",
            'list[1]: does not have prefix `a`, got string "xy".',
            'map["k.long"]: must be at most 3 characters.',
            'map["z"]: must be greater than or equal to 1.',
        ],
    ),
    (
        "ManyRules",
        {"list": ["ab"], "map": {"z": 1}, "some": ["x"], "sizes": [1, 3]},
        ['sizes[1]: must be in list [SIZE_S, SIZE_M], got string "SIZE_L".'],
    ),
    (
        "WholeRules",
        {"low": 3, "high": 2, "by_name": "Ada", "city": "x"},
        ["low must not be above high."],
    ),
    (
        "WholeRules",
        {"by_name": "Ada", "by_email": "a@b.c", "city": "x"},
        ["only one of by_name, by_email can be set."],
    ),
    ("CreateBookRequest", {"book": {"title": "much too long"}}, ['book.title: must be at most 9 characters, got string "much too long".']),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "told"), BROKEN)
def test_each_broken_rule_is_told_with_its_path(
    ruled: Descriptors, name: str, arguments: dict[str, Any], told: list[str]
) -> None:
    assert sorted(problems(ruled, name, arguments)) == sorted(told)


def test_what_keeps_the_rules_is_decoded(ruled: Descriptors) -> None:
    request: Any = decoder(ruled, "CreateBookRequest")('{"book": {"title": "Emma", "isbn": "1"}}')
    assert request.book.title == "Emma"


def test_a_secret_is_not_repeated_by_any_rule(ruled: Descriptors) -> None:
    told = problems(ruled, "SecretRules", {"password": "hunter2", "name": "hunter2"})
    assert sorted(told) == ["breaks the rule leak.", "password: must be at most 5 characters."]


def test_the_keys_of_a_map_that_must_not_be_repeated_are_not_in_its_path(ruled: Descriptors) -> None:
    told = problems(ruled, "SecretRules", {"tokens": {"hunter2": "x"}, "name": "n"})
    assert told == ["tokens: must be at most 5 characters.", "tokens: must be at least 2 characters."]


def test_what_a_rule_says_word_for_word_is_told_beside_a_secret(ruled: Descriptors) -> None:
    assert 'name: no spaces, got string "a b".' in problems(
        ruled, "SecretRules", {"password": "x", "name": "a b"}
    )


def test_what_models_do_not_see_is_left_to_the_service(ruled: Descriptors) -> None:
    told = problems(ruled, "NeededRules", {})
    assert told
    assert not any(line.startswith("etag") for line in told)
    whole = {
        "text": "a", "number": 1, "agreed": True, "size": "SIZE_S", "maybe_zero": "SIZE_S", "book": {"title": "a"},
        "by_cel": "a", "list": ["a"], "zero_is_wrong": "a",
    }  # fmt: skip
    assert decoder(ruled, "NeededRules")(json.dumps(whole))


@pytest.mark.parametrize("arguments", ['{"text": "a"}', '{"divisor": 0}', "{}"])
def test_rules_that_cannot_be_evaluated_refuse_nothing(ruled: Descriptors, arguments: str) -> None:
    assert decoder(ruled, "BrokenRules")(arguments) is not None


def test_a_type_whose_rules_do_not_compile_has_a_fault_that_says_so(ruled: Descriptors) -> None:
    found = fault(message(ruled, "BrokenRules"), ruled)
    assert found is not None
    assert "failed to compile" in found
    assert fault(message(ruled, "TextRules"), ruled) is None


def test_a_type_without_rules_is_not_checked(ruled: Descriptors) -> None:
    assert checker(message(ruled, "PlainRequest"), ruled) is None
    assert fault(message(ruled, "PlainRequest"), ruled) is None


def test_a_reflected_server_has_no_expression_evaluated(reflected: Descriptors) -> None:
    assert checker(message(reflected, "WholeRules"), reflected) is None
    assert "by_cel" not in broken_when_empty(message(reflected, "NeededRules"), reflected)
    found = fault(message(reflected, "WholeRules"), reflected)
    assert found is not None
    assert "reflection" in found
    assert checker(message(reflected, "ManyRules"), reflected) is not None


def test_without_the_extra_nothing_is_checked_and_that_is_said(
    ruled: Descriptors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(ruled), "validator", None)
    assert checker(message(ruled, "ManyRules"), ruled) is None
    assert fault(message(ruled, "ManyRules"), ruled) == "the extra [validate] is not installed"
    assert decoder(ruled, "CreateBookRequest")('{"book": {"title": "much too long"}}') is not None


async def test_a_call_that_breaks_a_rule_is_told_and_not_sent() -> None:
    seen: list[str] = []

    class Service(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> Any:
            async def answer(request: bytes, context: Any) -> bytes:
                seen.append(str(details.method))
                return b""

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Service()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    settings = Settings.model_validate(
        {
            "backends": {
                "rules": {
                    "target": f"127.0.0.1:{port}",
                    "plaintext": True,
                    "descriptors": {"protos": ["rules.proto"], "import_paths": [PROTOS]},
                }
            },
            "log": {"level": "error"},
        }
    )
    try:
        async with assembly.open(settings) as broker:
            call = ToolCall(
                id="1", name="rules_v1_Rules_Whole", arguments='{"low": 2, "high": 1, "city": "x"}'
            )
            refused = await broker.call(call)
            sent = await broker.call(
                replace(call, arguments='{"low": 1, "high": 2, "city": "x", "by_email": "a@b.c"}')
            )
    finally:
        await server.stop(None)
    assert refused.code is Code.INVALID_ARGUMENT
    assert refused.content.splitlines() == [
        "Invalid arguments for rules_v1_Rules_Whole: 2 problems. Nothing was sent. Fix these and call again.",
        "1. low must not be above high.",
        "2. one of by_name, by_email must be set.",
    ]
    assert not sent.is_error
    assert seen == ["/rules.v1.Rules/Whole"]


def test_a_list_or_a_map_that_is_missing_is_told_as_what_it_is(ruled: Descriptors) -> None:
    assert problems(ruled, "ManyRules", {}) == [
        "Missing required: list (array, each element a string)",
        "Missing required: map (object, each value an integer, int32)",
        "Missing required: some (array, each element a string)",
    ]
