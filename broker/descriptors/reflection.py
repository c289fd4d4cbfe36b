"""A server's reflection service → the descriptors of the services that it offers."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from typing import TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message
from grpc.aio import AioRpcError, Channel, StreamStreamCall
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from broker.descriptors.closure import Closure
from broker.descriptors.sources import Loaded, quoted
from broker.errors import DescriptorError

_Stream: TypeAlias = StreamStreamCall[Message, bytes]

# v1alpha has the same messages; some servers have only the one, some only the other.
# https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
_V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
_V1ALPHA = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
# A question that is written while UNIMPLEMENTED arrives ends as INTERNAL, "Internal error from Core".
_NOT_SERVED = (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL)
_OTHERWISE = "give its .proto files or a protoset instead"
_CURES = {
    grpc.StatusCode.UNAVAILABLE: "check the target, and whether it speaks TLS (plaintext: true if not)",
    grpc.StatusCode.DEADLINE_EXCEEDED: f"raise connect_timeout, or {_OTHERWISE}",
    grpc.StatusCode.RESOURCE_EXHAUSTED: f"raise max_message_bytes, or {_OTHERWISE}",
    grpc.StatusCode.UNAUTHENTICATED: f"send metadata that says who calls, or {_OTHERWISE}",
    grpc.StatusCode.PERMISSION_DENIED: f"send metadata that says who calls, or {_OTHERWISE}",
    grpc.StatusCode.UNIMPLEMENTED: f"it has no reflection service: {_OTHERWISE}",
}


@dataclass(frozen=True, slots=True)
class Reflection:
    """A server that describes itself. On offer are all its services but gRPC's own."""

    channel: Channel
    _: KW_ONLY
    max_files: int
    """How many files the server may hand out."""
    max_bytes: int
    """How many bytes these files may have together."""
    timeout: float
    """How long all of it may take, in seconds."""
    metadata: Sequence[tuple[str, str]] = ()
    """Sent along, for a server that asks who calls."""

    async def load(self) -> Loaded:
        """Ask the server; DescriptorError says why it cannot be asked, or what is wrong with its answers."""
        try:
            return await self._load_by_either(time.monotonic() + self.timeout)
        except AioRpcError as error:
            reason, cure = quoted(error.details() or ""), _CURES.get(error.code(), _OTHERWISE)
            raise DescriptorError(
                f"the server does not describe itself: {error.code().name} {reason}; {cure}"
            ) from error

    async def _load_by_either(self, deadline: float) -> Loaded:
        try:
            return await self._load(_V1, deadline)
        except AioRpcError as error:
            if error.code() not in _NOT_SERVED:
                raise
            first = error
        try:
            return await self._load(_V1ALPHA, deadline)
        except AioRpcError as error:
            raise first if error.code() is grpc.StatusCode.UNIMPLEMENTED else error from None

    async def _load(self, path: str, deadline: float) -> Loaded:
        method = self.channel.stream_stream(path, ServerReflectionRequest.SerializeToString, bytes)
        stream = method(timeout=max(0.0, deadline - time.monotonic()), metadata=tuple(self.metadata))
        closure = Closure(max_files=self.max_files, max_bytes=self.max_bytes)
        inquiry = _Inquiry(stream, closure, self.max_files)
        try:
            services = await inquiry.services()
            await inquiry.fetch_services(services)
            await inquiry.fetch_imports()
        finally:
            stream.cancel()
        return Loaded(files=closure.file_set(), services=services, trusted=False)


class _Inquiry:
    """One stream of questions and answers, which fills a closure."""

    def __init__(self, stream: _Stream, closure: Closure, max_files: int) -> None:
        self._stream = stream
        self._closure = closure
        # The services, then a file for each question, and one that is too many: who answers each with an
        # old file would keep us asking.
        self._questions_left = 1 + max_files + 1

    async def services(self) -> list[str]:
        """Return the full names of the services on offer, sorted."""
        answer = await self._ask(ServerReflectionRequest(list_services="*"))
        if answer.HasField("error_response"):
            raise _refused("will not list its services", answer.error_response)
        names = {service.name for service in answer.list_services_response.service}
        return sorted(name for name in names if not name.startswith("grpc."))

    async def fetch_services(self, names: Sequence[str]) -> None:
        """Fetch the file of each service."""
        for name in names:
            if not self._closure.defines(name):
                answer = await self._ask(ServerReflectionRequest(file_containing_symbol=name))
                if answer.HasField("error_response"):
                    raise _refused(f"offers {quoted(name)} and does not describe it", answer.error_response)
                self._closure.add(answer.file_descriptor_response.file_descriptor_proto)

    async def fetch_imports(self) -> None:
        """Fetch what the files import, until nothing is missing."""
        while missing := self._closure.missing():
            for name in missing:
                if not self._closure.imports(name):
                    await self._fetch_import(name)

    async def _fetch_import(self, name: str) -> None:
        answer = await self._ask(ServerReflectionRequest(file_by_filename=name))
        self._closure.add(answer.file_descriptor_response.file_descriptor_proto, asked=name)
        if not self._closure.imports(name) and not self._closure.add_from_runtime(name):
            raise _refused(f"does not have {quoted(name)}, which its files import", answer.error_response)

    async def _ask(self, question: ServerReflectionRequest) -> ServerReflectionResponse:
        self._questions_left -= 1
        if self._questions_left < 0:
            raise DescriptorError(
                "the server keeps naming files that it does not hand out; raise descriptors.max_files, "
                f"or {_OTHERWISE}"
            )
        # Where the call is over already, reading tells how it ended.
        with suppress(asyncio.InvalidStateError):
            await self._stream.write(question)
        answer = await self._stream.read()
        if not isinstance(answer, bytes):
            raise DescriptorError(f"the server ended the reflection call too early; {_OTHERWISE}")
        return _parsed(answer)


def _parsed(answer: bytes) -> ServerReflectionResponse:
    try:
        return ServerReflectionResponse.FromString(answer)
    except DecodeError as error:
        raise DescriptorError(f"the server's reflection answers cannot be read; {_OTHERWISE}") from error


def _refused(fact: str, error: ErrorResponse) -> DescriptorError:
    return DescriptorError(f"the server {fact}: {quoted(error.error_message)}; {_OTHERWISE}")
