"""BrokerService and where to listen → a gRPC server, with health and reflection beside it."""

from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from broker.config.settings import ServerSettings, ServerTlsSettings
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
        maximum_concurrent_rpcs=settings.max_concurrent_calls,
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
    try:
        if settings.tls is None:
            return server.add_insecure_port(settings.grpc)
        return server.add_secure_port(settings.grpc, _credentials(settings.tls))
    except RuntimeError as error:
        raise ConfigError(
            f'server.grpc: "{settings.grpc}" cannot be listened on. '
            "Another process may hold the port: choose another, or 0 for a free one."
        ) from error


def _credentials(tls: ServerTlsSettings) -> grpc.ServerCredentials:
    client_ca = None if tls.client_ca is None else _read(tls.client_ca)
    return grpc.ssl_server_credentials(
        [(_read(tls.key), _read(tls.cert))],
        root_certificates=client_ca,
        require_client_auth=client_ca is not None,
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f'server.tls: "{path}" cannot be read: {error.strerror}. Name a PEM file.'
        ) from error
