"""The JSON inputs of protobuf's conformance suite, as they went in a run that passed: see record.py."""

import json
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors
from broker.errors import InvalidArguments
from broker.schema.arguments import ExactReading, TolerantReading
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder
from tests.conformance.record import RECORDED

PACKAGES = ["recorded", "recorded.edition"]
"""The messages in their own syntax, and their twins in edition 2023."""


def rows(package: str) -> list[Any]:
    text = RECORDED.read_text().replace("recorded.", f"{package}.")
    return [json.loads(line) for line in text.splitlines()]


class Codec:
    """The exact readings and the canonical encoding, by the row's own words."""

    def __init__(self, descriptors: Descriptors) -> None:
        self._descriptors = descriptors
        self._exact = Decoder(descriptors, reading=ExactReading)
        self._tolerant = Decoder(descriptors, reading=TolerantReading)
        self._encoder = Encoder(descriptors, canonical=True)

    def decode(self, package: str, row: Any) -> Message | None:
        """The input's message; None when it is refused."""
        decoder = self._tolerant if row["ignore_unknown"] else self._exact
        try:
            return decoder.compile(self._type(package, row))(row["input"])
        except InvalidArguments:
            return None

    def encode(self, package: str, row: Any, message: Message | None) -> str:
        """The message in canonical form, as text: to Python, 1 and true are equal."""
        encode = self._encoder.compile(self._type(package, row))
        return _text(None if message is None else encode(message))

    def parse(self, package: str, row: Any) -> Message:
        """What json_format makes of the input."""
        empty = self._descriptors.message_class(self._type(package, row))()
        pool, ignore = self._descriptors.pool, row["ignore_unknown"]
        return json_format.Parse(row["input"], empty, ignore_unknown_fields=ignore, descriptor_pool=pool)

    def _type(self, package: str, row: Any) -> Any:
        return self._descriptors.pool.FindMessageTypeByName(f"{package}.{row['syntax']}.AllTypes")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.fixture(scope="module")
def codec(descriptors: Descriptors) -> Codec:
    return Codec(descriptors)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_recorded_input_is_taken_or_refused_as_in_the_suite(codec: Codec, package: str) -> None:
    made = [(row, codec.encode(package, row, codec.decode(package, row))) for row in rows(package)]
    wrong = [(row, found) for row, found in made if found != _text(row["expected"])]
    assert not wrong
    assert (len(made), sum(row["expected"] is not None for row, _ in made)) == (500, 285)


@pytest.mark.parametrize("package", PACKAGES)
def test_json_format_makes_the_same_message_of_each_valid_input(codec: Codec, package: str) -> None:
    valid = [row for row in rows(package) if row["expected"] is not None]
    assert [row for row in valid if codec.decode(package, row) != codec.parse(package, row)] == []
