"""JSON within a string → the object or the array in it. Many models write text where one of these belongs.

Nothing is guessed: no field that takes an object or an array takes a string. (Value takes all, and keeps it.)
"""

from typing import Any

from broker.schema.arguments import Reading, inner_json
from broker.schema.findings import read_as
from broker.schema.notes import Leniency

_NAMES: dict[type, str] = {dict: "object", list: "array"}


def try_json_text(decode: Any, value: Any, reading: Reading, *kinds: type) -> None:
    """Raises Understood, or Refused, when the value is JSON text of one of `kinds`; returns else."""
    inner = inner_json(value, reading, *kinds)
    if inner is not None:
        text = f"JSON text taken as the {_NAMES[type(inner)]} in it"
        read_as(Leniency.JSON_TEXT, text, decode, inner, reading)
