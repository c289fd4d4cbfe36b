"""The fields of a message type → the decoder of the JSON object that stands for such a message."""

from collections.abc import Callable, Collection, KeysView, Mapping
from dataclasses import dataclass
from typing import Any

from broker.schema.arguments import MAX_DEPTH, Ignored, Reading, hides, may_search, too_deep
from broker.schema.findings import Findings
from broker.schema.google_types import Literal
from broker.schema.json_text import try_json_text
from broker.schema.notes import Leniency, Understood
from broker.schema.oneofs import Wrapped, settle_oneof
from broker.schema.problems import Refused, expected, listed, missing, plain, quoted, suggestion
from broker.schema.scalars import Decode

Slot = tuple[str, Decode, type | None]
"""A field's name, the decoder of its value, and the type of the values that need no decoder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What an object may hold."""

    slots: Mapping[str, Slot]
    """By each key that ProtoJSON knows: the field's name and its JSON name."""
    spelled: Mapping[str, Slot]
    """By the plain form of each field's name, where it is that of one field only."""
    offered: tuple[str, ...]
    """The names that the schema offers."""
    required: Mapping[str, str]
    """What is said of each required field when it is missing."""
    members: Mapping[str, KeysView[str]]
    """By the name of each oneof: those of its fields."""
    required_oneofs: Mapping[str, KeysView[str]]
    """The same, for the oneofs of which one must be given."""
    constrained: bool
    """Whether there are required fields or oneofs."""
    takes_null: frozenset[str]
    blank: frozenset[str]
    """The fields that an empty string can only leave out."""
    lenient: bool
    """Whether the null of a field that takes null says "not this one" beside another member of its oneof."""
    ignores_unknown: bool
    """Whether what no field is named is passed over."""
    reserved: Callable[[], Collection[str]]
    """The names of fields that were removed."""
    extension: Callable[[str], Slot | None]
    """Finds the extension that a key in brackets names."""
    extend: Callable[[dict[str, Any]], Any] | None
    """Fields and extensions, whose names are in brackets → a message: a constructor takes no extensions."""

    def find(self, key: str) -> Slot | None:
        """The field that a key can only mean, though it is spelled otherwise."""
        if key in self.members:
            return None
        return self.extension(key) if key.startswith("[") else self.spelled.get(plain(key[:200]))

    def field_of(self, key: str) -> str | None:
        """The name of the field that a key means, in any spelling."""
        slot = self.slots.get(key)
        slot = self.find(key) if slot is None else slot
        return None if slot is None else slot[0]

    def takes_as_absent(self, name: str, item: Any) -> bool:
        """Whether the value says that the field is not given."""
        return (item is None and name not in self.takes_null) or (item == "" and name in self.blank)

    def oneof_of(self, key: str) -> str | None:
        """The name of the oneof that a key means, in any spelling."""
        if key in self.members or not self.members:
            return key if key in self.members else None
        word = plain(key[:200])
        spelled = [name for name in self.members if plain(name) == word]
        return spelled[0] if len(spelled) == 1 else None

    def wrapped(self, key: str) -> Wrapped | None:
        """What reads the oneof that a key means when it is written as one property; None: there is none."""
        name = self.oneof_of(key) if self.lenient else None
        if name is None:
            return None
        return Wrapped(
            members=self.members[name], slots=self.slots, takes_null=self.takes_null, find=self.field_of
        )


def object_decoder(make_layout: Callable[[], Layout], phrase: str, literal: Literal | None = None) -> Decode:
    """JSON object → what a constructor takes for a message; `literal` reads what else is written for one."""
    layout: Layout | None = None  # made when it is first needed, so that types may hold themselves

    def decode(value: Any, reading: Reading) -> Any:
        nonlocal layout
        if type(value) is not dict:
            raise _other_form(decode, value, reading, phrase, literal)
        if layout is None:
            layout = make_layout()
        depth = reading.depth
        if depth >= MAX_DEPTH:
            raise too_deep()
        reading.depth = depth + 1
        slots, constrained = layout.slots, layout.constrained
        fields: dict[str, Any] = {}
        found: Findings | None = None
        for key, item in value.items():
            slot = slots.get(key)
            if slot is None:
                found = Findings() if found is None else found
                slot = _otherwise(layout, key, item, reading, fields, found)
                if slot is None:
                    if found.full:
                        break
                    continue
            name, convert, exact = slot
            if type(item) is exact:  # the path of most fields: no call for each of them
                fields[name] = item
                continue
            if item is None and name not in layout.takes_null:
                continue
            try:
                fields[name] = convert(item, reading)
            except Ignored:
                continue
            except (Understood, Refused) as inexact:
                found = Findings() if found is None else found
                _take(layout, name, item, inexact, fields, found)
                if found.full:
                    break
        reading.depth = depth
        if found is not None or len(fields) != len(value) or (constrained and not _fits(layout, fields)):
            return _settled(layout, value, fields, Findings() if found is None else found)
        return fields if layout.extend is None else layout.extend(fields)

    return decode


def _other_form(
    decode: Decode, value: Any, reading: Reading, phrase: str, literal: Literal | None
) -> Understood | Refused:
    """What a value that is no object is taken as, or why it is refused; either is there to be raised."""
    try_json_text(decode, value, reading, dict)
    if literal is not None and reading.lenient:
        return literal(value)
    return expected(phrase, value, hidden=hides(value, reading))


def _take(
    layout: Layout,
    name: str,
    item: Any,
    inexact: Understood | Refused,
    fields: dict[str, Any],
    found: Findings,
) -> None:
    """Keeps what a value was understood as, or what is wrong with it."""
    if isinstance(inexact, Understood):
        fields[name] = found.understood(name, inexact)
    elif layout.takes_as_absent(name, item):
        found.note(Leniency.BLANK_VALUE, "an empty string taken as not given", name)
    else:
        found.refused(name, inexact)


def _otherwise(
    layout: Layout, key: str, item: Any, reading: Reading, fields: dict[str, Any], found: Findings
) -> Slot | None:
    """The field of a key that ProtoJSON does not know; None when it is none, and has been dealt with."""
    slot = layout.find(key)
    if slot is not None:
        if slot[0] != key:
            found.note(Leniency.FIELD_SPELLING, f"{quoted(key)} taken as {quoted(slot[0])}")
        return slot
    wrapped = layout.wrapped(key)
    if wrapped is None:
        _unknown(layout, key, reading, found)
        return None
    if key not in layout.members:
        found.note(Leniency.FIELD_SPELLING, f"{quoted(key)} taken as {quoted(layout.oneof_of(key) or key)}")
    try:
        fields.update({} if item is None else wrapped.decode(item, reading))
    except Understood as inner:
        fields.update(found.understood(key, inner))
    except Refused as refused:
        found.refused(key, refused)
    return None


def _unknown(layout: Layout, key: str, reading: Reading, found: Findings) -> None:
    if layout.ignores_unknown or (layout.lenient and key == "_meta" and reading.depth == 1):
        if layout.lenient:
            found.note(Leniency.IGNORED_ARGUMENT, f"{quoted(key)} was ignored")
        return
    search = may_search(reading)
    near = suggestion(key, layout.offered) if search else ""
    if reading.drops_unknown:
        found.note(Leniency.DROPPED_ARGUMENT, f"the unknown field {quoted(key)} was left out.{near}")
        return
    removed = " It was removed from the API." if key in layout.reserved() else ""
    fields = f" Fields: {listed(layout.offered, key)}." if search else ""
    found.refuse(f"unknown field {quoted(key)}.{removed}{near}{fields}")


def _fits(layout: Layout, fields: dict[str, Any]) -> bool:
    for name in layout.required:
        if name not in fields:
            return False
    for members in layout.required_oneofs.values():
        if not members & fields.keys():
            return False
    for members in layout.members.values():  # noqa: SIM110 - on the path of every call, where a generator costs thrice
        if len(members & fields.keys()) > 1:
            return False
    return True


def _settled(layout: Layout, value: dict[str, Any], fields: dict[str, Any], found: Findings) -> Any:
    """The message, when nothing refuses it; raises Refused, or Understood where it is not exact."""
    _settle(layout, value, fields, found)
    if layout.extend is None or found.refuses:
        return found.conclude(fields)
    return found.conclude(layout.extend(fields))


def _settle(layout: Layout, value: dict[str, Any], fields: dict[str, Any], found: Findings) -> None:
    """Refuses what no single field shows: one given twice, two of one oneof, one that is missing."""
    keys = _keys_by_name(layout, value, fields)
    for name, spellings in keys.items():
        if len(spellings) > 1:
            found.refuse(
                f"the field is given as {' and as '.join(map(quoted, spellings))}. Give it once.", name
            )
    for members in layout.members.values():
        given = {name: value[keys[name][0]] is not None for name in keys if name in members}
        settle_oneof(members, given, fields, found, lenient=layout.lenient)
    for name, members in layout.required_oneofs.items():
        if not members & keys.keys() and value.get(name) is None:
            found.refuse(missing(f"one of {listed(list(members))}"))
    for name, description in layout.required.items():
        if name not in keys:
            found.refuse(description, name)


def _keys_by_name(layout: Layout, value: dict[str, Any], fields: dict[str, Any]) -> dict[str, list[str]]:
    """The keys under which each field is given."""
    keys: dict[str, list[str]] = {}
    for key, item in value.items():
        name, wrapped = layout.field_of(key), layout.wrapped(key)
        if name is not None:
            left_out = layout.takes_as_absent(name, item) and name not in fields
            names = [] if left_out else [name]
        else:
            names = [] if wrapped is None else wrapped.chosen(item)
        for given in names:
            keys.setdefault(given, []).append(key)
    return keys
