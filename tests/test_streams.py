"""Methods that stream, through the whole path: from a model's JSON to a real service and back."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import jsonschema
import pytest

from broker import assembly
from broker.catalog.check import Severity, check
from broker.catalog.lock import changes, lock
from broker.catalog.tokens import TokenCounter, estimated
from broker.config.settings import Settings
from broker.descriptors.request_streams import MAX_MESSAGES
from broker.dispatch import Broker
from broker.errors import Code
from broker.schema.profiles import PROFILES
from broker.tool import CallContext, Prepared, ToolCall
from tests.servers.probe import Probe

PREFIX = "probe_v1_ProbeService_"
ALLOWED = {"probe.v1.ProbeService.Talk": {"bidi": True}}


@pytest.fixture
async def broker(probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> AsyncIterator[Broker]:
    """A broker in front of the probe, which may stream on both sides."""
    async with assembly.open(settings_for(probe[1], tools=ALLOWED)) as opened:
        yield opened


def call(method: str, *texts: str) -> ToolCall:
    arguments = {"messages": [{"text": text} for text in texts]}
    return ToolCall(id="call_1", name=PREFIX + method, arguments=json.dumps(arguments))


def raw(method: str, arguments: str) -> ToolCall:
    return ToolCall(id="call_1", name=PREFIX + method, arguments=arguments)


async def test_each_message_of_a_list_is_sent_and_the_one_response_comes_back(broker: Broker) -> None:
    result = await broker.call(call("Collect", "a", "北京", "c"))

    assert result.structured is not None
    assert (result.structured["text"], result.structured["number"]) == ("a,北京,c", 3)


async def test_a_single_message_is_a_list_of_one(broker: Broker) -> None:
    result = await broker.call(raw("Collect", '{"messages": {"text": "a"}}'))

    assert result.structured is not None
    assert result.structured["number"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param("{}", "Missing required: messages", id="nothing"),
        pytest.param('{"messages": []}', "messages: the array has 0 elements; send at least 1.", id="none"),
        pytest.param('{"messages": null}', "Missing required: messages", id="null"),
        pytest.param(
            '{"messages": [{"text": "a"}, {"text": "b"}, {"text": 1.5}]}',
            "messages[2].text: expected a string",
            id="in one of them",
        ),
        pytest.param('{"messages": [{}]}', "Missing required: messages[0].text", id="required in each"),
        pytest.param('{"messages": [null]}', "messages[0]: null is no element", id="null in the list"),
        pytest.param('{"text": "a"}', 'unknown field "text".', id="not in a list"),
        pytest.param(
            json.dumps({"messages": [{"text": "a"}] * (MAX_MESSAGES + 1)}),
            "messages: the array has 1,001 elements; send at most 1,000.",
            id="too many",
        ),
    ],
)
async def test_a_list_that_is_no_stream_is_refused_with_the_path_and_nothing_is_sent(
    probe: tuple[Probe, int], broker: Broker, arguments: str, told: str
) -> None:
    broker.catalog.tools()  # to show them must not change what is read

    result = await broker.call(raw("Collect", arguments))

    assert result.code is Code.INVALID_ARGUMENT
    assert told in result.content
    assert probe[0].seen == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("method", ["Collect", "Talk"])
def test_every_provider_is_offered_a_list_of_at_least_one_message(
    broker: Broker, method: str, profile: str
) -> None:
    tool = broker.catalog.get(PREFIX + method)
    assert tool is not None
    definition = broker.catalog.definition(tool, profile)
    assert definition is not None
    found = definition.get("function", definition)
    schema = next(found[key] for key in ("parameters", "inputSchema", "input_schema") if key in found)

    messages = schema["properties"]["messages"]
    assert (messages["type"], messages["minItems"], messages["maxItems"]) == ("array", 1, MAX_MESSAGES)
    assert messages["description"].startswith("The messages of the stream")
    assert schema["required"] == ["messages"]
    assert set(messages["items"]["properties"]) == {"text", "number"}
    assert found.get("strict", False) is (profile == "openai-strict")


def test_what_is_hashed_and_approved_is_the_whole_stream(broker: Broker) -> None:
    one, two = broker.prepare(call("Collect", "a", "b")), broker.prepare(call("Collect", "a", "c"))

    assert isinstance(one, Prepared)
    assert isinstance(two, Prepared)
    # Field 1 of EchoRequest, in field 1 of the stream, each with its length before it.
    assert one.request_bytes == b"\x0a\x03\x0a\x01a\x0a\x03\x0a\x01b"
    assert one.request_hash == hashlib.sha256(one.request_bytes).hexdigest()
    assert one.request_hash != two.request_hash


async def test_a_service_that_answers_before_the_end_is_heard(broker: Broker) -> None:
    result = await broker.call(call("Collect", "a", "enough", *["b"] * 500))

    assert result.structured is not None
    assert result.structured["text"] == "a,enough"


async def test_a_service_that_refuses_in_the_middle_is_a_result_with_its_code(broker: Broker) -> None:
    result = await broker.call(call("Collect", "a", "bad", *["b"] * 500))

    assert result.code is Code.INVALID_ARGUMENT
    assert result.content.startswith("INVALID_ARGUMENT: bad text")


@pytest.mark.parametrize("method", ["Collect", "Talk"])
async def test_cancelling_a_stream_cancels_it_at_the_backend(
    probe: tuple[Probe, int], broker: Broker, method: str
) -> None:
    task = asyncio.create_task(broker.call(call(method, "a", "wait")))
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


async def test_the_deadline_of_the_caller_is_that_of_a_stream(broker: Broker) -> None:
    result = await broker.call(call("Collect", "a"), CallContext(deadline=time.monotonic() + 5))

    assert result.structured is not None
    assert 0 < result.structured["time_remaining"] < 6, "the default is 30"


async def test_a_stream_that_takes_too_long_is_cancelled(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(probe[1], tools={"*.Collect": {"timeout": "200ms"}})
    async with assembly.open(settings) as broker:
        result = await broker.call(call("Collect", "a", "wait"))

    assert result.code is Code.DEADLINE_EXCEEDED
    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


async def test_where_both_sides_stream_all_is_sent_then_ended_and_what_came_is_collected(
    broker: Broker,
) -> None:
    result = await broker.call(call("Talk", "a", "b"))

    assert result.structured is not None
    assert [message["text"] for message in result.structured["messages"]] == ["a", "b", "end"]
    assert (result.structured["complete"], result.structured["reason"]) == (True, "end")


@pytest.mark.parametrize(
    ("text", "policy", "count", "reason"),
    [
        pytest.param("wait", {"max_seconds": 0.3}, 2, "max_seconds", id="hangs"),
        pytest.param("wait", {"timeout": 0.5}, 2, "max_seconds", id="hangs until the call's timeout"),
        pytest.param("more", {"max_messages": 50}, 50, "max_messages", id="goes on for ever"),
    ],
)
async def test_a_session_without_an_end_is_cut_and_ended_at_the_backend(
    probe: tuple[Probe, int],
    settings_for: Callable[..., Settings],
    text: str,
    policy: dict[str, Any],
    count: int,
    reason: str,
) -> None:
    settings = settings_for(probe[1], tools={"*.Talk": {"bidi": True, **policy}})
    async with assembly.open(settings) as broker:
        result = await broker.call(call("Talk", "a", text, "b"))
        await probe[0].ended("Talk")

    assert result.structured is not None
    assert result.structured["count"] == len(result.structured["messages"]) == count
    assert (result.structured["complete"], result.structured["reason"]) == (False, reason)


async def test_an_endless_stream_is_read_no_faster_than_it_is_taken_and_ended_at_its_bound(
    probe: tuple[Probe, int], broker: Broker
) -> None:
    arguments = json.dumps({"count": 2**31 - 1, "length": 10_000})

    result = await broker.call(raw("Count", arguments))

    await probe[0].ended("Count")
    assert result.structured is not None
    assert (result.structured["reason"], result.structured["count"]) == ("max_bytes", 26)
    assert probe[0].sent < 10_000, "gRPC holds back a sender that nobody reads"


@pytest.mark.parametrize(
    ("request_", "came"),
    [
        pytest.param(raw("Count", '{"count": 2, "length": 1, "code": 14}'), ["x", "x"], id="one side"),
        pytest.param(call("Talk", "a", "bad"), ["a", "bad"], id="both sides"),
    ],
)
async def test_what_came_before_a_stream_failed_is_kept_beside_the_failure(
    broker: Broker, request_: ToolCall, came: list[str]
) -> None:
    result = await broker.call(request_)

    told, _, kept = result.content.partition("\nThis came before it failed: ")
    assert result.code is not None
    assert told.startswith(f"{result.code.name}: ")
    assert result.structured is None, "who trusts the schema would take it for a success"
    whole = json.loads(kept)
    assert [message["text"] for message in whole["messages"]] == came
    assert (whole["complete"], whole["reason"]) == (False, "error")


async def test_a_stream_that_fails_before_anything_came_is_its_status_alone(broker: Broker) -> None:
    result = await broker.call(raw("Count", '{"count": 0, "code": 14}'))

    assert result.code is Code.UNAVAILABLE
    assert "came before" not in result.content


async def test_what_came_before_bytes_that_are_no_message_is_kept(broker: Broker) -> None:
    result = await broker.call(raw("Count", '{"count": 2, "length": 1, "garbage": true}'))

    assert result.code is Code.DATA_LOSS
    assert json.loads(result.content.partition("failed: ")[2])["count"] == 2


async def test_what_is_collected_fits_the_output_schema(broker: Broker) -> None:
    tool = broker.catalog.get(PREFIX + "Talk")
    assert tool is not None
    definition = broker.catalog.definition(tool, "mcp")
    assert definition is not None

    result = await broker.call(call("Talk", "a"))

    jsonschema.validate(result.structured, definition["outputSchema"])


def test_a_lockfile_holds_the_list_as_models_see_it(broker: Broker) -> None:
    locked = {tool.name: tool for tool in lock(broker.catalog)}

    messages = locked[PREFIX + "Collect"].input_schema["properties"]["messages"]
    assert messages["items"]["required"] == ["text"]
    assert changes(lock(broker.catalog), list(locked.values())) == []


def test_the_check_finds_nothing_wrong_with_a_list_of_messages(broker: Broker) -> None:
    report = check(broker.catalog, TokenCounter(count=estimated, method="estimated"))

    found = [each for each in report.findings if each.tool == PREFIX + "Collect"]
    assert [each for each in found if each.severity is Severity.ERROR or "messages" in each.what] == []
