"""TLS settings of a backend → gRPC channel credentials."""

from pathlib import Path

import grpc

from broker.config.settings import TlsSettings
from broker.errors import ConfigError


def channel_credentials(tls: TlsSettings) -> grpc.ChannelCredentials:
    """Trusts `tls.ca` (None: gRPC's own list) and shows `tls.cert` to a backend that asks for it.

    Raises ConfigError when a file cannot be read.
    """
    return grpc.ssl_channel_credentials(
        root_certificates=_pem(tls.ca), private_key=_pem(tls.key), certificate_chain=_pem(tls.cert)
    )


def _pem(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f'"{path}" cannot be read: {error.strerror}. Name a PEM file.') from error
