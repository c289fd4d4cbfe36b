"""A oneof written as one property, {"source": {"url": …}} → the member that it holds.

Strict schemas have it so, since no other form lets a grammar enforce that at most one is given. Members that
stand beside the other fields, as ProtoJSON has them, need nothing of this.
"""

from collections.abc import Callable, KeysView, Mapping
from dataclasses import dataclass
from typing import Any

from broker.schema.arguments import Reading, inner_json, may_search
from broker.schema.findings import Findings
from broker.schema.json_text import try_json_text
from broker.schema.notes import Leniency, Understood
from broker.schema.problems import Refused, expected, listed, quoted, suggestion
from broker.schema.scalars import Decode

_WHICH = "which"
_VALUE = "value"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wrapped:
    """What an object that stands for a oneof may hold."""

    members: KeysView[str]
    """The names of its fields."""
    slots: Mapping[str, tuple[str, Decode, type | None]]
    """Those of the whole message, by the name of the field; the decoder of its value is the second."""
    takes_null: frozenset[str]
    find: Callable[[str], str | None]
    """The name of the field that a key means in any spelling, be it a member or not."""

    def decode(self, value: Any, reading: Reading) -> dict[str, Any]:
        """The object → the field that it gives, decoded; none when it gives only nulls.

        Where it gives several, so does this: whether they may be is not asked here.
        """
        if type(value) is not dict:
            try_json_text(self.decode, value, reading, dict)
            phrase = f"an object with one of {listed(list(self.members))}"
            raise expected(phrase, value, hidden=reading.hides_text)
        given, found = self._given(value, reading), Findings()
        if self._named(value) is not value:
            found.note(Leniency.ONEOF_WHICH, f'"{_WHICH}" taken as the name of the member')
        decoded: dict[str, Any] = {}
        for name in self._chosen(given):
            try:
                decoded[name] = self.slots[name][1](given[name], reading)
            except Understood as inner:
                decoded[name] = found.understood(name, inner)
            except Refused as refused:
                found.refused(name, refused)
                break
        return dict(found.conclude(decoded))

    def chosen(self, value: Any) -> list[str]:
        """The members that are given with a value; of an object that `decode` refuses, none."""
        try:
            given = value if type(value) is dict else inner_json(value, Reading(), dict)
            return [] if given is None else self._chosen(self._given(given, None))
        except Refused:
            return []

    def _chosen(self, given: Mapping[str, Any]) -> list[str]:
        valued = [name for name, item in given.items() if item is not None]
        # A null beside the member that is meant says "not this one".
        return valued if valued else [name for name in given if name in self.takes_null]

    def _given(self, value: Mapping[str, Any], reading: Reading | None) -> dict[str, Any]:
        """What the object holds, by the names of the members."""
        given: dict[str, Any] = {}
        for key, item in self._named(value).items():
            name = self._member(key, reading)
            if name in given:
                raise Refused(f"the field {name} is given twice. Give it once.")
            given[name] = item
        return given

    def _named(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object without {"which": "url"}, by which some models name the member beside its value."""
        which = value.get(_WHICH)
        if type(which) is not str or self.find(_WHICH) in self.members:
            return value
        if self.find(which) not in self.members:
            return value
        rest = {key: item for key, item in value.items() if key != _WHICH}
        alone = rest.keys() == {_VALUE} and self.find(_VALUE) not in self.members
        return {which: rest[_VALUE]} if alone else rest

    def _member(self, key: str, reading: Reading | None) -> str:
        name = self.find(key)
        if name is None or name not in self.members:
            if reading is None or not may_search(reading):
                raise Refused(f"unknown field {quoted(key)}.")
            near = suggestion(key, self.members)
            raise Refused(f"unknown field {quoted(key)}.{near} Fields: {listed(list(self.members), key)}.")
        return name


def settle_oneof(
    members: KeysView[str],
    given: Mapping[str, bool],
    fields: dict[str, Any],
    found: Findings,
    *,
    lenient: bool,
) -> None:
    """Leaves in `fields` the one member that is meant; refuses where there are several.

    `given`: the members that stand in the object, and whether with another value than null.
    """
    valued = [name for name, has_value in given.items() if has_value]
    meant = valued if lenient else list(given)
    if len(meant) > 1 and lenient and all(name in fields for name in meant):
        # Some models fill in every member; those that only have their default say nothing.
        telling = [name for name in meant if not _is_default(fields[name])]
        if len(telling) == 1:
            others = [name for name in meant if name != telling[0]]
            text = f"{listed(others)} without a value taken as not given beside {telling[0]}"
            found.note(Leniency.ONEOF_DEFAULTS, text)
            meant = valued = telling
    if len(meant) > 1:
        found.refuse(
            f"{' and '.join(meant)} cannot be given together: give only one of {listed(list(members))}."
        )
    elif valued:
        # A null beside the member that is meant says "not this one".
        for name in given:
            if name != valued[0]:
                fields.pop(name, None)


def _is_default(value: Any) -> bool:
    """Whether a decoded value is that of a field that nobody has set: zero, "", or an empty message."""
    return value == {} or (isinstance(value, int | float | str | bytes) and not value)
