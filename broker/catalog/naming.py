"""A method's full name → the name by which models call it."""

import hashlib

MAX_LENGTH = 64
"""OpenAI and Anthropic both take `^[a-zA-Z0-9_-]{1,64}$`."""

RESERVED = frozenset({"read_result", "search_tools", "call_tool"})
"""Names of the broker's own tools."""

_HASH_LENGTH = 6
_CROCKFORD_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


def tool_name(full_name: str, prefix: str | None = None) -> str:
    """The name of a method, the same whatever else is loaded.

    A name that is too long loses leading package segments and gains a hash of the full name.

    >>> tool_name("weather.v1.WeatherService.GetWeather")
    'weather_v1_WeatherService_GetWeather'
    >>> tool_name("weather.v1.WeatherService.GetWeather", prefix="acme")
    'acme_weather_v1_WeatherService_GetWeather'
    >>> tool_name("com.example.engineering.platform.deployments.v1.DeploymentService.Create")
    'platform_deployments_v1_DeploymentService_Create_pvwj6a'
    """
    head = "" if prefix is None else f"{prefix}_"
    whole = head + full_name.replace(".", "_")
    if len(whole) <= MAX_LENGTH:
        return whole
    tail = f"_{_short_hash(full_name)}"
    return head + _shortened(full_name, MAX_LENGTH - len(head) - len(tail)) + tail


def is_shortened(name: str, full_name: str) -> bool:
    """Whether the method's name was too long to be called by.

    >>> is_shortened("platform_deployments_v1_DeploymentService_Create_pvwj6a",
    ...              "com.example.engineering.platform.deployments.v1.DeploymentService.Create")
    True
    """
    return name.endswith(f"_{_short_hash(full_name)}")


def _shortened(full_name: str, room: int) -> str:
    segments = full_name.split(".")
    while len(segments) > 2 and len("_".join(segments)) > room:
        del segments[0]
    # The end of a name tells more than its beginning: `…Service_GetWeather`.
    return "_".join(segments)[-room:].lstrip("_")


def _short_hash(full_name: str) -> str:
    number = int.from_bytes(hashlib.sha256(full_name.encode()).digest()[:4])
    return "".join(_CROCKFORD_BASE32[(number >> 5 * place) & 31] for place in range(_HASH_LENGTH))
