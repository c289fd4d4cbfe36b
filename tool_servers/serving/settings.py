"""Settings that are read at start, so that no call fails by them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_LAST_PORT = 65535


def http_url(environment: Mapping[str, str], name: str, default: str) -> str:
    """The URL that a variable names; raises ValueError, without what may be a password.

    >>> http_url({}, "SOURCE_URL", "https://example.com/v1")
    'https://example.com/v1'
    >>> http_url({"SOURCE_URL": "example.com"}, "SOURCE_URL", "https://example.com/v1")
    Traceback (most recent call last):
      ...
    ValueError: SOURCE_URL 'example.com' is no URL: give one like https://example.com/v1
    """
    url = environment.get(name, default).strip()
    if not _is_http(url):
        shown = "" if "@" in url else f" {url!r}"
        raise ValueError(f"{name}{shown} is no URL: give one like {default}")
    return url


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of HOST:PORT; raises ValueError for what is no such address.

    >>> host_and_port("127.0.0.1:0"), host_and_port("[::1]:50051")
    (('127.0.0.1', 0), ('[::1]', 50051))
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or len(port) > len(str(_LAST_PORT)) or int(port) > _LAST_PORT:
        raise ValueError(f"{address!r} is no HOST:PORT")
    return host, int(port)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
