"""A request → the message types that a model writes for it, however deep they lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from google.protobuf.descriptor import Descriptor

from broker.descriptors.pool import Descriptors
from broker.schema import well_known
from broker.schema.forms import Entries, Form, Items, Leaf, Nested, Shape
from broker.schema.json_schema import input_schema
from broker.schema.keywords import fit
from broker.schema.kinds import Use
from broker.schema.limits import Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestForms:
    """The forms of a request and of all messages in it, each type once; the request's own comes first."""

    forms: tuple[Form, ...]

    def uncommented(self) -> list[str]:
        """The fields that nothing is said about: `GetWeatherRequest.units`."""
        return [
            f"{form.message.name}.{one.name}"
            for form in self.forms
            if not well_known.is_well_known(form.message.full_name)
            for one in form.properties
            if not one.comment
        ]

    def dropped(self, limits: Limits) -> tuple[str, ...]:
        """The keywords, made from rules, that a provider does not take."""
        found: set[str] = set()
        for one in (one for form in self.forms for one in form.properties):
            inner = _inner(one.shape)
            own = inner.constraints if isinstance(inner, Leaf) else {}
            for keywords in (one.keywords, own):
                found |= keywords.keys() - fit(keywords, limits)[0].keys()
        return tuple(sorted(found - {"examples"}))

    def messages(self) -> list[Descriptor]:
        """The types themselves."""
        return [form.message for form in self.forms]

    def cycle(self) -> list[str]:
        """The names of types that hold each other, the first once more at the end; none: `[]`."""
        held = {
            form.message.full_name: [each.message.full_name for each in _held(form)] for form in self.forms
        }
        try:
            TopologicalSorter(held).prepare()
        except CycleError as error:
            # A node comes before what it depends on; we say who holds whom.
            return [name.rpartition(".")[2] for name in reversed(error.args[1])]
        return []


def request_forms(request: Descriptor, descriptors: Descriptors) -> RequestForms:
    """Walks a request; no recursion, since a server may nest its types as deep as it likes."""
    found: dict[str, Form] = {}
    waiting: list[tuple[Descriptor, Use]] = [(request, Use.WHOLE)]
    for message, use in waiting:
        if message.full_name not in found:
            form = found[message.full_name] = input_schema(message, descriptors, use)
            waiting += [(each.message, each.use) for each in _held(form)]
    return RequestForms(forms=tuple(found.values()))


def _held(form: Form) -> Iterator[Nested]:
    for one in form.properties:
        shape = _inner(one.shape)
        if isinstance(shape, Nested):
            yield shape


def _inner(shape: Shape) -> Shape:
    match shape:
        case Items():
            return shape.item
        case Entries():
            return shape.value
    return shape
