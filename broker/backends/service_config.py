"""Tools → gRPC's service config: which methods may be sent again after a failure, and how calls are spread.

Source: https://github.com/grpc/grpc/blob/master/doc/service_config.md
"""

from collections.abc import Iterable
from typing import Any

import orjson

from broker.tool import Retry, Tool

_RETRY_POLICY = {
    "maxAttempts": 3,
    "initialBackoff": "0.1s",
    "maxBackoff": "10s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# After many failures in a row no call is sent twice any more: a service that is down is not hammered.
_RETRY_THROTTLING = {"maxTokens": 100, "tokenRatio": 0.1}


def service_config(tools: Iterable[Tool], *, health_check: bool = False) -> str:
    """The JSON text that a channel takes as `grpc.service_config`."""
    config: dict[str, Any] = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "retryThrottling": _RETRY_THROTTLING,
    }
    if health_check:
        # "" is the name that every health service knows.
        config["healthCheckConfig"] = {"serviceName": ""}
    names = [_method_name(tool) for tool in tools if _may_retry(tool)]
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": _RETRY_POLICY}]
    return orjson.dumps(config).decode()


def _method_name(tool: Tool) -> dict[str, str]:
    return {"service": tool.method.containing_service.full_name, "method": tool.method.name}


def _may_retry(tool: Tool) -> bool:
    if tool.policy.retry is Retry.IDEMPOTENT:
        return tool.idempotent
    return tool.policy.retry is Retry.ALWAYS
