"""An approval is of one request to one tool: what has become another one since is not sent."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from broker import assembly
from broker.chat.decisions import Approve
from broker.chat.loop import Chat
from broker.config.settings import ModelSettings, Settings
from broker.errors import Code
from broker.models.chat_completions import ChatCompletions
from broker.state.checkpoints import Checkpoints
from broker.state.memory import MemoryStore
from tests.chat.conversation import calls, danger, results, resumed, waiting
from tests.models.scripted_server import ScriptedServer, said, stream
from tests.servers.probe import Probe

# The probe's service, of which the same JSON makes other bytes where `text` has another number.
PROTO = """\
syntax = "proto3";
package probe.v1;
service ProbeService { rpc Dangerous(Request) returns (Request); }
message Request { string text = %d; }
"""
TOOL = "probe.v1.ProbeService.Dangerous"
DENIED = {"approval": "deny"}
Versions = Callable[..., Any]


@pytest.fixture
def version(server: ScriptedServer, probe: tuple[Probe, int], tmp_path: Path) -> Versions:
    """Opens a Chat by its .proto, and by what broker.yaml says; all take up the same runs."""
    checkpoints = Checkpoints(MemoryStore())

    @asynccontextmanager
    async def opened(
        *, number: int = 1, backend: str = "probe", tool: dict[str, Any] | None = None
    ) -> AsyncIterator[Chat]:
        folder = tmp_path / str(number)
        folder.mkdir(exist_ok=True)
        (folder / "probe.proto").write_text(PROTO % number)
        descriptors = {"protos": ["probe.proto"], "import_paths": [str(folder)]}
        target = {"target": f"127.0.0.1:{probe[1]}", "plaintext": True, "descriptors": descriptors}
        policy = {TOOL: {"approval": "required"} if tool is None else tool}
        settings = Settings.model_validate(
            {"backends": {backend: target}, "tools": policy, "log": {"level": "error"}}
        )
        model = ChatCompletions(ModelSettings(name="m", base_url=server.base_url), max_retries=0)
        async with assembly.open(settings) as broker:
            yield Chat(broker, model, checkpoints=checkpoints)
        await model.close()

    return opened


async def test_a_tool_that_is_as_it_was_is_called(
    server: ScriptedServer, probe: tuple[Probe, int], version: Versions
) -> None:
    server.script += [calls(danger("x")), stream(said("Sent."))]
    async with version() as chat:
        state = await waiting(chat)

    async with version() as chat:
        await resumed(chat, state, Approve(call_id="x"))

    assert probe[0].seen == ["Dangerous"]


@pytest.mark.parametrize(
    ("now", "arguments", "code", "told"),
    [
        pytest.param({"number": 2}, None, Code.FAILED_PRECONDITION, "has changed", id="other bytes"),
        pytest.param({"backend": "b"}, None, Code.FAILED_PRECONDITION, "has changed", id="another backend"),
        pytest.param(
            {"backend": "b"},
            '{"text": "b"}',
            Code.FAILED_PRECONDITION,
            "has changed",
            id="another backend, which was not shown to who has edited the request",
        ),
        pytest.param({"tool": DENIED}, None, Code.PERMISSION_DENIED, "not allowed here", id="denied"),
        pytest.param(
            {"tool": DENIED}, '{"text": "b"}', Code.PERMISSION_DENIED, "not allowed here", id="denied, edited"
        ),
        pytest.param({"tool": {"hidden": True}}, None, Code.NOT_FOUND, "There is no tool", id="gone"),
    ],
)
async def test_a_tool_that_has_changed_since_it_was_approved_is_not_called_and_the_model_reads_why(
    server: ScriptedServer,
    probe: tuple[Probe, int],
    version: Versions,
    now: dict[str, Any],
    arguments: str | None,
    code: Code,
    told: str,
) -> None:
    server.script += [calls(danger("x")), stream(said("I did not."))]
    async with version() as chat:
        state = await waiting(chat)

    async with version(**now) as chat:
        events, done = await resumed(chat, state, Approve(call_id="x", arguments=arguments))

    assert probe[0].seen == []
    assert results(events)["x"].code is code
    assert told in results(events)["x"].content
    assert done.text == "I did not."
