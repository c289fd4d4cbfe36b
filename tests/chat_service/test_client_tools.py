"""The caller's own tools over gRPC, and images in results."""

from typing import Any

from broker.v1 import broker_pb2 as pb
from tests.chat_service.client import (
    approve,
    ask,
    client_tool,
    kinds,
    results,
    resume,
    talked,
    tool_ids,
    waiting,
)
from tests.chat_service.script import DANGEROUS, client_call, server_call
from tests.models.scripted_server import ScriptedServer, asked_for, said, stream
from tests.servers.probe import Probe

PNG = b"\x89PNG\r\n\x1a\n"
PNG_URL = "data:image/png;base64,iVBORw0KGgo="


async def test_the_callers_tools_are_its_own_to_run_beside_ours(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any
) -> None:
    asked = asked_for(server_call("a"), client_call("b"), server_call("c", DANGEROUS))
    server.script += [stream(asked), stream(said("Here."))]

    events, half = await talked(stub, ask(tools=[client_tool("locate")]))

    assert kinds(events) == ["call_started", "call_finished", "client_call", "approval_needed"]
    call = events[2].client_call.call
    assert (call.id, call.name, call.arguments) == ("b", "locate", "{}")
    assert half.stop_reason == "waiting"
    located = pb.ToolResult(call_id="b", content="Oslo")
    events, done = await talked(stub, resume(half.state, approve("c"), results=[located]))
    assert tool_ids(done.messages) == ["", "a", "b", "c", ""]
    assert done.messages[2].content[0].text == "Oslo"
    assert probe[0].seen == ["Echo", "Dangerous"]
    offered = [tool["function"]["name"] for tool in server.requests[1]["tools"]]
    assert offered[-1] == "locate", "a run that goes on has its tools still"


async def test_a_result_that_failed_at_the_caller_is_told_as_it_is(server: ScriptedServer, stub: Any) -> None:
    server.script += [stream(asked_for(client_call("b"))), stream(said("I cannot."))]
    state = await waiting(stub, tools=[client_tool("locate")])
    failed = pb.ToolResult(call_id="b", content="no signal", is_error=True)

    events, _ = await talked(stub, resume(state, results=[failed]))

    assert (results(events)["b"].is_error, results(events)["b"].code) == (True, 2)
    assert server.requests[1]["messages"][-1]["content"] == "no signal"


async def test_results_of_the_callers_tools_may_also_come_as_messages(
    server: ScriptedServer, probe: tuple[Probe, int], stub: Any
) -> None:
    asked = asked_for(server_call("a"), client_call("b"))
    server.script += [stream(asked), stream(said("Here."))]
    tools = [client_tool("locate")]
    _, half = await talked(stub, ask(tools=tools))

    located = pb.Message(role="tool", tool_call_id="b", content=[pb.ContentPart(text="Oslo")])
    _, done = await talked(stub, ask(*half.messages, located, tools=tools))

    assert done.stop_reason == "answered"
    sent = server.requests[1]["messages"]
    assert [message.get("tool_call_id") for message in sent[1:]] == [None, "a", "b"]
    assert sent[-1]["content"] == "Oslo"
    assert probe[0].seen == ["Echo"]


async def test_an_image_in_a_result_is_shown_to_the_model_and_survives_the_round_trip(
    server: ScriptedServer, stub: Any
) -> None:
    server.script += [stream(asked_for(client_call("b"))), stream(said("A cat.")), stream(said("A cat."))]
    tools = [client_tool("locate")]
    state = await waiting(stub, tools=tools)
    picture = pb.ToolResult(call_id="b", content="see", media=[pb.Media(media_type="image/png", data=PNG)])

    _, done = await talked(stub, resume(state, results=[picture]))

    assert [part.image_url for part in done.messages[1].content if part.image_url] == [PNG_URL]
    await talked(stub, ask(*done.messages, tools=tools))
    assert str(server.requests[1]).count(PNG_URL) == 1
    assert server.requests[2]["messages"][: len(server.requests[1]["messages"])] == [
        *server.requests[1]["messages"]
    ]
