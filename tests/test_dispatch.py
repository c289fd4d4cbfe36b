import asyncio
import hashlib
import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import psutil
import pytest

from broker import assembly
from broker.call_log import CallLog
from broker.catalog.catalog import Catalog
from broker.config.settings import LogSettings, Settings
from broker.dispatch import Broker
from broker.errors import Code
from broker.tool import CallContext, Prepared, ToolCall, ToolResult, Unknown
from tests.servers.probe import Probe

PREFIX = "probe_v1_ProbeService_"


def call(method: str, arguments: Any) -> ToolCall:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(id="call_1", name=PREFIX + method, arguments=text)


async def test_a_call_goes_to_the_backend_and_comes_back_as_json(broker: Broker) -> None:
    result = await broker.call(call("Echo", {"text": "北京", "number": 7}))

    assert (result.call_id, result.is_error, result.code) == ("call_1", False, None)
    assert result.structured is not None
    assert (result.structured["text"], result.structured["number"]) == ("北京", 7)
    assert orjson.loads(result.content) == result.structured


async def test_zero_reaches_the_model(broker: Broker) -> None:
    result = await broker.call(call("Echo", {"text": ""}))

    assert result.structured is not None
    assert result.structured["number"] == 0


async def test_prepare_sends_nothing_and_execute_sends_what_was_prepared(
    probe: tuple[Probe, int], broker: Broker
) -> None:
    prepared = broker.prepare(call("Echo", {"text": "a"}))

    assert isinstance(prepared, Prepared)
    assert probe[0].seen == []
    assert prepared.request_hash == hashlib.sha256(prepared.request_bytes).hexdigest()
    result = await broker.execute(prepared)
    assert result.structured is not None
    assert result.structured["text"] == "a"
    assert probe[0].seen == ["Echo"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("probe_v1_ProbeService_Eco", "probe_v1_ProbeService_Echo", id="misspelt"),
        pytest.param("probe_v1_ProbeService_Secret", "The nearest are", id="hidden"),
        pytest.param("probe_v1_ProbeService_Talk", "The nearest are", id="left out"),
        pytest.param("zzz", "one of the tools that you were given", id="nothing near"),
        pytest.param("x" * 1_000_000, "There is no tool", id="endless"),
    ],
)
async def test_a_name_that_does_not_exist_gets_the_nearest_names(
    probe: tuple[Probe, int], broker: Broker, name: str, told: str
) -> None:
    result = await broker.call(ToolCall(id="1", name=name, arguments="{}"))

    assert result.code is Code.NOT_FOUND
    assert told in result.content
    assert len(result.content) < 1000
    assert probe[0].seen == []


NESTED = '{"text":' + "[" * 10_000 + "]" * 10_000 + "}"
BAD_ARGUMENTS = [
    pytest.param("", "text", id="empty"),
    pytest.param("not JSON", "JSON", id="not JSON"),
    pytest.param('"text"', "object", id="a string"),
    pytest.param("[]", "object", id="a list"),
    pytest.param("null", "object", id="null"),
    pytest.param('{"text": "a', "cut off", id="truncated"),
    pytest.param(NESTED, "nested", id="nested 10,000 deep"),
    pytest.param('{"text": "a", "text": "b"}', "text", id="a key twice"),
    pytest.param('{"text": {"deep": 1}}', "text: expected a string", id="an object for a string"),
    pytest.param('{"text": "a", "number": "many"}', "number: expected an integer", id="words for a number"),
    pytest.param('{"text": "a", "number": 3000000000}', "number", id="over 32 bits"),
    pytest.param('{"text": "a", "number": 1.5}', "number", id="a fraction for an integer"),
    pytest.param('{"text": "a", "nmber": 1}', 'Did you mean "number"?', id="an unknown field"),
    pytest.param("{}", "text", id="a required field that is missing"),
    pytest.param('{"text": "\\ud800"}', "text", id="half a surrogate pair"),
    pytest.param('{"text": "a", "number": NaN}', "NaN", id="NaN"),
    pytest.param('{"text": "a", "number": ' + "9" * 5000 + "}", "number", id="5,000 digits"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD_ARGUMENTS)
async def test_bad_arguments_get_a_result_that_says_what_to_send_and_nothing_is_sent(
    probe: tuple[Probe, int], broker: Broker, arguments: str, told: str
) -> None:
    result = await broker.call(call("Echo", arguments))

    assert result.is_error
    assert result.code is Code.INVALID_ARGUMENT
    assert result.content.startswith(f"Invalid arguments for {PREFIX}Echo:")
    assert told in result.content
    assert "Nothing was sent." in result.content
    assert len(result.content.encode()) <= 2048
    assert probe[0].seen == []


async def test_every_problem_is_told_at_once(broker: Broker) -> None:
    result = await broker.call(call("Echo", {"number": "x", "colour": "red"}))

    told = "2 problems. Nothing was sent. Fix these and call again."
    assert result.content.splitlines() == [
        f"Invalid arguments for probe_v1_ProbeService_Echo: {told}",
        '1. number: expected an integer (int32), got string "x".',
        '2. unknown field "colour". Fields: text, number.',
        "Missing required: text (string) - What to say.",
    ]


async def test_a_result_tells_how_inexact_arguments_were_understood(broker: Broker) -> None:
    result = await broker.call(call("Echo", {"request": {"text": 5}}))

    assert result.structured is not None
    assert orjson.loads(result.content) == result.structured
    assert result.structured["text"] == "5"
    assert result.notes == ('the object in "request" taken as all arguments', 'text: number 5 taken as "5"')


async def test_exact_arguments_have_no_notes(broker: Broker) -> None:
    assert (await broker.call(call("Echo", {"text": "5"}))).notes == ()


def _dropping(broker: Broker) -> Broker:
    tools = [replace(tool, policy=replace(tool.policy, unknown=Unknown.DROP)) for tool in broker.catalog]
    descriptors = {tool.backend: broker.catalog.descriptors(tool) for tool in tools}
    return Broker(Catalog(tools, descriptors, {}), broker._invoke, broker._log)


async def test_the_model_reads_which_arguments_were_left_out(broker: Broker) -> None:
    result = await _dropping(broker).call(call("Echo", {"text": "a", "numbr": 5, "Number": "7"}))

    assert result.structured is not None
    assert (result.structured["text"], result.structured["number"]) == ("a", 7)
    told = 'the unknown field "numbr" was left out. Did you mean "number"?'
    assert result.content.splitlines()[1:] == [f"Note: {told}"]
    assert result.notes == (told, '"Number" taken as "number"')


async def test_fifty_megabytes_are_refused(probe: tuple[Probe, int], broker: Broker) -> None:
    result = await broker.call(call("Echo", '{"text": "' + "x" * 50_000_000 + '"}'))

    assert result.code is Code.INVALID_ARGUMENT
    assert len(result.content) < 2048
    assert probe[0].seen == []


async def test_a_thousand_bad_inputs_leave_no_memory_behind(broker: Broker) -> None:
    texts = [str(param.values[0]) for param in BAD_ARGUMENTS]
    for text in texts:
        await broker.call(call("Echo", text))
    before = psutil.Process().memory_info().rss

    for number in range(1_000):
        await broker.call(call("Echo", texts[number % len(texts)]))

    assert psutil.Process().memory_info().rss - before < 50_000_000


async def test_a_call_that_needs_approval_is_refused_and_nothing_is_sent(
    probe: tuple[Probe, int], broker: Broker
) -> None:
    result = await broker.call(call("Dangerous", {"text": "a"}))

    assert result.code is Code.PERMISSION_DENIED
    assert "needs somebody's approval" in result.content
    assert "Nothing was sent." in result.content
    assert probe[0].seen == []


_INTERNAL = {Code.UNKNOWN, Code.INTERNAL, Code.DATA_LOSS}


@pytest.mark.parametrize("code", [code for code in Code if code not in _INTERNAL], ids=lambda code: code.name)
async def test_a_status_of_the_backend_is_a_result_with_its_code_and_advice(
    broker: Broker, code: Code
) -> None:
    result = await broker.call(call("Fail", {"code": int(code), "message": "because"}))

    first, *advice = result.content.splitlines()
    assert result.code is code
    assert first == f"{code.name}: because"
    assert advice
    assert advice[-1].endswith(".")


@pytest.mark.parametrize("code", sorted(_INTERNAL), ids=lambda code: code.name)
async def test_of_a_fault_inside_a_backend_the_model_reads_an_id_and_the_log_has_the_words_beside_it(
    broker: Broker, code: Code
) -> None:
    file = io.BytesIO()
    logged = Broker(broker.catalog, broker._invoke, CallLog(LogSettings(level="error"), file))
    arguments = {"code": int(code), "message": "no route to db7.internal", "details": True}

    result = await logged.call(call("Fail", arguments))

    (line,) = log_lines(file)
    first, advice = result.content.splitlines()
    assert result.code is code
    assert first == f"{code.name}: something went wrong inside the service (error id {result.error_id})."
    assert advice.endswith(".")
    assert re.fullmatch("[0-9a-f]{12}", result.error_id or "")
    assert (line["event"], line["error_id"], line["code"]) == ("withheld", result.error_id, code.name)
    assert line["said"].splitlines()[:2] == ["no route to db7.internal", "- text: must not be empty"]
    assert "stack trace" not in file.getvalue().decode()


async def test_a_fault_inside_a_backend_in_the_middle_of_a_stream_is_not_told_either(broker: Broker) -> None:
    result = await broker.call(call("Count", {"count": 2, "code": 13}))

    assert result.code is Code.INTERNAL
    assert "the stream broke" not in result.content
    assert result.error_id is not None
    assert result.error_id in result.content
    assert '"number":1' in result.content, "what came before is shown"


@pytest.mark.parametrize(
    ("code", "idempotent", "told"),
    [
        pytest.param(Code.UNAVAILABLE, False, "may have been done all the same", id="unknown outcome"),
        pytest.param(Code.UNAVAILABLE, True, "try once more", id="harmless to repeat"),
        pytest.param(Code.INVALID_ARGUMENT, False, "call again", id="nothing was done"),
    ],
)
async def test_a_call_of_unknown_outcome_is_not_to_be_repeated_unless_that_does_no_harm(
    broker: Broker, code: Code, idempotent: bool, told: str
) -> None:
    prepared = broker.prepare(call("Fail", {"code": int(code)}))
    assert isinstance(prepared, Prepared)

    result = await broker.execute(replace(prepared, tool=replace(prepared.tool, idempotent=idempotent)))

    assert told in result.content.splitlines()[-1]


async def test_the_details_of_a_status_are_worded_for_the_model_and_stack_traces_left_out(
    broker: Broker,
) -> None:
    result = await broker.call(call("Fail", {"code": 3, "message": "bad text", "details": True}))

    assert result.content.splitlines() == [
        "INVALID_ARGUMENT: bad text",
        "- text: must not be empty",
        "- reason: WRONG, near: Paris",
        "Correct the arguments and call again.",
    ]


async def test_an_endless_message_of_the_backend_is_cut(broker: Broker) -> None:
    result = await broker.call(call("Fail", {"code": 3, "message": "x" * 3_000}))

    assert len(result.content) < 1_200
    assert "(3000 characters)" in result.content


async def test_an_answer_that_is_no_message_is_a_result(broker: Broker) -> None:
    result = await broker.call(call("Garbage", {"text": "a"}))

    assert result.code is Code.DATA_LOSS


async def test_a_backend_that_is_down_is_a_result(settings_for: Callable[..., Settings]) -> None:
    async with assembly.open(settings_for(1)) as broker:
        result = await broker.call(call("Echo", {"text": "a"}))

    assert result.code is Code.UNAVAILABLE
    assert "tell the user" in result.content


async def test_a_backend_that_is_slow_is_cancelled_when_the_policy_says_so(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(probe[1], tools={"*.Wait": {"timeout": "200ms"}})
    async with assembly.open(settings) as broker:
        result = await broker.call(call("Wait", {"text": "a"}))

    assert result.code is Code.DEADLINE_EXCEEDED
    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


async def test_the_deadline_of_the_caller_is_the_deadline_of_the_call(broker: Broker) -> None:
    result = await broker.call(call("Echo", {"text": "a"}), CallContext(deadline=time.monotonic() + 5))

    assert result.structured is not None
    assert 0 < result.structured["time_remaining"] < 6, "the default is 30"


async def test_a_deadline_that_has_passed_sends_nothing(probe: tuple[Probe, int], broker: Broker) -> None:
    result = await broker.call(call("Echo", {"text": "a"}), CallContext(deadline=time.monotonic()))

    assert result.code is Code.DEADLINE_EXCEEDED
    assert "Nothing was sent." in result.content
    assert probe[0].seen == []


async def test_metadata_of_the_settings_and_of_the_caller_reaches_the_backend(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(probe[1], backend={"metadata": {"x-team": "blue"}})
    async with assembly.open(settings) as broker:
        result = await broker.call(
            call("Echo", {"text": "a"}), CallContext(metadata=(("x-request-id", "7"),))
        )

    assert result.structured is not None
    assert {"x-team=blue", "x-request-id=7"} <= set(result.structured["metadata"])


async def test_cancelling_a_call_cancels_it_at_the_backend(probe: tuple[Probe, int], broker: Broker) -> None:
    task = asyncio.create_task(broker.call(call("Wait", {"text": "a"})))
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


async def test_calls_overlap_in_time(probe: tuple[Probe, int], broker: Broker) -> None:
    server = probe[0]
    tasks = [asyncio.create_task(broker.call(call("Wait", {"text": str(number)}))) for number in range(16)]
    for _ in tasks:
        await asyncio.wait_for(server.waiting.acquire(), 10)

    server.let_go.set()

    results = await asyncio.gather(*tasks)
    assert server.max_in_flight == 16
    assert [json.loads(result.content)["text"] for result in results] == [str(number) for number in range(16)]


@pytest.mark.parametrize(
    ("arguments", "policy", "count", "reason"),
    [
        pytest.param({"count": 3}, {}, 3, "end", id="whole"),
        pytest.param({"count": 0}, {}, 0, "end", id="empty"),
        pytest.param({"count": 9}, {"max_messages": 4}, 4, "max_messages", id="messages"),
        pytest.param({"count": 9, "length": 100}, {"max_bytes": 250}, 2, "max_bytes", id="bytes"),
        pytest.param(
            {"count": 9, "length": 300}, {"max_bytes": 250}, 1, "max_bytes", id="the first is always taken"
        ),
        pytest.param({"count": 2, "wait": True}, {"max_seconds": 0.2}, 2, "max_seconds", id="seconds"),
        pytest.param({"count": 2, "wait": True}, {"timeout": 0.5}, 2, "max_seconds", id="the call's timeout"),
    ],
)
async def test_a_stream_is_collected_up_to_its_bounds_and_the_result_says_whether_it_was_cut(
    probe: tuple[Probe, int],
    settings_for: Callable[..., Settings],
    arguments: dict[str, Any],
    policy: dict[str, Any],
    count: int,
    reason: str,
) -> None:
    async with assembly.open(settings_for(probe[1], tools={"*.Count": policy})) as broker:
        result = await broker.call(call("Count", arguments))

    assert result.structured is not None
    assert [message["number"] for message in result.structured["messages"]] == list(range(count))
    assert result.structured["count"] == count
    assert result.structured["reason"] == reason
    assert result.structured["complete"] is (reason == "end")


async def test_a_stream_that_is_cut_is_cancelled_at_the_backend(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(probe[1], tools={"*.Count": {"max_seconds": 0.2}})
    async with assembly.open(settings) as broker:
        await broker.call(call("Count", {"count": 1, "wait": True}))

        await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


async def test_a_stream_that_breaks_is_a_result_with_the_code(broker: Broker) -> None:
    result = await broker.call(call("Count", {"count": 2, "code": 14}))

    assert result.code is Code.UNAVAILABLE
    assert "the stream broke" in result.content


def log_lines(file: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.getvalue().splitlines()]


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_each_call_has_one_line_in_the_log_with_its_arguments_at_debug_alone(
    broker: Broker, level: str
) -> None:
    file = io.BytesIO()
    logged = Broker(
        broker.catalog, broker._invoke, CallLog(LogSettings.model_validate({"level": level}), file)
    )

    await logged.call(call("Echo", {"text": "secret"}))
    await logged.call(call("Fail", {"code": 5}))
    await logged.call(call("Echo", {"txt": "secret"}))

    ok, failed, refused = log_lines(file)
    assert (ok["tool"], ok["backend"], ok["code"]) == ("probe.v1.ProbeService.Echo", "probe", "OK")
    assert ok["ms"] > 0
    assert len(ok["request_hash"]) == 64
    assert failed["code"] == "NOT_FOUND"
    assert (refused["code"], refused["backend"]) == ("INVALID_ARGUMENT", None)
    assert ("secret" in file.getvalue().decode()) is (level == "debug")


async def test_the_line_of_a_call_names_what_was_not_exact_in_its_arguments_each_once(broker: Broker) -> None:
    file = io.BytesIO()
    logged = Broker(broker.catalog, broker._invoke, CallLog(LogSettings(), file))

    await logged.call(call("Echo", {"Text": 5}))
    await logged.call(call("Echo", {"Text": 5, "Number": 7}))
    await logged.call(call("Echo", {"text": "a"}))

    first, second, exact = log_lines(file)
    assert first["leniencies"] == second["leniencies"] == ["field_spelling", "integer_as_string"]
    assert "leniencies" not in exact


async def test_a_call_that_was_cancelled_has_its_line_too(probe: tuple[Probe, int], broker: Broker) -> None:
    file = io.BytesIO()
    logged = Broker(broker.catalog, broker._invoke, CallLog(LogSettings(), file))
    task = asyncio.create_task(logged.call(call("Wait", {"text": "a"})))
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert [line["code"] for line in log_lines(file)] == ["CANCELLED"]


async def test_a_bug_is_raised_and_logged_as_such(broker: Broker) -> None:
    async def broken(prepared: Prepared, context: CallContext) -> Any:
        raise ZeroDivisionError

    file = io.BytesIO()
    with pytest.raises(ZeroDivisionError):
        await Broker(broker.catalog, broken, CallLog(LogSettings(), file)).call(call("Echo", {"text": "a"}))

    assert [line["code"] for line in log_lines(file)] == ["INTERNAL"]


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_a_log_that_cannot_be_written_does_not_fail_a_call_that_was_made(
    broker: Broker, log_format: str
) -> None:
    class Gone(io.BytesIO):
        def write(self, line: object, /) -> int:
            raise BrokenPipeError

    settings = LogSettings.model_validate({"format": log_format})
    result = await Broker(broker.catalog, broker._invoke, CallLog(settings, Gone())).call(
        call("Echo", {"text": "a"})
    )

    assert not result.is_error


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_half_a_character_in_a_name_or_an_id_is_a_result_and_a_line(
    broker: Broker, log_format: str
) -> None:
    file = io.BytesIO()
    log = CallLog(LogSettings.model_validate({"format": log_format}), file)

    result = await Broker(broker.catalog, broker._invoke, log).call(
        ToolCall(id="\ud800", name="\ud800", arguments="{}")
    )

    assert result.code is Code.NOT_FOUND
    assert b"NOT_FOUND" in file.getvalue()


async def test_an_endless_id_makes_no_endless_line(broker: Broker) -> None:
    file = io.BytesIO()
    logged = Broker(broker.catalog, broker._invoke, CallLog(LogSettings(), file))

    await logged.call(ToolCall(id="x" * 1_000_000, name="y" * 1_000_000, arguments="{}"))

    assert len(file.getvalue()) < 1_000


@pytest.mark.parametrize(
    "pair", [("X-Upper", "a"), ("key-bin", "a"), ("grpc-timeout", "a"), ("key", "a\nb"), ("", "a")]
)
def test_metadata_that_grpc_cannot_send_is_refused_where_it_is_given(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        CallContext(metadata=(pair,))


async def test_the_log_can_be_read_by_a_person(broker: Broker) -> None:
    file = io.BytesIO()
    logged = Broker(broker.catalog, broker._invoke, CallLog(LogSettings(format="console"), file))

    result: ToolResult = await logged.call(call("Echo", {"text": "a"}))

    assert not result.is_error
    assert "tool=probe.v1.ProbeService.Echo" in file.getvalue().decode()
