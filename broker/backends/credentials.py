"""PEM files → gRPC credentials, of a channel or of a listener.

gRPC takes whatever bytes it is given, and fails later without a word of the file; so they are checked here.
"""

import ssl
from pathlib import Path

import grpc

from broker.config.settings import ServerTlsSettings, TlsSettings
from broker.errors import ConfigError


def channel_credentials(tls: TlsSettings) -> grpc.ChannelCredentials:
    """Trusts `tls.ca` (None: gRPC's own list) and shows `tls.cert` to a backend that asks for it.

    Raises ConfigError when a file cannot be used.
    """
    key, cert = (None, None) if tls.cert is None or tls.key is None else _pair(tls.cert, tls.key)
    return grpc.ssl_channel_credentials(
        root_certificates=None if tls.ca is None else _authorities(tls.ca),
        private_key=key,
        certificate_chain=cert,
    )


def server_credentials(tls: ServerTlsSettings) -> grpc.ServerCredentials:
    """Shows `tls.cert`, and answers only clients of `tls.client_ca` (None: any client).

    Raises ConfigError when a file cannot be used.
    """
    authorities = None if tls.client_ca is None else _authorities(tls.client_ca)
    return grpc.ssl_server_credentials(
        [_pair(tls.cert, tls.key)],
        root_certificates=authorities,
        require_client_auth=authorities is not None,
    )


def _pair(cert: Path, key: Path) -> tuple[bytes, bytes]:
    """The key and the certificate, in gRPC's order."""
    found = _read(key), _read(cert)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        raise ConfigError(
            f'"{cert}" and "{key}" are no certificate and its private key, in PEM and without a password'
        ) from error
    return found


def _no_password() -> bytes:
    return b""


def _authorities(path: Path) -> bytes:
    found = _read(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise ConfigError(f'"{path}" holds no certificate; name a PEM file of authorities') from error
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f'"{path}" cannot be read: {error.strerror}; name a PEM file') from error
