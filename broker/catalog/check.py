"""A catalog → what its providers, and the models behind them, will stumble over; and what each tool costs.

Each kind of finding is one function: of a tool in `_TOOL_RULES`, of the whole catalog in `_CATALOG_RULES`.
"""

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.catalog.catalog import Catalog
from broker.catalog.exposure import default_description
from broker.catalog.naming import is_shortened
from broker.catalog.requests import RequestForms, request_forms
from broker.catalog.tokens import TokenCounter
from broker.descriptors.pool import Descriptors
from broker.schema import validation
from broker.schema.limits import LIMITS
from broker.schema.profiles import PROFILES, strict_problem
from broker.tool import Tool

MANY_TOOLS = 50
"""With more, models choose worse, and every request pays for all of them."""
ROOMY_NAME = 48
"""Clients put `mcp__<server>__` before a name, and cut or refuse the whole at 60 to 64."""
DEAR_TOOL = 5_000
"""Tokens of one definition."""
_MAX_LISTED = 5


class Severity(enum.StrEnum):
    """How bad it is."""

    ERROR = "error"
    """A provider refuses it, or a tool is lost."""
    WARNING = "warning"
    """A model will see less than was meant, or pay much for it."""
    NOTE = "note"
    """It works, and could be better."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A fact about a tool, or about the whole catalog, and what to do about it."""

    severity: Severity
    tool: str | None
    """The tool's name, or the full name of a method that became none; None: all tools together."""
    what: str
    cure: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one tool costs in each request that offers it."""

    tool: str
    tokens: Mapping[str, int]
    """By profile; a profile that cannot show the tool is not in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All findings, the worst first, and all costs, in the order of the catalog."""

    findings: Sequence[Finding]
    costs: Sequence[Cost]
    counted: str
    """How tokens were counted."""

    def total(self, profile: str) -> int:
        """The tokens of all tools together."""
        return sum(cost.tokens.get(profile, 0) for cost in self.costs)

    def count(self, severity: Severity) -> int:
        """How many findings are that bad."""
        return sum(finding.severity is severity for finding in self.findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """A tool as a rule sees it."""

    tool: Tool
    descriptors: Descriptors
    definitions: Mapping[str, dict[str, Any]]
    """By profile."""
    request: RequestForms
    cost: Cost

    def finding(self, severity: Severity, what: str, cure: str) -> Finding:
        return Finding(severity=severity, tool=self.tool.name, what=what, cure=cure)


def check(catalog: Catalog, counter: TokenCounter) -> Report:
    """Renders every tool for every provider, and looks at it with their eyes."""
    seen = [one for tool in catalog if (one := _see(tool, catalog, counter)) is not None]
    findings = [found for one in seen for rule in _TOOL_RULES for found in rule(one)]
    # Only now does the catalog know what could not be rendered.
    findings += [found for rule in _CATALOG_RULES for found in rule(catalog, seen)]
    return Report(
        findings=sorted(findings, key=lambda finding: _ORDER[finding.severity]),
        costs=[one.cost for one in seen],
        counted=counter.method,
    )


_ORDER = {severity: place for place, severity in enumerate(Severity)}


def _see(tool: Tool, catalog: Catalog, counter: TokenCounter) -> _Seen | None:
    rendered = {profile: catalog.definition(tool, profile) for profile in PROFILES}
    definitions = {profile: found for profile, found in rendered.items() if found is not None}
    if not definitions:
        return None
    descriptors = catalog.descriptors(tool)
    return _Seen(
        tool=tool,
        descriptors=descriptors,
        definitions=definitions,
        request=request_forms(tool.method.input_type, descriptors),
        cost=Cost(tool=tool.name, tokens={name: counter.of(found) for name, found in definitions.items()}),
    )


def _long_names(seen: _Seen) -> Iterator[Finding]:
    name = seen.tool.name
    if len(name) > ROOMY_NAME:
        fact = f"has a name of {len(name)} characters; clients that add the name of a server refuse long ones"
        yield seen.finding(Severity.NOTE, fact, f"give it a `name` of at most {ROOMY_NAME} characters")
    if is_shortened(name, seen.tool.full_name):
        fact = f'is "{seen.tool.full_name}", whose name is too long and was shortened with a hash'
        yield seen.finding(Severity.NOTE, fact, "give it a `name` that says what it does")


def _long_description(seen: _Seen) -> Iterator[Finding]:
    length, limit = len(seen.tool.description), LIMITS["openai"].description
    if limit is not None and length > limit:
        fact = f"has a description of {length:,} characters, of which OpenAI takes {limit:,}; the rest is cut"
        cure = "say what it does in its first sentences, or give it a `description`"
        yield seen.finding(Severity.WARNING, fact, cure)


def _not_strict(seen: _Seen) -> Iterator[Finding]:
    problem = strict_problem(seen.tool, seen.descriptors)
    if problem is not None:
        fact = f"cannot be strict, and `openai-strict` sends it as it is: {problem}"
        yield seen.finding(Severity.NOTE, fact, "nothing, or a request without such fields")


def _undescribed_tool(seen: _Seen) -> Iterator[Finding]:
    if seen.tool.description == default_description(seen.tool.method):
        yield seen.finding(Severity.WARNING, "has no description", f"{_COMMENT} its rpc{_overlay(seen)}")


def _undescribed_fields(seen: _Seen) -> Iterator[Finding]:
    names = seen.request.uncommented()
    if names:
        fact = f"has {len(names)} field(s) without a comment, {_listed(names)}"
        yield seen.finding(Severity.NOTE, fact, f"{_COMMENT} each field{_overlay(seen)}")


_COMMENT = "write a comment above"


def _overlay(seen: _Seen) -> str:
    known_by_reflection = not seen.descriptors.trusted
    return "; reflection has none: name the .proto in `descriptors.comments`" if known_by_reflection else ""


def _recursion(seen: _Seen) -> Iterator[Finding]:
    cycle = seen.request.cycle()
    if cycle:
        fact = f"has a request that holds itself, {' in '.join(cycle)}; models see it to a bounded depth"
        yield seen.finding(Severity.NOTE, fact, "say in its comment how deep it makes sense")


def _dear_tool(seen: _Seen) -> Iterator[Finding]:
    profile, tokens = max(seen.cost.tokens.items(), key=lambda item: item[1])
    if tokens > DEAR_TOOL:
        fact = f"costs about {tokens:,} tokens in each request (`{profile}`)"
        cure = "hide fields that no model needs with (broker.v1.field).hidden, or shorten their comments"
        yield seen.finding(Severity.WARNING, fact, cure)


def _unchecked_rules(seen: _Seen) -> Iterator[Finding]:
    faults: dict[str, list[str]] = {}
    for message in seen.request.messages():
        reason = validation.fault(message, seen.descriptors)
        if reason is not None:
            faults.setdefault(reason, []).append(message.name)
    for reason, names in faults.items():
        fact = f"has rules that are not checked before a call, of {_listed(names)}: {reason}"
        cure = (
            'install it, `pip install "grpc-tool-broker[validate]"`; until then the service refuses alone'
            if reason == validation.NOT_INSTALLED
            else "mend them in the .proto, or know that the service refuses alone"
        )
        yield seen.finding(Severity.NOTE, fact, cure)


def _unsaid_rules(seen: _Seen) -> Iterator[Finding]:
    by_keywords: dict[tuple[str, ...], list[str]] = {}
    for profile in seen.definitions:
        dropped = seen.request.dropped(LIMITS[profile])
        if dropped:
            by_keywords.setdefault(dropped, []).append(f"`{profile}`")
    for dropped, profiles in by_keywords.items():
        fact = f"has rules that {', '.join(profiles)} can only say in words: {', '.join(dropped)}"
        yield seen.finding(Severity.NOTE, fact, "nothing: what breaks them is refused before it is sent")


_TOOL_RULES: Sequence[Callable[[_Seen], Iterator[Finding]]] = (
    _long_names,
    _long_description,
    _not_strict,
    _undescribed_tool,
    _undescribed_fields,
    _recursion,
    _unchecked_rules,
    _unsaid_rules,
    _dear_tool,
)


def _left_out(catalog: Catalog, _: Sequence[_Seen]) -> Iterator[Finding]:
    for (backend, full_name), reason in catalog.left_out.items():
        yield _lost(full_name, f'of backend "{backend}" is not offered: {reason}')


def _refused(catalog: Catalog, _: Sequence[_Seen]) -> Iterator[Finding]:
    by_reason: dict[tuple[str, str], list[str]] = {}
    for profile in PROFILES:
        for name, reason in catalog.refused(profile).items():
            by_reason.setdefault((name, reason), []).append(profile)
    for (name, reason), profiles in by_reason.items():
        whom = "" if len(profiles) == len(PROFILES) else f" as {', '.join(map('`{}`'.format, profiles))}"
        yield _lost(name, f"is not offered{whom}: {reason}")


def _lost(tool: str, what: str) -> Finding:
    cure = "mend that, or leave it out on purpose with `hide`"
    return Finding(severity=Severity.ERROR, tool=tool, what=what, cure=cure)


def _too_many(_: Catalog, seen: Sequence[_Seen]) -> Iterator[Finding]:
    count, limit = len(seen), LIMITS["openai"].tools
    cure = "offer fewer, with `expose` and `hide`"
    if limit is not None and count > limit:
        fact = f"{count:,} tools, of which OpenAI takes {limit} in a request"
        yield Finding(severity=Severity.ERROR, tool=None, what=fact, cure=cure)
    elif count > MANY_TOOLS:
        fact = f"{count:,} tools; with more than {MANY_TOOLS}, models choose worse"
        yield Finding(severity=Severity.NOTE, tool=None, what=fact, cure=cure)


_CATALOG_RULES: Sequence[Callable[[Catalog, Sequence[_Seen]], Iterator[Finding]]] = (
    _left_out,
    _refused,
    _too_many,
)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return ", ".join(f'"{name}"' for name in names[:_MAX_LISTED]) + more
