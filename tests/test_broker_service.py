import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc

from broker.chat.events import ApprovalNeeded, Event
from broker.config.settings import Settings
from broker.descriptors.pool import link
from broker.descriptors.reflection import Reflection
from broker.errors import ConfigError
from broker.servers import chat_messages, chat_requests
from broker.servers.grpc_server import SERVICE
from broker.servers.lifecycle import running
from broker.tool import ToolCall
from broker.v1 import broker_pb2
from broker.v1.broker_pb2_grpc import BrokerServiceStub
from tests.servers.probe import Probe

Service = tuple[grpc.aio.Channel, Any]


@pytest.fixture
async def service(probe: tuple[Probe, int], settings_for: Callable[..., Settings]) -> AsyncIterator[Service]:
    """A running broker service: a channel to it, and its stub."""
    server = {"grpc": "127.0.0.1:0", "drain_delay": "10ms", "drain_timeout": "5s"}
    async with (
        running(settings_for(probe[1], server=server)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield channel, BrokerServiceStub(channel)


def request(method: str, arguments: dict[str, Any]) -> broker_pb2.CallToolRequest:
    name = f"probe_v1_ProbeService_{method}"
    return broker_pb2.CallToolRequest(
        call=broker_pb2.ToolCall(id="call_1", name=name, arguments=json.dumps(arguments))
    )


def chat(text: str, **more: Any) -> broker_pb2.ChatRequest:
    message = broker_pb2.Message(role="user", content=[broker_pb2.ContentPart(text=text)])
    return broker_pb2.ChatRequest(messages=broker_pb2.Conversation(messages=[message]), **more)


@pytest.mark.parametrize(
    ("profile", "key"),
    [
        ("", "function"),
        ("openai", "function"),
        ("openai-strict", "function"),
        ("mcp", "inputSchema"),
        ("anthropic", "input_schema"),
        ("gemini", "parameters"),
    ],
    ids=["empty", "openai", "openai-strict", "mcp", "anthropic", "gemini"],
)
async def test_list_tools_has_every_tool_in_the_profile_asked_for(
    service: Service, profile: str, key: str
) -> None:
    listed = await service[1].ListTools(broker_pb2.ListToolsRequest(profile=profile))

    echo = listed.tools[0]
    assert (echo.name, echo.full_name, echo.backend) == (
        "probe_v1_ProbeService_Echo",
        "probe.v1.ProbeService.Echo",
        "probe",
    )
    assert echo.description == "Answers with what it was sent."
    assert key in json.loads(echo.definition)
    assert len(listed.tools) == 9


async def test_call_tool_answers_with_the_result(service: Service) -> None:
    response = await service[1].CallTool(request("Echo", {"text": "北京"}))

    result = response.result
    assert (result.call_id, result.is_error, result.code) == ("call_1", False, 0)
    assert json.loads(result.content)["text"] == "北京"


async def test_what_the_model_did_wrong_is_a_result_and_not_a_status(service: Service) -> None:
    response = await service[1].CallTool(request("Echo", {"txt": "a"}))

    assert (response.result.is_error, response.result.code) == (
        True,
        grpc.StatusCode.INVALID_ARGUMENT.value[0],
    )
    assert 'Did you mean "text"?' in response.result.content


async def test_the_deadline_of_the_client_reaches_the_backend(service: Service) -> None:
    response = await service[1].CallTool(request("Echo", {"text": "a"}), timeout=7)

    assert 0 < json.loads(response.result.content)["time_remaining"] < 8, "the default is 30"


async def test_trace_metadata_is_passed_on_and_credentials_are_not(service: Service) -> None:
    metadata = (("traceparent", "00-1-2-01"), ("authorization", "Bearer secret"))

    response = await service[1].CallTool(request("Echo", {"text": "a"}), metadata=metadata)

    seen = json.loads(response.result.content)["metadata"]
    assert "traceparent=00-1-2-01" in seen
    assert not any("secret" in pair for pair in seen)


async def test_a_client_that_goes_away_cancels_the_call_at_the_backend(
    service: Service, probe: tuple[Probe, int]
) -> None:
    call = service[1].CallTool(request("Wait", {"text": "a"}))
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)

    call.cancel()

    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


@pytest.mark.parametrize(
    ("method", "message", "told"),
    [
        pytest.param(
            "ListTools", broker_pb2.ListToolsRequest(profile="latin"), "Send one of: openai", id="profile"
        ),
        pytest.param("CallTool", broker_pb2.CallToolRequest(), "call.name: missing", id="no call"),
        pytest.param("Chat", broker_pb2.ChatRequest(), "messages: missing", id="no start"),
        pytest.param(
            "Chat", broker_pb2.ChatRequest(messages=broker_pb2.Conversation()), "empty", id="no message"
        ),
        pytest.param(
            "Chat",
            broker_pb2.ChatRequest(
                messages=broker_pb2.Conversation(messages=[broker_pb2.Message(role="boss")])
            ),
            'messages[0].role: there is no "boss"',
            id="role",
        ),
    ],
)
async def test_a_request_that_makes_no_sense_is_an_invalid_argument(
    service: Service, method: str, message: Any, told: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await finished(getattr(service[1], method)(message))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert told in (refused.value.details() or "")


async def finished(call: Any) -> Any:
    if hasattr(call, "__aiter__"):
        return [response async for response in call]
    return await call


async def test_chat_streams_what_happens_and_ends_with_done(service: Service) -> None:
    events = [response async for response in service[1].Chat(chat('Echo the text "good morning"'))]

    kinds = [event.WhichOneof("event") for event in events]
    assert kinds.index("call_started") < kinds.index("call_finished") < kinds.index("text_delta")
    assert kinds[-1] == "done"
    started = next(event.call_started.call for event in events if event.WhichOneof("event") == "call_started")
    assert json.loads(started.arguments)["text"] == "good morning"
    finished = next(event.call_finished for event in events if event.WhichOneof("event") == "call_finished")
    assert finished.result.call_id == started.id
    assert finished.duration.ToNanoseconds() > 0
    done = events[-1].done
    assert done.stop_reason == "answered"
    assert [message.role for message in done.messages] == ["assistant", "tool", "assistant"]
    text = "".join(event.text_delta.text for event in events)
    assert text.endswith(done.messages[-1].content[0].text)


async def test_the_messages_that_chat_hands_back_can_be_sent_again(service: Service) -> None:
    first = chat('Echo the text "good morning"')
    done = [response async for response in service[1].Chat(first)][-1].done
    again = broker_pb2.Message(
        role="user", content=[broker_pb2.ContentPart(text='Echo the text "good night"')]
    )
    messages = [*first.messages.messages, *done.messages, again]

    conversation = broker_pb2.ChatRequest(messages=broker_pb2.Conversation(messages=messages))
    events = [response async for response in service[1].Chat(conversation)]

    assert "good night" in events[-1].done.messages[-1].content[0].text


async def test_limits_of_the_request_bound_the_run(service: Service) -> None:
    limited = chat('Echo the text "a"', limits=broker_pb2.Limits(max_turns=1))

    events = [response async for response in service[1].Chat(limited)]

    assert not any(event.WhichOneof("event") == "call_started" for event in events)
    assert events[-1].WhichOneof("event") == "done"


async def test_a_client_that_leaves_a_chat_cancels_its_calls_at_the_backend(
    service: Service, probe: tuple[Probe, int]
) -> None:
    call = service[1].Chat(chat('Wait with the text "a"'))
    await asyncio.wait_for(probe[0].waiting.acquire(), 10)

    call.cancel()

    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


async def test_a_model_that_cannot_be_reached_is_unavailable_and_the_reason_is_in_the_log(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    model = {
        "driver": "chat-completions",
        "name": "m",
        "base_url": "http://127.0.0.1:1/v1",
        "api_key": "key-123",
    }
    settings = settings_for(probe[1], model=model, server={"grpc": "127.0.0.1:0", "drain_delay": "10ms"})
    async with (
        running(settings) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await finished(BrokerServiceStub(channel).Chat(chat("hello")))

    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
    details, logged = failed.value.details() or "", capfd.readouterr().err
    assert details.startswith("the model cannot be asked; error ")
    assert details.split()[6].rstrip(":") in logged
    assert "127.0.0.1:1" in logged
    assert "127.0.0.1:1" not in details
    assert "key-123" not in details + logged


async def test_an_internal_error_reaches_the_client_as_an_id_alone(
    probe: tuple[Probe, int],
    settings_for: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("secret token=abc")

    monkeypatch.setattr("broker.dispatch.Broker.call", broken)
    settings = settings_for(probe[1], server={"grpc": "127.0.0.1:0", "drain_delay": "10ms"})
    async with (
        running(settings) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await BrokerServiceStub(channel).CallTool(request("Echo", {"text": "a"}))

    details = failed.value.details() or ""
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in details
    error_id = details.split()[4].rstrip(":")
    assert error_id in capfd.readouterr().err


async def test_health_says_serving_for_the_server_and_the_service(service: Service) -> None:
    stub: Any = health_pb2_grpc.HealthStub(service[0])
    for name in ("", SERVICE):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_the_service_describes_itself_by_reflection(service: Service) -> None:
    descriptors = link(await Reflection(service[0], max_files=100, max_bytes=1_000_000, timeout=10).load())

    assert [found.full_name for found in descriptors.services] == [SERVICE]


async def test_draining_shows_not_serving_and_finishes_the_calls_in_flight(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    server = {"grpc": "127.0.0.1:0", "drain_delay": "300ms", "drain_timeout": "10s"}
    service = running(settings_for(probe[1], server=server))
    port = await service.__aenter__()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = BrokerServiceStub(channel).CallTool(request("Wait", {"text": "a"}))
        watch = watch_health(channel)
        assert await anext(watch) == health_pb2.HealthCheckResponse.SERVING
        await asyncio.wait_for(probe[0].waiting.acquire(), 10)

        drained = asyncio.create_task(service.__aexit__(None, None, None))

        assert await anext(watch) == health_pb2.HealthCheckResponse.NOT_SERVING
        await watch.aclose()
        probe[0].let_go.set()
        assert not (await call).result.is_error
        await asyncio.wait_for(drained, 10)


async def watch_health(channel: grpc.aio.Channel) -> AsyncGenerator[int, None]:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    async for answer in stub.Watch(health_pb2.HealthCheckRequest(service="")):
        yield answer.status


async def test_a_port_that_is_taken_is_refused_with_the_cure(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    settings = settings_for(probe[1], server={"grpc": f"127.0.0.1:{probe[1]}"})

    with pytest.raises(ConfigError, match=r"cannot be listened on; another process may hold the port"):
        async with running(settings):
            pass


async def test_a_call_that_is_one_too_many_is_refused_at_once(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    server = {"grpc": "127.0.0.1:0", "drain_delay": "10ms", "max_concurrent_calls": 1}
    async with (
        running(settings_for(probe[1], server=server)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub: Any = BrokerServiceStub(channel)
        waiting = stub.CallTool(request("Wait", {"text": "a"}))
        await asyncio.wait_for(probe[0].waiting.acquire(), 10)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CallTool(request("Echo", {"text": "a"}))
        probe[0].let_go.set()
        assert not (await waiting).result.is_error
        assert not (await stub.CallTool(request("Echo", {"text": "a"}))).result.is_error

    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_listener_speaks_tls_and_asks_for_a_client_certificate(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    authority, files = trustme.CA(), {name: tmp_path / f"{name}.pem" for name in ("cert", "key", "client_ca")}
    server, client = authority.issue_cert("broker.test"), authority.issue_cert("client.test")
    authority.cert_pem.write_to_path(str(files["client_ca"]))
    server.private_key_pem.write_to_path(str(files["key"]))
    server.cert_chain_pems[0].write_to_path(str(files["cert"]))
    listener = {"grpc": "127.0.0.1:0", "drain_delay": "10ms", "tls": files}
    trusted = grpc.ssl_channel_credentials(
        authority.cert_pem.bytes(), client.private_key_pem.bytes(), client.cert_chain_pems[0].bytes()
    )
    stranger = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    name = (("grpc.ssl_target_name_override", "broker.test"),)

    async with running(settings_for(probe[1], server=listener)) as port:
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", trusted, options=name) as channel:
            listed = await BrokerServiceStub(channel).ListTools(broker_pb2.ListToolsRequest())
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", stranger, options=name) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await BrokerServiceStub(channel).ListTools(broker_pb2.ListToolsRequest())

    assert listed.tools
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_that_is_missing_is_refused(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    tls = {"cert": tmp_path / "none.pem", "key": tmp_path / "none.pem"}

    with pytest.raises(ConfigError, match=r'none.pem" cannot be read'):
        async with running(settings_for(probe[1], server={"grpc": "127.0.0.1:0", "tls": tls})):
            pass


async def test_the_timeout_of_the_limits_bounds_the_run(service: Service, probe: tuple[Probe, int]) -> None:
    limits = broker_pb2.Limits(timeout={"nanos": 500_000_000})

    events = [response async for response in service[1].Chat(chat('Wait with the text "a"', limits=limits))]

    assert events[-1].done.stop_reason == "timeout"
    await asyncio.wait_for(probe[0].cancelled.acquire(), 10)


def test_a_message_with_an_image_keeps_its_parts() -> None:
    parts = [
        broker_pb2.ContentPart(text="What is this?"),
        broker_pb2.ContentPart(image_url="data:image/png,x"),
    ]
    message = broker_pb2.Message(role="user", content=parts)

    converted = chat_requests.messages(broker_pb2.Conversation(messages=[message]))

    assert converted == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png,x"}},
            ],
        }
    ]


def test_an_approval_that_is_needed_has_its_place_in_the_api() -> None:
    call = ToolCall(id="1", name="a", arguments="{}")

    response = chat_messages.from_event(ApprovalNeeded(call=call, request="{}", backend="b", full_name="s.M"))

    assert response.approval_needed.call.id == "1"


async def test_a_chat_that_is_kept_says_first_what_takes_it_up(service: Service) -> None:
    responses = [response async for response in service[1].Chat(chat('Echo the text "a"', kept=True))]

    assert responses[0].kept.state.startswith(b"run_")
    assert responses[-1].WhichOneof("event") == "done"


def test_the_events_of_the_loop_are_all_known() -> None:
    # A new kind of event needs a place in broker.proto.
    kinds = {field.name for field in broker_pb2.ChatResponse.DESCRIPTOR.oneofs_by_name["event"].fields}

    assert {camel_to_snake(kind.__name__) for kind in Event.__args__} == kinds


def camel_to_snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name).lstrip("_")
