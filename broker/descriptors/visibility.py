"""The labels that an operator selects → which elements of a backend's .proto files models do not see."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TypeAlias

from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)

from broker.descriptors.bare import bare_enum, bare_options, unknown_fields
from broker.descriptors.options import FieldOptions, MethodOptions
from broker.descriptors.restrictions import VISIBILITY, read_restriction

_Element: TypeAlias = Descriptor | EnumDescriptor | ServiceDescriptor


class Visibility:
    """What is restricted by google.api.visibility to labels none of which is selected is withheld."""

    def __init__(self, selected: Collection[str], foreign: Collection[int]) -> None:
        """`foreign`: the extension numbers under which the files declare somebody else's extension."""
        self._selected = frozenset(selected)
        self._is_read = VISIBILITY not in foreign
        self._restrictions: dict[_Element, str] = {}
        self._values: dict[EnumDescriptor, frozenset[str]] = {}

    def applied(self, field: FieldDescriptor, options: FieldOptions) -> FieldOptions:
        """What the options of a field say, when those of its type and of its values are heard too."""
        message, enum = _types(field)
        withheld = self._withholds(options.restriction) or any(
            one is not None and self._withholds(self._restriction(one)) for one in (message, enum)
        )
        values = frozenset[str]() if enum is None else self._withheld_values(enum)
        if not withheld and not values:
            return options
        hidden = options.hidden or withheld
        return replace(options, hidden=hidden, withheld=withheld, withheld_values=values)

    def withheld_of(self, method: MethodDescriptor, options: MethodOptions) -> tuple[str, str] | None:
        """The full name and the restriction of what keeps a method from being a tool; None: nothing does."""
        named = ((one.full_name, said) for one, said in self._parts_of(method, options))
        return next(((name, said) for name, said in named if self._withholds(said)), None)

    def withholds_type(self, message: Descriptor) -> bool:
        """Whether messages of this type are not for models."""
        return self._withholds(self._restriction(message))

    def _parts_of(
        self, method: MethodDescriptor, options: MethodOptions
    ) -> Iterator[tuple[_Element | MethodDescriptor, str]]:
        yield method, options.restriction
        for one in (method.containing_service, method.input_type, method.output_type):
            yield one, self._restriction(one)

    def _withholds(self, restriction: str) -> bool:
        labels = {label.strip() for label in restriction.split(",")}
        return bool(restriction) and not labels & self._selected

    def _restriction(self, element: _Element) -> str:
        if not self._is_read or not element.has_options:
            return ""
        if element not in self._restrictions:
            self._restrictions[element] = read_restriction(unknown_fields(bare_options(element)))
        return self._restrictions[element]

    def _withheld_values(self, enum: EnumDescriptor) -> frozenset[str]:
        if not self._is_read or not any(value.has_options for value in enum.values):
            return frozenset()
        if enum not in self._values:
            self._values[enum] = frozenset(
                value.name
                for value in bare_enum(enum).value
                if self._withholds(read_restriction(unknown_fields(value.options)))
            )
        return self._values[enum]


def _types(field: FieldDescriptor) -> tuple[Descriptor | None, EnumDescriptor | None]:
    """The types of a field's values; those of a map are its entries' values."""
    message = field.message_type
    if message is not None and message.has_options and message.GetOptions().map_entry:
        value = message.fields_by_name["value"]
        return value.message_type, value.enum_type
    return message, field.enum_type
