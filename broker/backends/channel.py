"""Settings of a backend → its one grpc.aio channel."""

from collections.abc import Iterable

import grpc
import grpc.aio

from broker.backends.credentials import channel_credentials
from broker.backends.service_config import service_config
from broker.config.settings import BackendSettings
from broker.tool import Tool

# A request that is larger than this cannot be sent again; gRPC's own 256 KiB is less than a message may have.
_RETRY_BUFFER_BYTES = 4 * 1024 * 1024


def open_channel(settings: BackendSettings, tools: Iterable[Tool] = ()) -> grpc.aio.Channel:
    """A channel that connects on its first call. Raises ConfigError when a TLS file cannot be read."""
    options = _options(settings, tools)
    if settings.plaintext:
        return grpc.aio.insecure_channel(settings.target, options=options)
    return grpc.aio.secure_channel(settings.target, channel_credentials(settings.tls), options=options)


def _options(settings: BackendSettings, tools: Iterable[Tool]) -> list[tuple[str, str | int]]:
    options: list[tuple[str, str | int]] = [
        ("grpc.service_config", service_config(tools, health_check=settings.health_check)),
        ("grpc.per_rpc_retry_buffer_size", _RETRY_BUFFER_BYTES),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
    ]
    if settings.keepalive_time is not None:
        timeout = int(settings.keepalive_timeout * 1000)
        options += [
            ("grpc.keepalive_time_ms", int(settings.keepalive_time * 1000)),
            ("grpc.keepalive_timeout_ms", timeout),
            # Without it a connection that died in silence is noticed after a minute only.
            ("grpc.http2.ping_timeout_ms", timeout),
        ]
    if settings.authority is not None:
        options.append(("grpc.default_authority", settings.authority))
    if settings.tls.server_name is not None:
        options.append(("grpc.ssl_target_name_override", settings.tls.server_name))
    return options
