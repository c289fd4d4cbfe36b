"""Backends and the operator's settings → the catalog: which methods are tools, and under which name."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor

from broker.catalog.catalog import Catalog
from broker.catalog.clashes import Named, Origin, settle
from broker.catalog.naming import tool_name
from broker.catalog.policy import ToolRules, fits_any
from broker.config.settings import ToolSettings
from broker.descriptors.options import MethodOptions
from broker.descriptors.pool import Descriptors
from broker.errors import CatalogError
from broker.schema.descriptions import clean
from broker.schema.detail import sentences
from broker.schema.problems import quoted
from broker.tool import Policy, Tool


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


def build(
    backends: Sequence[Exposed], tools: Mapping[str, ToolSettings], *, ask_by_default: bool = False
) -> Catalog:
    """Load, bind, freeze: all descriptors are there; all tools are made; then nothing changes any more.

    `ask_by_default`: what nobody has marked as free of side effects needs approval.

    Raises CatalogError for what the operator has to mend: a pattern that fits no method, a name that no model
    can call, two tools of one name. A name that a .proto asks for in vain leaves out its own tool alone.
    """
    _refuse_idle_patterns(backends, tools)
    rules = ToolRules(tools, ask_by_default=ask_by_default)
    left_out: dict[tuple[str, str], str] = {}
    named = [one for exposed in backends for one in _tools_of(exposed, rules, left_out)]
    return Catalog(
        settle(named, left_out), {exposed.backend: exposed.descriptors for exposed in backends}, left_out
    )


def _tools_of(exposed: Exposed, rules: ToolRules, left_out: dict[tuple[str, str], str]) -> Iterator[Named]:
    for method in exposed.methods():
        full_name = method.full_name
        if not fits_any(full_name, exposed.expose) or fits_any(full_name, exposed.hide):
            continue
        options, settings = exposed.descriptors.method_options(method), rules.settings(full_name)
        if options.hidden if settings.hidden is None else settings.hidden:
            continue
        withheld = exposed.descriptors.withheld(method)
        if withheld is not None:
            left_out[exposed.backend, full_name] = _WITHHELD.format(*map(quoted, withheld))
            continue
        if method.client_streaming and method.server_streaming and not settings.bidi:
            left_out[exposed.backend, full_name] = _BIDI
            continue
        allowed = rules.policy(options, settings, trusted=exposed.descriptors.trusted)
        yield _tool(exposed, method, options, settings, allowed)


_WITHHELD = (
    "google.api.visibility restricts {} to {}; to offer it all the same, name one of its labels in "
    "`visibility` of the backend"
)
_BIDI = (
    "both sides send a stream, and such calls are mostly sessions that go on until somebody ends them; where "
    "all requests can be sent at once, allow it with `bidi: true` under `tools`"
)


def _tool(
    exposed: Exposed,
    method: MethodDescriptor,
    options: MethodOptions,
    settings: ToolSettings,
    policy: Policy,
) -> Named:
    name, origin = _name(exposed, method, options, settings)
    trusted = exposed.descriptors.trusted
    tool = Tool(
        name=name,
        description=_description(exposed.descriptors, method, options, settings),
        method=method,
        backend=exposed.backend,
        idempotent=trusted and options.idempotency_level in _HARMLESS,
        read_only=_is_read_only(options, settings),
        policy=policy,
    )
    return Named(tool=tool, origin=origin)


def _name(
    exposed: Exposed, method: MethodDescriptor, options: MethodOptions, settings: ToolSettings
) -> tuple[str, Origin]:
    if settings.name is not None:
        return settings.name, Origin.OPERATOR
    # A reflected server does not choose its name: it could take the place of another's tool.
    if options.name is not None and exposed.descriptors.trusted:
        head = "" if exposed.prefix is None else f"{exposed.prefix}_"
        return head + options.name, Origin.PROTO
    return tool_name(method.full_name, exposed.prefix), Origin.FULL_NAME


_HARMLESS = ("NO_SIDE_EFFECTS", "IDEMPOTENT")


def _is_read_only(options: MethodOptions, settings: ToolSettings) -> bool:
    if settings.read_only is not None:
        return settings.read_only
    return options.idempotency_level == "NO_SIDE_EFFECTS"


def _description(
    descriptors: Descriptors, method: MethodDescriptor, options: MethodOptions, settings: ToolSettings
) -> str:
    if settings.description is not None and (cleaned := clean(settings.description, links=True)):
        return _marked(cleaned, options)
    commented = descriptors.comments.get(method.full_name, "")
    described = clean(options.description or "", links=True) or clean(commented, links=True)
    said = _marked(described or default_description(method), options)
    follow_up = list(_operation(method, options))
    return sentences(said, *follow_up) if follow_up else said


def _marked(description: str, options: MethodOptions) -> str:
    """A deprecated method says so first."""
    unsaid = options.deprecated and not description.lower().startswith("deprecated")
    return f"Deprecated. {description}" if unsaid else description


def _operation(method: MethodDescriptor, options: MethodOptions) -> Iterator[str]:
    """How the answer of a long-running method is followed up: https://google.aip.dev/151."""
    if method.output_type.full_name == "google.longrunning.Operation":
        yield "Long-running: poll Operations.GetOperation with the name in the answer until it is done"
        if options.operation_result is not None:
            yield f"It comes to: {options.operation_result}"
        if options.operation_metadata is not None:
            yield f"Its progress is told as: {options.operation_metadata}"


def default_description(method: MethodDescriptor) -> str:
    """What a tool is said to do when nobody says it."""
    return f"Calls {method.containing_service.name}.{method.name}."


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
