"""The program that protobuf's conformance runner talks to: its requests through our decode and encode.

    python -m tests.conformance.testee PROTOSET [LOG]

PROTOSET holds the runner's own protos; LOG receives each JSON input with what was made of it, a line each.
A request and a response are a ConformanceRequest and a ConformanceResponse, each after its length in four
bytes, little-endian: https://github.com/protocolbuffers/protobuf/tree/main/conformance.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import orjson
from google.protobuf.message import DecodeError, Message

from broker.descriptors.bare import parse_file_set
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import Loaded
from broker.errors import InvalidArguments
from broker.schema.arguments import ExactReading, TolerantReading
from broker.schema.canonical import Unencodable
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder

Log = Callable[[Any, Any], None]


class Testee:
    """Answers the runner's requests, each by itself."""

    __test__ = False

    def __init__(self, descriptors: Descriptors) -> None:
        self._descriptors = descriptors
        self._exact = Decoder(descriptors, reading=ExactReading)
        self._tolerant = Decoder(descriptors, reading=TolerantReading)
        self._encoder = Encoder(descriptors, canonical=True)
        request = descriptors.pool.FindMessageTypeByName("conformance.ConformanceRequest")
        formats = descriptors.pool.FindEnumTypeByName("conformance.WireFormat").values_by_name
        self._binary, self._json = formats["PROTOBUF"].number, formats["JSON"].number
        categories = descriptors.pool.FindEnumTypeByName("conformance.TestCategory").values_by_name
        self._ignores_unknown = categories["JSON_IGNORE_UNKNOWN_PARSING_TEST"].number
        response = descriptors.pool.FindMessageTypeByName("conformance.ConformanceResponse")
        self.request_class: Any = descriptors.message_class(request)
        self.response_class: Any = descriptors.message_class(response)

    def answer(self, request: Any) -> dict[str, Any]:
        """The response's one field."""
        payload = request.WhichOneof("payload")
        offered = request.requested_output_format in (self._binary, self._json)
        if payload not in ("protobuf_payload", "json_payload") or not offered:
            return {"skipped": "only the binary format and JSON are spoken here"}
        try:
            message = self._read(request)
        except (DecodeError, InvalidArguments) as error:
            return {"parse_error": str(error)}
        try:
            return self._write(request, message)
        except Unencodable as error:
            return {"serialize_error": str(error)}

    def _read(self, request: Any) -> Message:
        descriptor = self._descriptors.pool.FindMessageTypeByName(request.message_type)
        if request.WhichOneof("payload") == "protobuf_payload":
            return self._descriptors.message_class(descriptor).FromString(request.protobuf_payload)
        decoder = self._tolerant if request.test_category == self._ignores_unknown else self._exact
        return decoder.compile(descriptor)(request.json_payload)

    def _write(self, request: Any, message: Message) -> dict[str, Any]:
        if request.requested_output_format == self._binary:
            return {"protobuf_payload": message.SerializeToString()}
        encode = self._encoder.compile(self._descriptors.pool.FindMessageTypeByName(request.message_type))
        return {"json_payload": orjson.dumps(encode(message)).decode()}


def serve(testee: Testee, source: IO[bytes], sink: IO[bytes], log: Log | None = None) -> None:
    """Answers until the source ends."""
    while head := source.read(4):
        request = testee.request_class.FromString(source.read(int.from_bytes(head, "little")))
        response = testee.answer(request)
        if log is not None:
            log(request, response)
        data = testee.response_class(**response).SerializeToString()
        sink.write(len(data).to_bytes(4, "little") + data)
        sink.flush()


def _logger(path: str) -> Log:
    def log(request: Any, response: Any) -> None:
        if request.WhichOneof("payload") == "json_payload":
            asked = [request.message_type, request.test_category, request.json_payload]
            made = next(iter(response)) if "protobuf_payload" not in response else "valid"
            with Path(path).open("a") as file:
                file.write(json.dumps([*asked, made]) + "\n")

    return log


def main(protoset: str, log: str | None = None) -> None:
    """Serves standard input and output."""
    loaded = Loaded(files=parse_file_set(Path(protoset).read_bytes()), services=[], trusted=True)
    serve(Testee(link(loaded)), sys.stdin.buffer, sys.stdout.buffer, None if log is None else _logger(log))


if __name__ == "__main__":
    main(*sys.argv[1:])
