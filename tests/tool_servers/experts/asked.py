"""The expert service before a model whose answers are written down."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from experts.v1 import experts_pb2_grpc

from tests.models.scripted_server import Answer, ScriptedServer, scripted_server
from tests.tool_servers.conftest import Elsewhere, Serve
from tool_servers.experts.expert import open_expert
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
