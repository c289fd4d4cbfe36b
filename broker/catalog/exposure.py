"""Backends and the operator's settings → the catalog: which methods are tools, and under which name."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor

from broker.catalog.catalog import Catalog
from broker.catalog.naming import MAX_LENGTH, RESERVED, tool_name
from broker.catalog.policy import ToolRules, fits_any, policy
from broker.config.settings import ToolSettings
from broker.descriptors.options import MethodOptions
from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema.descriptions import clean
from broker.tool import Tool

_NAME = re.compile(rf"[a-zA-Z0-9_-]{{1,{MAX_LENGTH}}}")


@dataclass(frozen=True, kw_only=True)
class Exposed:
    """A backend whose methods become tools."""

    backend: str
    descriptors: Descriptors
    prefix: str | None = None
    expose: Sequence[str] = ("*",)
    """Patterns of full names: the methods that are tools."""
    hide: Sequence[str] = ()
    """Patterns of full names: the methods that are not, whatever `expose` says."""

    def methods(self) -> list[MethodDescriptor]:
        """Every method on offer; health, reflection and the like are gRPC's own, and no tools."""
        services = self.descriptors.services
        return [
            method
            for service in services
            if not service.full_name.startswith("grpc.")
            for method in service.methods
        ]


def build(backends: Sequence[Exposed], tools: Mapping[str, ToolSettings]) -> Catalog:
    """Load, bind, freeze: all descriptors are there; all tools are made; then nothing changes any more.

    Raises CatalogError for a pattern that fits no method, a name that no model can call, and two tools
    of one name.
    """
    _refuse_idle_patterns(backends, tools)
    rules, left_out = ToolRules(tools), dict[str, str]()
    made = [tool for exposed in backends for tool in _tools_of(exposed, rules, left_out)]
    _refuse_clashes(made)
    return Catalog(made, {exposed.backend: exposed.descriptors for exposed in backends}, left_out)


def _tools_of(exposed: Exposed, rules: ToolRules, left_out: dict[str, str]) -> Iterator[Tool]:
    for method in exposed.methods():
        full_name = method.full_name
        if not fits_any(full_name, exposed.expose) or fits_any(full_name, exposed.hide):
            continue
        options, settings = exposed.descriptors.method_options(method), rules.settings(full_name)
        if options.hidden if settings.hidden is None else settings.hidden:
            continue
        if method.client_streaming:
            left_out[full_name] = "it takes a stream of requests, and a model sends one"
            continue
        yield _tool(exposed, method, options, settings)


def _tool(exposed: Exposed, method: MethodDescriptor, options: MethodOptions, settings: ToolSettings) -> Tool:
    trusted = exposed.descriptors.trusted
    return Tool(
        name=_name(exposed, method, options, settings),
        description=_description(exposed.descriptors, method, options, settings),
        method=method,
        backend=exposed.backend,
        idempotent=trusted and options.idempotency_level in _HARMLESS,
        policy=policy(options, settings, trusted=trusted),
    )


_HARMLESS = ("NO_SIDE_EFFECTS", "IDEMPOTENT")


def _name(exposed: Exposed, method: MethodDescriptor, options: MethodOptions, settings: ToolSettings) -> str:
    if settings.name is not None:
        return _checked(settings.name, method)
    # A reflected server does not choose its name: it could take the place of another's tool.
    if options.name is None or not exposed.descriptors.trusted:
        return tool_name(method.full_name, exposed.prefix)
    head = "" if exposed.prefix is None else f"{exposed.prefix}_"
    return _checked(head + options.name, method)


def _description(
    descriptors: Descriptors, method: MethodDescriptor, options: MethodOptions, settings: ToolSettings
) -> str:
    for said in (settings.description, options.description, descriptors.comments.get(method.full_name)):
        if said is not None and (cleaned := clean(said)):
            return cleaned
    return f"Calls {method.containing_service.name}.{method.name}."


def _checked(alias: str, method: MethodDescriptor) -> str:
    if not _NAME.fullmatch(alias):
        raise CatalogError(
            f'"{method.full_name}" cannot be called "{alias}": '
            f"a tool's name is 1 to {MAX_LENGTH} of A-Z a-z 0-9 _ -. Choose another `name`."
        )
    return alias


def _refuse_clashes(tools: Sequence[Tool]) -> None:
    # Without regard to case: a model that writes the name in another case must not reach another tool.
    taken: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in RESERVED:
            fact = f'{_culprit(tool)} is called "{tool.name}", which is the broker\'s own'
            raise CatalogError(f"{fact}. {_OTHER_NAME}", ("backends", tool.backend))
        other = taken.setdefault(tool.name.lower(), tool)
        if other is not tool:
            fact = f'{_culprit(other)} and {_culprit(tool)} would both be called "{tool.name}"'
            # `tools` knows methods by full name, and would rename both.
            cure = _OTHER_BACKEND if other.full_name == tool.full_name else _OTHER_NAME
            raise CatalogError(f"{fact}. {cure}", ("backends", tool.backend))


_OTHER_NAME = (
    "Give it another name in broker.yaml (`tools: {<full name>: {name: …}}`), its backend a `prefix`, "
    "or leave it out with `hide`."
)
_OTHER_BACKEND = "Give one of the backends a `prefix`, or leave the method out of one with `hide`."


def _culprit(tool: Tool) -> str:
    return f'"{tool.full_name}" of backend "{tool.backend}"'


def _refuse_idle_patterns(backends: Sequence[Exposed], tools: Mapping[str, ToolSettings]) -> None:
    # A misspelt `approval: required` that fits nothing would protect nothing.
    everything = [method.full_name for exposed in backends for method in exposed.methods()]
    for pattern in tools:
        _refuse_idle(pattern, ("tools", pattern), everything)
    for exposed in backends:
        own = [method.full_name for method in exposed.methods()]
        for key, patterns in (("expose", exposed.expose), ("hide", exposed.hide)):
            for place, pattern in enumerate(patterns):
                if pattern != "*":
                    _refuse_idle(pattern, ("backends", exposed.backend, key, place), own)


def _refuse_idle(pattern: str, key: tuple[str | int, ...], full_names: list[str]) -> None:
    if not any(fits_any(full_name, (pattern,)) for full_name in full_names):
        near = difflib.get_close_matches(pattern, full_names, n=1, cutoff=0.5)
        cure = f'did you mean "{near[0]}"?' if near else "correct it or take it out"
        raise CatalogError(f'"{pattern}" fits no method; {cure}', key)
