"""A server of models on loopback: each request gets the next answer of its script, byte for byte."""

import asyncio
import inspect
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(kw_only=True)
class Answer:
    """What is sent; an event among the blocks is waited for before the block after it."""

    blocks: Iterable[bytes | asyncio.Event]
    status: int = 200
    content_type: str = "text/event-stream"
    breaks_off: bool = False
    headers: dict[str, str] = field(default_factory=dict)


Reply = Callable[[dict[str, Any]], Answer | Awaitable[Answer]]
"""An answer that depends on the body of the request."""


class ScriptedServer:
    """Speaks HTTP/1.1, so that each quirk of a server of models can be put on the wire."""

    def __init__(self) -> None:
        self.script: deque[Answer | Reply] = deque()
        self.requests: list[dict[str, Any]] = []
        """The bodies of the requests."""
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.asked = asyncio.Semaphore(0)
        """Released once for each request."""
        self.gone = asyncio.Event()
        """Set when a client has gone away while an answer waited for an event."""
        self.base_url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                await self._read(reader)
                await self._send(await self._next(), reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        self.headers.append(headers | {":path": head[0].split(" ")[1]})
        self.requests.append(orjson.loads(await reader.readexactly(int(headers["content-length"]))))
        self.asked.release()

    async def _next(self) -> Answer:
        answer = self.script.popleft()
        if isinstance(answer, Answer):
            return answer
        made = answer(self.requests[-1])
        return await made if inspect.isawaitable(made) else made

    async def _send(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = {"content-type": answer.content_type, "transfer-encoding": "chunked", **answer.headers}
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode())
        for block in answer.blocks:
            if isinstance(block, asyncio.Event):
                await self._wait(block, reader)
            else:
                writer.write(b"%x\r\n%b\r\n" % (len(block), block))
            await writer.drain()
        if answer.breaks_off:
            raise ConnectionError
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def _wait(self, event: asyncio.Event, reader: asyncio.StreamReader) -> None:
        gone = asyncio.create_task(reader.read(1))
        come = asyncio.create_task(event.wait())
        done, pending = await asyncio.wait({gone, come}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if gone in done:
            self.gone.set()
            raise ConnectionError


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """A server that listens, with an empty script."""
    scripted = ScriptedServer()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    yield scripted
    server.close()


def chunk(delta: Any, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk with one choice."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice],
        **more,
    }


def said(*pieces: str) -> list[dict[str, Any]]:
    """The chunks of an answer in words."""
    return [*(chunk({"content": piece}) for piece in pieces), chunk({}, "stop")]


def asked_for(*calls: tuple[str, str, str], finish_reason: str = "tool_calls") -> list[dict[str, Any]]:
    """The chunks of an answer that asks for calls, each (id, name, arguments), as OpenAI sends them."""
    chunks = []
    for index, (id, name, arguments) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        head = {"index": index, "id": id, "type": "function", "function": function}
        chunks.append(chunk({"tool_calls": [head]}))
        for piece in (arguments[:5], arguments[5:]):
            chunks.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    return [*chunks, chunk({}, finish_reason)]


def stream(chunks: Iterable[Any], *, done: bool = True, **more: Any) -> Answer:
    """The chunks as events."""
    return Answer(blocks=[*map(event, chunks), *([b"data: [DONE]\n\n"] if done else [])], **more)


def event(data: Any) -> bytes:
    """One event."""
    return f"data: {json.dumps(data)}\n\n".encode()


def refusal(status: int, body: Any, content_type: str = "application/json") -> Answer:
    """An answer that is an error."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(blocks=[data], status=status, content_type=content_type)
