"""A request, decoded → every rule of its .proto that it breaks, before anything is sent.

The rules are protovalidate's, and so is what checks them: the extra [validate]. Without it, and for a type
whose rules cannot be evaluated, nothing is checked here, and the backend says what it does not take.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.descriptors.rules import Custom, MessageRules, Rules
from broker.schema import enums, kinds
from broker.schema.descriptions import readable
from broker.schema.problems import MAX_COLLECTED, Problem, got, invalid, step_of_key

Check = Callable[[Message], None]
"""Raises InvalidArguments for a message that breaks rules."""

NOT_INSTALLED = "the extra [validate] is not installed"
_MAX_MESSAGE = 300
_CUSTOM = frozenset({"cel", "cel_expression"})
_RULES_OF_ENUMS = frozenset({"enum.const", "enum.in", "enum.not_in"})


def checker(message: Descriptor, descriptors: Descriptors) -> Check | None:
    """What checks the messages of a type; None: there is nothing to check, or nothing to check it with."""
    reach = Reach.of(message, descriptors)
    if not reach.is_checked(descriptors):
        return None

    def check(request: Message) -> None:
        problems = [
            problem
            for violation in _violations(request, descriptors)[:MAX_COLLECTED]
            if (problem := _problem(violation, message, descriptors, reach)) is not None
        ]
        if problems:
            raise invalid(problems)

    return check


def broken_when_empty(message: Descriptor, descriptors: Descriptors) -> frozenset[str]:
    """The names of the fields that break a rule when nothing is given."""
    own = Reach.of_one(message, descriptors)
    if not own.is_checked(descriptors):
        return frozenset()
    violations = _violations(descriptors.message_class(message)(), descriptors)
    paths = [violation.proto.field.elements for violation in violations if violation.proto.field is not None]
    return frozenset(path[0].field_name for path in paths if len(path) == 1)


def fault(message: Descriptor, descriptors: Descriptors) -> str | None:
    """Why the rules of a type itself cannot be checked; None: they can, or there are none."""
    own = Reach.of_one(message, descriptors)
    if not own.ruled:
        return None
    if descriptors.validator is None:
        return NOT_INSTALLED
    if not own.is_checked(descriptors):
        return "they are CEL expressions of a server that is known by reflection only"
    from protovalidate import CompilationError, EvaluationError

    # A type's rules are compiled when they are first used.
    try:
        descriptors.validator.collect_violations(descriptors.message_class(message)())
    except (CompilationError, EvaluationError) as error:
        return readable(str(error), _MAX_MESSAGE)
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What there is of rules in a type, or in it and all types below it."""

    ruled: bool = False
    """Whether there are rules at all."""
    custom: frozenset[str] = frozenset()
    """What CEL expressions say when they are broken, as far as it is the same for all values."""
    has_custom: bool = False
    """Whether there are CEL expressions."""
    redacts: bool = False
    """Whether there are values that must not be repeated."""

    def is_checked(self, descriptors: Descriptors) -> bool:
        """Whether the rules are evaluated here.

        A server that describes itself could send an expression that never ends; what it refuses, it says.
        """
        evaluable = descriptors.trusted or not self.has_custom
        return self.ruled and evaluable and descriptors.validator is not None

    @staticmethod
    def of(message: Descriptor, descriptors: Descriptors) -> "Reach":
        """What there is in a type and in all that it holds."""
        if not descriptors.has_rules:
            return Reach()
        held = [Reach.of_one(one, descriptors) for one in _held(message)]
        return Reach(
            ruled=any(one.ruled for one in held),
            custom=frozenset().union(*(one.custom for one in held)),
            has_custom=any(one.has_custom for one in held),
            redacts=any(one.redacts for one in held),
        )

    @staticmethod
    def of_one(message: Descriptor, descriptors: Descriptors) -> "Reach":
        """What there is in a type itself."""
        if not descriptors.has_rules:
            return Reach()
        options = [descriptors.field_options(field) for field in message.fields]
        rules = [rule for one in options if one.rules is not None for rule in _all_rules(one.rules)]
        whole = descriptors.message_options(message).rules
        custom = [*_own(whole), *(each for rule in rules for each in rule.custom)]
        return Reach(
            ruled=bool(rules) or whole is not None or any(one.in_required_oneof for one in options),
            custom=frozenset(
                text for one in custom for text in (one.message, f'"{one.expression}" returned false')
            ),
            has_custom=bool(custom),
            redacts=any(one.debug_redact for one in options),
        )


def _own(rules: MessageRules | None) -> Sequence[Custom]:
    return () if rules is None else rules.custom


def _all_rules(rules: Rules) -> Iterator[Rules]:
    yield rules
    for name in ("items", "keys", "values"):
        nested = rules.nested(name)
        if nested is not None:
            yield from _all_rules(nested)


def _held(message: Descriptor) -> list[Descriptor]:
    """The type and all that it holds, each once."""
    found = {message.full_name: message}
    waiting = [message]
    for one in waiting:  # grows while it is read
        for field in one.fields:
            held = field.message_type
            if held is not None and held.full_name not in found:
                found[held.full_name] = held
                waiting.append(held)
    return waiting


def _violations(message: Message, descriptors: Descriptors) -> Sequence[Any]:
    """What the message breaks; nothing where its rules cannot be evaluated: the model is not to blame."""
    from protovalidate import CompilationError, EvaluationError

    with suppress(CompilationError, EvaluationError):
        found: Sequence[Any] = descriptors.validator.collect_violations(message)
        return found
    return ()


def _problem(violation: Any, message: Descriptor, descriptors: Descriptors, reach: Reach) -> Problem | None:
    """A violation as a problem of the decoder's kind; None: it is of a field that models do not see."""
    elements = () if violation.proto.field is None else violation.proto.field.elements
    fields = list(_fields(message, elements))
    options = [descriptors.field_options(field) for field in fields]
    value = violation.field_value
    unseen = any(not kinds.is_offered(one, True) or "IDENTIFIER" in one.behavior for one in options)
    if unseen and not value:
        return None
    secret = any(one.debug_redact for one in options)
    text = _text(violation, reach)
    if violation.proto.rule_id in _RULES_OF_ENUMS and len(fields) == len(elements):
        text, value = _named(fields[-1], options[-1].withheld_values, text, value)
    if not secret and not violation.proto.for_key and type(value) in (str, int, float) and value:
        text += f", got {got(value)}"
    return _path(elements, options), f"{text}."


def _text(violation: Any, reach: Reach) -> str:
    """What the rule says; an expression may say what it was given, which must not be repeated everywhere."""
    message = str(violation.proto.message or "")
    rule = () if violation.proto.rule is None else violation.proto.rule.elements
    names = [element.field_name for element in rule]
    own = any(name in _CUSTOM or name.startswith("[") for name in names) if names else True
    if not message or (own and reach.redacts and not _is_fixed(violation, message, reach)):
        return f"breaks the rule {readable(str(violation.proto.rule_id), _MAX_MESSAGE)}"
    return readable(message, _MAX_MESSAGE).rstrip(".")


def _named(field: FieldDescriptor, withheld: Collection[str], text: str, value: Any) -> tuple[str, Any]:
    """What a rule of an enum says, and the value, with names for the numbers: models see names only."""
    one = kinds.entry_fields(field)["value"] if kinds.is_map(field) else field
    if one.enum_type is None:
        return text, value
    names = {str(each.number): each.name for each in reversed(enums.seen(one.enum_type, withheld))}
    said = re.sub(r"-?[0-9]+", lambda number: names.get(number[0], number[0]), text)
    return said, names.get(str(value), value)


def _is_fixed(violation: Any, message: str, reach: Reach) -> bool:
    return message in reach.custom or violation.proto.rule_id in ("message.oneof", "required")


def _fields(message: Descriptor, elements: Sequence[Any]) -> Iterator[FieldDescriptor]:
    """The fields that a path goes through, as far as they are known."""
    held: Descriptor | None = message
    for element in elements:
        field = None if held is None else held.fields_by_name.get(element.field_name)
        if field is None:
            return
        yield field
        held = kinds.entry_fields(field)["value"].message_type if kinds.is_map(field) else field.message_type


def _path(elements: Sequence[Any], options: Sequence[FieldOptions]) -> str:
    """The path, in which the keys of a map that must not be repeated are left out."""
    steps, secret = [], False
    for element, known in zip_longest(elements, options):
        secret = secret or (known is not None and known.debug_redact)
        steps.append(f"{element.field_name}{_subscript(element.subscript, secret)}")
    return ".".join(steps)


def _subscript(subscript: Any, secret: bool) -> str:
    if subscript is None:
        return ""
    if subscript.field == "index":
        return f"[{subscript.value}]"
    if secret:
        return ""
    value = subscript.value
    return step_of_key(str(value).lower() if isinstance(value, bool) else str(value))
