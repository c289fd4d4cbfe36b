"""Methods that a package has in several versions → one, with the others beside it."""

import re
from collections.abc import Iterable

from broker.tool import Tool

# https://google.aip.dev/185: v1, v2beta1, v1p1alpha3
_VERSION = re.compile(r"v\d+(?:p\d+)?(?:(?:alpha|beta|test)\d*)?")
_NUMBER = re.compile(r"\d+")


def is_version(segment: str) -> bool:
    """Whether a segment of a name says a version.

    >>> is_version("v1beta1"), is_version("vision")
    (True, False)
    """
    return _VERSION.fullmatch(segment) is not None


def by_method(tools: Iterable[Tool]) -> list[tuple[Tool, ...]]:
    """The tools in their order, those of one method in several versions together: stable and newest first."""
    found: dict[tuple[str, str], list[Tool]] = {}
    for tool in tools:
        kept = ".".join(part for part in tool.full_name.split(".") if not is_version(part))
        found.setdefault((tool.backend, kept), []).append(tool)
    return [tuple(sorted(versions, key=_maturity, reverse=True)) for versions in found.values()]


def version_of(tool: Tool) -> str:
    """`v1`, the version in the full name of a tool; "" where it has none."""
    return next(filter(is_version, tool.full_name.split(".")), "")


def _maturity(tool: Tool) -> tuple[int, list[int]]:
    version = version_of(tool)
    stage = 0 if "alpha" in version or "test" in version else 1 if "beta" in version else 2
    return stage, [int(number) for number in _NUMBER.findall(version)]
