"""Settings from the environment, checked at start, so that a call does not fail by them."""

from collections.abc import Mapping
from urllib.parse import urlsplit


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


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
