"""A request's `tools` → what the planner knows of each: its parameters, and the words that speak of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broker.standin.parameters import Parameter, read_parameters, without_examples
from broker.standin.words import han_pairs, latin_key, split_name, topic_keys

_MAX_DESCRIPTION = 4_000
_METHOD, _SERVICE, _DESCRIPTION, _PARAMETER, _REMARK = 3.0, 1.0, 1.0, 1.5, 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A tool that may be called."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    weights: Mapping[str, float]
    """How much each key says about this tool: its method's name most, a remark on a parameter least."""
    name_keys: frozenset[str]
    """The keys of its name alone."""
    han: frozenset[str]
    """The pairs of Chinese characters in its descriptions, less the examples."""


def read_offers(tools: Sequence[object]) -> list[Offer]:
    """The function tools of a Chat Completions request; anything else is passed over.

    >>> [offer] = read_offers([{"type": "function", "function": {"name": "lib_Books_FindBook"}}])
    >>> sorted(offer.weights.items())
    [('do:book', 3.0), ('do:search', 3.0), ('lib', 1.0)]
    """
    functions = [tool.get("function") for tool in tools if isinstance(tool, Mapping)]
    return [_read(one) for one in functions if isinstance(one, Mapping) and isinstance(one.get("name"), str)]


def _read(function: Mapping[str, Any]) -> Offer:
    name = str(function["name"])
    description = str(function.get("description") or "")[:_MAX_DESCRIPTION]
    parameters = read_parameters(function.get("parameters"))
    service, _, method = name.rpartition("_")
    remarks = [without_examples(parameter.description) for parameter in parameters]
    weights: dict[str, float] = {}
    for weight, keys in (
        (_METHOD, _name_keys(method)),
        (_SERVICE, _name_keys(service)),
        (_DESCRIPTION, topic_keys(without_examples(description))),
        (_PARAMETER, frozenset[str]().union(*(_parameter_keys(parameter) for parameter in parameters))),
        (_REMARK, frozenset[str]().union(*map(topic_keys, remarks))),
    ):
        for key in keys:
            weights[key] = max(weight, weights.get(key, 0.0))
    return Offer(
        name=name,
        description=description,
        parameters=parameters,
        weights=weights,
        name_keys=_name_keys(name),
        han=han_pairs("\n".join((without_examples(description), *remarks))),
    )


def _name_keys(name: str) -> frozenset[str]:
    return frozenset(latin_key(word) for word in split_name(name) if len(word) > 1)


def _parameter_keys(parameter: Parameter) -> frozenset[str]:
    """The words of its name and of its choices; UNSPECIFIED is none of them."""
    choices = [choice for choice in parameter.choices if not choice.endswith("UNSPECIFIED")]
    return frozenset[str]().union(_name_keys(parameter.name), *map(_name_keys, choices))
