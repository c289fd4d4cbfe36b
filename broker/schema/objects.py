"""The fields of a message type → the decoder of the JSON object that stands for such a message."""

from collections.abc import Callable, KeysView, Mapping
from dataclasses import dataclass
from typing import Any

from broker.schema.arguments import MAX_DEPTH, Ignored, Reading, too_deep
from broker.schema.oneofs import Wrapped
from broker.schema.problems import Problems, Refused, expected, listed, plain, quoted, suggestion
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
    """What each required field is, in words."""
    members: Mapping[str, KeysView[str]]
    """By the name of each oneof: those of its fields."""
    required_oneofs: Mapping[str, KeysView[str]]
    """The same, for the oneofs of which one must be given."""
    constrained: bool
    """Whether there are required fields or oneofs."""
    takes_null: frozenset[str]
    lenient: bool
    """Whether the null of such a field says "not this one" beside another member of its oneof."""
    ignores_unknown: bool
    """Whether what no field is named is passed over."""
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

    def wrapped(self, key: str) -> Wrapped | None:
        """What reads the oneof of this name when it is written as one property; None: there is none."""
        members = self.members.get(key)
        if members is None or not self.lenient:
            return None
        return Wrapped(members=members, slots=self.slots, takes_null=self.takes_null, find=self.field_of)


def object_decoder(make_layout: Callable[[], Layout], phrase: str) -> Decode:
    """JSON object → what a constructor takes for a message."""
    layout: Layout | None = None  # made when it is first needed, so that types may hold themselves

    def decode(value: Any, reading: Reading) -> Any:
        nonlocal layout
        if type(value) is not dict:
            raise expected(phrase, value)
        if layout is None:
            layout = make_layout()
        depth = reading.depth
        if depth >= MAX_DEPTH:
            raise too_deep()
        reading.depth = depth + 1
        slots, constrained = layout.slots, layout.constrained
        fields: dict[str, Any] = {}
        problems: Problems | None = None
        for key, item in value.items():
            slot = slots.get(key)
            if slot is None:
                slot = layout.find(key)
                if slot is None:
                    problems = _no_field(layout, key, item, reading, fields, problems)
                    if problems is not None and problems.full:
                        break
                    continue
            name, convert, exact = slot
            if type(item) is exact:
                # The path of most fields: no call for each of them.
                fields[name] = item
                continue
            if item is None and name not in layout.takes_null:
                continue
            try:
                fields[name] = convert(item, reading)
            except Ignored:
                continue
            except Refused as refused:
                problems = _collected(problems, name, refused)
                if problems.full:
                    break
        reading.depth = depth
        if problems is not None or len(fields) != len(value) or (constrained and not _fits(layout, fields)):
            _settle(layout, value, fields, problems)
        return fields if layout.extend is None else layout.extend(fields)

    return decode


def _collected(problems: Problems | None, name: str, refused: Refused) -> Problems:
    problems = Problems() if problems is None else problems
    problems.under(name, refused)
    return problems


def _no_field(
    layout: Layout, key: str, item: Any, reading: Reading, fields: dict[str, Any], problems: Problems | None
) -> Problems | None:
    wrapped = layout.wrapped(key)
    if wrapped is None:
        return _unknown(layout, key, problems)
    try:
        fields.update({} if item is None else wrapped.decode(item, reading))
    except Refused as refused:
        return _collected(problems, key, refused)
    return problems


def _unknown(layout: Layout, key: str, problems: Problems | None) -> Problems | None:
    if layout.ignores_unknown:
        return problems
    problems = Problems() if problems is None else problems
    near = suggestion(key, layout.offered)
    problems.add(f"unknown field {quoted(key)}.{near} Fields: {listed(layout.offered, key)}.")
    return problems


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


def _settle(layout: Layout, value: dict[str, Any], fields: dict[str, Any], problems: Problems | None) -> None:
    """Refuses what no single field shows: one given twice, two of one oneof, one that is missing."""
    problems = Problems() if problems is None else problems
    keys = _keys_by_name(layout, value)
    for name, spellings in keys.items():
        if len(spellings) > 1:
            problems.add(
                f"the field is given as {' and as '.join(map(quoted, spellings))}. Give it once.", name
            )
    for members in layout.members.values():
        _settle_oneof(layout, members, keys, value, fields, problems)
    for name, members in layout.required_oneofs.items():
        if not members & keys.keys() and value.get(name) is None:
            problems.add(f"missing, but required: one of {listed(list(members))}.")
    for name, description in layout.required.items():
        if name not in keys:
            problems.add(f"missing, but required: {description}", name)
    if problems:
        raise problems.refuse()


def _keys_by_name(layout: Layout, value: dict[str, Any]) -> dict[str, list[str]]:
    """The keys under which each field is given."""
    keys: dict[str, list[str]] = {}
    for key, item in value.items():
        name, wrapped = layout.field_of(key), layout.wrapped(key)
        if name is not None:
            names = [name] if item is not None or name in layout.takes_null else []
        else:
            names = [] if wrapped is None else wrapped.chosen(item)
        for given in names:
            keys.setdefault(given, []).append(key)
    return keys


def _settle_oneof(
    layout: Layout,
    members: KeysView[str],
    keys: Mapping[str, list[str]],
    value: dict[str, Any],
    fields: dict[str, Any],
    problems: Problems,
) -> None:
    given = [name for name in keys if name in members]
    valued = [name for name in given if value[keys[name][0]] is not None]
    meant = valued if layout.lenient else given
    if len(meant) > 1:
        problems.add(
            f"{' and '.join(meant)} cannot be given together: give only one of {listed(list(members))}."
        )
    elif valued:
        # A null beside the member that is meant says "not this one".
        for name in given:
            if name != valued[0]:
                fields.pop(name, None)
