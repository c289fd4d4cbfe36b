"""BrokerService and where to listen → a gRPC server, with health and reflection beside it."""

from dataclasses import dataclass

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from broker.backends.credentials import server_credentials
from broker.config.settings import ServerSettings
from broker.errors import ConfigError
from broker.servers.broker_service import BrokerService
from broker.v1 import broker_pb2, broker_pb2_grpc

SERVICE = broker_pb2.DESCRIPTOR.services_by_name["BrokerService"].full_name
_REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
_MAX_REQUEST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class GrpcServer:
    """A server that takes calls."""

    server: grpc.aio.Server
    port: int
    health: health.aio.HealthServicer


async def start(service: BrokerService, settings: ServerSettings) -> GrpcServer:
    """Listens, and says SERVING. Raises ConfigError when the address cannot be listened on."""
    server = grpc.aio.server(
        options=[
            # gRPC's default lets a second process listen on the same port without a word.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", _MAX_REQUEST_BYTES),
        ],
    )
    broker_pb2_grpc.add_BrokerServiceServicer_to_server(service, server)
    _add_reflection(server)
    health_service = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    port = _listen(server, settings)
    await server.start()
    for name in ("", SERVICE):
        await health_service.set(name, health_pb2.HealthCheckResponse.SERVING)
    return GrpcServer(server=server, port=port, health=health_service)


def _add_reflection(server: grpc.aio.Server) -> None:
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    # v1 has the same messages under another name; grpcio has no code for it yet (grpc/grpc#38576).
    handler = grpc.stream_stream_rpc_method_handler(
        reflection.aio.ReflectionServicer(names).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    v1 = grpc.method_handlers_generic_handler(_REFLECTION_V1, {"ServerReflectionInfo": handler})
    server.add_generic_rpc_handlers((v1,))


def _listen(server: grpc.aio.Server, settings: ServerSettings) -> int:
    secured = credentials(settings)
    try:
        if secured is None:
            return server.add_insecure_port(settings.grpc)
        return server.add_secure_port(settings.grpc, secured)
    except RuntimeError as error:
        raise ConfigError(
            f'"{settings.grpc}" cannot be listened on; '
            "another process may hold the port: choose another, or 0 for a free one",
            ("server", "grpc"),
        ) from error


def credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    """None for plaintext. Raises ConfigError when a file cannot be used."""
    if settings.tls is None:
        return None
    try:
        return server_credentials(settings.tls)
    except ConfigError as error:
        raise ConfigError(str(error), ("server", "tls")) from error
