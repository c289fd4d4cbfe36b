"""A message type → the fields that a model must give, whoever asks for them: proto2, AIP-203, or rules."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor

from broker.descriptors.options import FieldOptions
from broker.descriptors.pool import Descriptors
from broker.schema import kinds, validation
from broker.schema.field_rules import constraints
from broker.schema.kinds import Use


def required_fields(message: Descriptor, descriptors: Descriptors, use: Use) -> frozenset[str]:
    """The names of the fields that must be given.

    Of a message that says what to change in a resource, what `field_behavior` requires of a whole resource is
    not asked for (https://google.aip.dev/203); what rules ask for, the service refuses to miss there too. Of
    one that is made under a name that its request gives, the name is not asked for again.
    """
    return frozenset(
        {*_annotated(message, descriptors, use), *_ruled(message, descriptors, use)}
        | {field.name for field in message.fields if field.is_required}
    )


def _annotated(message: Descriptor, descriptors: Descriptors, use: Use) -> Iterator[str]:
    if use is Use.CHANGES:
        return
    for field in message.fields:
        options = descriptors.field_options(field)
        # Some fields are said to be REQUIRED and OUTPUT_ONLY: of the response, since no request shows them.
        shown = "OUTPUT_ONLY" not in options.behavior and not options.hidden
        asked = shown and not kinds.is_named(options, use) and not kinds.is_chosen(field)
        if "REQUIRED" in options.behavior and asked:
            yield field.name


def _ruled(message: Descriptor, descriptors: Descriptors, use: Use) -> Iterator[str]:
    if not descriptors.has_rules:
        return
    broken = validation.broken_when_empty(message, descriptors)
    for field in message.fields:
        options = descriptors.field_options(field)
        # What the service fills in itself is not the model's to give.
        named = "IDENTIFIER" in options.behavior and use is not Use.CHANGES
        theirs = "OUTPUT_ONLY" in options.behavior or named
        if not theirs and not options.hidden and (field.name in broken or _is_ruled(field, options)):
            yield field.name


def _is_ruled(field: FieldDescriptor, options: FieldOptions) -> bool:
    alone = options.in_required_oneof and not kinds.is_chosen(field)
    rules = options.rules
    if rules is None or rules.ignore == "ALWAYS":
        return alone
    # What is not given is zero; but a field with presence is then not looked at.
    implied = not field.has_presence and constraints(field, options).whole.refuses_zero
    return alone or rules.required or implied


def is_oneof_required(oneof: OneofDescriptor, descriptors: Descriptors, use: Use) -> bool:
    """Whether one of the fields of the oneof must be given.

    What `field_behavior` requires of a member can only mean that. `use` as for `required_fields`.
    """
    if len(oneof.fields) < 2:
        return False
    options = [descriptors.field_options(field) for field in oneof.fields]
    annotated = use is not Use.CHANGES and any("REQUIRED" in one.behavior for one in options)
    return annotated or any(one.in_required_oneof for one in options)
