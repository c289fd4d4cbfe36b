"""A client in another language than the tool servers of Python, which must not speak to Python only."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

ROOT = Path(__file__).parents[2]
# Its client library is that of the tool server in TypeScript.
FLIGHTS = ROOT / "tool_servers" / "flights"


class NodeChannel:
    """What stubs need of a channel to one address; each call is made by a process of Node."""

    def __init__(self, node: "Node", address: str) -> None:
        self._node = node
        self._address = address

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        **_: Any,
    ) -> Callable[[Any], Awaitable[Any]]:
        """Makes the calls of one method; they fail as those of grpc.aio do."""

        async def call(request: Any) -> Any:
            serialized = request_serializer(request)
            told = await asyncio.to_thread(self._node.call, self._address, method, serialized)
            if told["code"]:
                raise _error(told)
            return response_deserializer(base64.b64decode(told["response"]))

        return call


class Node:
    """The process, which makes one call at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._free = threading.Lock()

    def call(self, address: str, method: str, request: bytes) -> dict[str, Any]:
        """Code, message, and the bytes of the details and of the response, as base64."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"address": address, "method": method, "request": base64.b64encode(request).decode()}
        with self._free:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@contextmanager
def node() -> Iterator[Node]:
    """A process of Node; skips where there is none, but fails in CI."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        reason = f"{missing[0]} is not installed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    subprocess.run(["make", "-C", FLIGHTS, "build"], check=True, stdout=subprocess.DEVNULL)
    script = Path(__file__).with_suffix(".cjs")
    with subprocess.Popen(
        ["node", script, FLIGHTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Node(process)
        process.kill()


def _error(told: dict[str, Any]) -> grpc.aio.AioRpcError:
    code = next(code for code in grpc.StatusCode if code.value[0] == told["code"])
    trailers = grpc.aio.Metadata()
    if told["details"]:
        trailers.add("grpc-status-details-bin", base64.b64decode(told["details"]))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, told["message"])
