"""A service and an address → a gRPC server with the service, health and reflection."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

from tool_servers.serving.calls import Calls
from tool_servers.serving.described import described
from tool_servers.serving.settings import host_and_port

OPTIONS = (
    # Without it a second server on the same port starts without a word and takes half of the calls.
    ("grpc.so_reuseport", 0),
    # Long-lived clients come back through name resolution now and then, so that load stays even.
    ("grpc.max_connection_age_ms", 30 * 60 * 1000),
    ("grpc.max_connection_age_grace_ms", 30 * 1000),
)
MAX_CONCURRENT_RPCS = 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What is served: the implementation of a service whose methods are unary."""

    descriptor: ServiceDescriptor
    servicer: Any
    register: Callable[[Any, grpc.aio.Server], None]
    """`add_…Servicer_to_server` of its stubs."""
    max_request: int = 64 * 1024
    """In bytes; a larger one is RESOURCE_EXHAUSTED."""
    max_response: int = 1024 * 1024
    """In bytes."""


class ToolServer:
    """Serves a service at an address until it is stopped.

    server = ToolServer(service, "127.0.0.1:0")
    port = await server.start()
    …
    await server.stop()
    """

    def __init__(self, service: Service, address: str) -> None:
        self.address = address
        """Where it listens; once it is started, with the port that it got."""
        self._service = service
        self._name = service.descriptor.full_name
        self._calls = Calls(self._name)
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None

    @property
    def in_flight(self) -> int:
        """How many calls are being answered now."""
        return self._calls.in_flight

    @property
    def max_in_flight(self) -> int:
        """How many calls of the service were being answered at once at most."""
        return self._calls.max_in_flight

    async def start(self) -> int:
        """Listens, and returns the port; raises OSError where the address cannot be had."""
        server = grpc.aio.server(
            interceptors=(self._calls,),
            options=(
                *OPTIONS,
                ("grpc.max_receive_message_length", self._service.max_request),
                ("grpc.max_send_message_length", self._service.max_response),
            ),
            maximum_concurrent_rpcs=MAX_CONCURRENT_RPCS,
        )
        self._service.register(self._service.servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        add_reflection(server, self._service.descriptor)
        port = _listen(server, self.address)
        await server.start()
        self.address = f"{self.address.rpartition(':')[0]}:{port}"
        self._server = server
        for name in ("", self._name):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self, grace: float = 10.0) -> None:
        """Says NOT_SERVING, refuses new calls, and gives those in flight `grace` seconds to end."""
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            await self._server.stop(grace)
            logger.info("stopped max_in_flight=%d", self.max_in_flight)


def _listen(server: grpc.aio.Server, address: str) -> int:
    fact = f"cannot listen on {address!r}: give a HOST:PORT of this machine that is free"
    try:
        # grpc takes 443 where there is no port, and for one that is too large what is left of it in 16 bits.
        host_and_port(address)
        return server.add_insecure_port(address)
    except (ValueError, RuntimeError) as error:
        raise OSError(fact) from error


def add_reflection(server: grpc.aio.Server, service: ServiceDescriptor) -> None:
    """Adds server reflection as v1 and as v1alpha: the same messages under two service names."""
    names = (service.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)
    pool: Any = described(service.file)
    reflection.enable_server_reflection(names, server, pool)
    method = grpc.stream_stream_rpc_method_handler(
        ReflectionServicer(names, pool).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    v1 = grpc.method_handlers_generic_handler(
        "grpc.reflection.v1.ServerReflection", {"ServerReflectionInfo": method}
    )
    server.add_generic_rpc_handlers((v1,))
