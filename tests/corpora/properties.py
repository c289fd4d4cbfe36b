"""What must hold of every tool of every corpus, each property a function: it yields what speaks against it.

P1, that decode and encode are ProtoJSON, is protobuf's own suite: `make conformance`. P5 is among what `P4`
asks of a definition, since every profile has its rule for names; that they differ is asked of all together.
P7 is asked of the types that have rules of protovalidate.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jsonschema
import orjson

from broker.catalog.catalog import Catalog
from broker.descriptors.pool import Descriptors
from broker.errors import InvalidArguments
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder
from broker.schema.media import may_hold_files
from broker.schema.profiles import PROFILES
from broker.tool import Stream, Tool
from tests.corpora import providers, rules, shapes
from tests.corpora.instances import Instances
from tests.corpora.messages import Messages, Unsatisfiable, wire
from tests.corpora.mutations import mutations

_MAX_SHOWN = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterexample:
    """Where a property does not hold."""

    prop: str
    """`P2` … `P9`."""
    tool: str
    what: str


@dataclass(kw_only=True, slots=True)
class Seen:
    """What was found of one tool."""

    name: str
    full_name: str
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of its definition, by profile; one that cannot show it is not there."""
    quarantined: dict[str, str] = field(default_factory=dict)
    """By profile, why it is not offered there."""
    strict: bool = False
    digest: str = ""
    """Of all its definitions."""
    counts: Counter[str] = field(default_factory=Counter)
    """What was tried."""
    against: list[Counterexample] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    catalog: Catalog
    tool: Tool
    definitions: Mapping[str, Any]
    """By profile."""
    counts: Counter[str]


def look(catalog: Catalog, tool: Tool, *, only_render: bool = False) -> Seen:
    """Renders a tool in every profile and asks every property of it; the same each time."""
    seen = Seen(name=tool.name, full_name=tool.full_name)
    rendered = {profile: catalog.definition(tool, profile) for profile in PROFILES}
    definitions = {profile: found for profile, found in rendered.items() if found is not None}
    for profile in rendered.keys() - definitions.keys():
        seen.quarantined[profile] = catalog.refused(profile)[tool.name]
    written = {profile: orjson.dumps(found) for profile, found in definitions.items()}
    seen.sizes = {profile: len(data) for profile, data in written.items()}
    seen.digest = hashlib.sha256(b"\n".join(written.values())).hexdigest()
    seen.strict = providers.is_strict(definitions.get("openai-strict", {}))
    if definitions and not only_render:
        case = _Case(catalog=catalog, tool=tool, definitions=definitions, counts=seen.counts)
        for prop, rule in _RULES.items():
            against = _asked(rule, case)
            seen.against += [
                Counterexample(prop=prop, tool=tool.full_name, what=what[:_MAX_SHOWN]) for what in against
            ]
    return seen


def _asked(rule: Callable[[_Case], Iterator[str]], case: _Case) -> list[str]:
    try:
        return list(rule(case))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong speaks against the property
        return [f"{type(error).__name__}: {error}"]


def _responses(case: _Case) -> Iterator[str]:
    """P2: a random response fits the output schema, and reads back as the same message."""
    message, tool, catalog = case.tool.method.output_type, case.tool, case.catalog
    validator = jsonschema.Draft202012Validator(case.definitions.get("mcp", {}).get("outputSchema", {}))
    read, decode = catalog.reader(tool), _decoder(catalog.descriptors(tool)).compile(message)
    has_files = may_hold_files(message, catalog.descriptors(tool))
    for made in _messages(case, message, "responses"):
        streamed = Stream(messages=(made,), complete=True, reason="end")
        answer = read(streamed if tool.method.server_streaming else made)
        for error in validator.iter_errors(json.loads(answer.text)):
            yield f"the response {answer.text} does not fit its schema: {error.message}"
        encoded = answer.structured["messages"][0] if tool.method.server_streaming else answer.structured
        # A file stands beside the JSON, and is not read back from it.
        if not has_files and wire(decode(json.dumps(encoded, allow_nan=False))) != wire(made):
            yield f"the response {answer.text} reads back as another message"


def _requests(case: _Case) -> Iterator[str]:
    """P2: a random request reads back the same from every shape that profiles ask for."""
    tool, catalog = case.tool, case.catalog
    message = catalog.descriptors(tool).request_type(tool.method)
    encode, decode = _encoder(catalog.descriptors(tool)).compile(message), catalog.decoder(tool)
    for made in _messages(case, message, "requests"):
        if rules.broken(made, catalog.descriptors(tool)):
            case.counts["requests that break rules"] += 1
            continue
        encoded = encode(made)
        shaped = {"plain": encoded, "entries": shapes.with_entries(encoded, message)}
        if providers.is_strict(case.definitions.get("openai-strict", {})):
            shaped["strict"] = shapes.strict(encoded, message)
        for shape, value in shaped.items():
            text = json.dumps(value, allow_nan=False)
            if wire(decode(text)) != wire(made):
                yield f"the {shape} request {text} reads back as another message"


@cache
def _decoder(descriptors: Descriptors) -> Decoder:
    """Requests are decoded by the catalog; responses only here."""
    return Decoder(descriptors)


@cache
def _encoder(descriptors: Descriptors) -> Encoder:
    return Encoder(descriptors, files=False)


def _messages(case: _Case, message: Any, counted: str, times: int = 2) -> Iterator[Any]:
    made = Messages(case.catalog.descriptors(case.tool), f"{counted} {case.tool.full_name}")
    for _ in range(times):
        try:
            yield made.make(message)
        except Unsatisfiable:
            case.counts[f"{counted} of which none can be made"] += 1
        else:
            case.counts[counted] += 1


UNSAYABLE = (
    # What no schema in these dialects says, or only in words that were cut from a large one.
    "is no type that", "the URL of the type", "field paths", "nested too deep", "out of range",
    "cannot be given together", "missing, but required: one of", "a key of this map is", "value. Allowed:",
    "is given twice", "not base64", "has no field",
)  # fmt: skip
"""Refusals of what fits a schema all the same."""


def _ruled(case: _Case) -> Iterator[str]:
    """P7: what protovalidate accepts of a request fits what models are shown."""
    descriptors = case.catalog.descriptors(case.tool)
    if not descriptors.has_rules:
        return
    message = descriptors.request_type(case.tool.method)
    encode = _encoder(descriptors).compile(message)
    for made in _messages(case, message, "requests with rules", rules.MADE):
        wrong, encoded = rules.broken(made, descriptors), encode(made)
        for profile in ("openai", "mcp"):
            schema = providers.parameters_of(case.definitions[profile])
            case.counts["values that rules accept"] += len(rules.accepted(encoded, wrong, schema))
            yield from (f"{profile}: {what}" for what in rules.misfits(encoded, wrong, schema))


def _instances(case: _Case) -> Iterator[str]:
    """P3: what fits a schema is understood, but for what no schema can say."""
    decode, descriptors = case.catalog.decoder(case.tool), case.catalog.descriptors(case.tool)
    for profile, definition in case.definitions.items():
        schema = providers.parameters_of(definition)
        value = Instances(schema, f"{profile} {case.tool.full_name}").make()
        case.counts["instances"] += 1
        text = json.dumps(value)
        try:
            decode(text)
        except InvalidArguments as refused:
            case.counts["instances refused for what only words say"] += 1
            wrong = [line for line in refused.problems if not any(word in line for word in UNSAYABLE)]
            if wrong and _is_read(text, descriptors.request_type(case.tool.method), descriptors):
                wrong = [line for line in wrong if not rules.is_said(line, schema)]
            for line in wrong:
                yield f"{profile}: {text[:150]} fits its schema and is refused: {line}"


def _is_read(text: str, message: Any, descriptors: Descriptors) -> bool:
    """Whether it is rules of protovalidate alone that refuse arguments."""
    try:
        _decoder(descriptors).compile(message)(text)
    except InvalidArguments:
        return False
    return True


def _definitions(case: _Case) -> Iterator[str]:
    """P4 and P5: every provider takes the definition, name and all."""
    for profile, definition in case.definitions.items():
        case.counts["definitions"] += 1
        yield from (f"{profile}: {refusal}" for refusal in providers.refusals(profile, definition))
        if providers.name_of(definition) != case.tool.name:
            yield f"{profile}: it is called {providers.name_of(definition)!r} there"


def _garbage(case: _Case) -> Iterator[str]:
    """P6: damaged arguments give a message or problems, and nothing else."""
    source = random.Random(f"garbage {case.tool.full_name}")
    schema = providers.parameters_of(next(iter(case.definitions.values())))
    value = Instances(schema, f"garbage {case.tool.full_name}").make()
    decode = case.catalog.decoder(case.tool)
    for text in mutations(value, source):
        case.counts["damaged arguments"] += 1
        try:
            type(made := decode(text)).SerializeToString(made)
        except InvalidArguments as refused:
            if not refused.problems or not all(line.strip() for line in refused.problems):
                yield f"{text[:200]!r} is refused without a word"
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            yield f"{text[:200]!r} raises {type(error).__name__}: {error}"


_RULES: Mapping[str, Callable[[_Case], Iterator[str]]] = {
    "P2 responses": _responses,
    "P2 requests": _requests,
    "P3": _instances,
    "P4": _definitions,
    "P6": _garbage,
    "P7": _ruled,
}
