"""Every edge .proto of this room, linked once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.errors import InvalidArguments
from broker.schema.arguments import Reading
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder

_PROTOS = Path(__file__).parents[1] / "protos"


class Codec:
    """Decode and encode by a message's name, with json_format's verdict beside them."""

    def __init__(self, descriptors: Descriptors) -> None:
        self.descriptors = descriptors
        self._decoder = Decoder(descriptors)
        self._encoder = Encoder(descriptors)

    def message(self, name: str) -> Descriptor:
        return self.descriptors.pool.FindMessageTypeByName(name if "." in name else f"schema.proto3.{name}")

    def new(self, name: str, /, **fields: Any) -> Any:
        return self.descriptors.message_class(self.message(name))(**fields)

    def decode(self, name: str, text: str) -> Any:
        return self._decoder.compile(self.message(name))(text)

    def read(self, name: str, text: str, reading: Reading) -> Any:
        """What `decode` gives; `reading` holds the notes on it afterwards."""
        return self._decoder.compile(self.message(name))(text, reading)

    def encode(self, message: Message) -> dict[str, Any]:
        # A field may be named DESCRIPTOR.
        return self._encoder.compile(self.message(type(message).DESCRIPTOR.full_name))(message)

    def problems(self, name: str, text: str) -> list[str]:
        """What is wrong with the arguments; the test fails when nothing is."""
        with pytest.raises(InvalidArguments) as refused:
            self.decode(name, text)
        return list(refused.value.problems)

    def parse(self, name: str, text: str) -> Message:
        """What json_format makes of the same text; raises ParseError."""
        empty: Message = self.new(name)
        return json_format.Parse(text, empty, descriptor_pool=self.descriptors.pool)

    def print(self, message: Message) -> dict[str, Any]:
        """What json_format makes of the same message."""
        return json_format.MessageToDict(
            message, preserving_proto_field_name=True, descriptor_pool=self.descriptors.pool
        )


def _linked(trusted: bool) -> Descriptors:
    names = sorted(path.name for path in _PROTOS.glob("schema_*.proto"))
    files = asyncio.run(compile_protos(names, [_PROTOS]))
    return link(Loaded(files=files, services=["schema.proto3.Library"], trusted=trusted))


@pytest.fixture(scope="session")
def descriptors() -> Descriptors:
    return _linked(trusted=True)


@pytest.fixture(scope="session")
def untrusted() -> Descriptors:
    return _linked(trusted=False)


@pytest.fixture(scope="session")
def codec(descriptors: Descriptors) -> Codec:
    return Codec(descriptors)
