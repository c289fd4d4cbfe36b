"""Why there is no weather → what the client is told."""

import json

import grpc
from google.rpc import error_details_pb2

from tool_servers.serving.failures import Failure, reason
from tool_servers.weather.provider import SourceFailed, UnknownCity

DOMAIN = "weather.v1.WeatherService"


def failure(error: UnknownCity | SourceFailed) -> Failure:
    """The status of what a provider raises."""
    if isinstance(error, SourceFailed):
        return Failure(error.code, error.message, reason(DOMAIN, "SOURCE_FAILED"))
    fact = f"no city named {json.dumps(error.name, ensure_ascii=False)} is known here"
    nearest = ", ".join(error.nearest)
    cure = (
        f"the nearest names are {nearest}"
        if error.nearest
        else "no known name looks like it: give a large city near it"
    )
    return Failure(
        grpc.StatusCode.NOT_FOUND,
        f"{fact}; {cure}",
        reason(DOMAIN, "CITY_NOT_FOUND", {"name": error.name, "nearest": nearest}),
        error_details_pb2.ResourceInfo(resource_type="city", resource_name=error.name, description=cure),
    )
