"""Writes recorded.jsonl from the last run of `make conformance` that passed.

    python -m tests.conformance.record

The inputs are those of protobuf's suite (LICENSE.protobuf); its messages are replaced by ours of the same
fields, tests/protos/recorded. What is expected is what the run made of an input, null where it refused it.
The suite asks the same of proto2 and proto3 and of their twins in edition 2023: each input is recorded once.
"""

import json
from pathlib import Path
from typing import Any

from broker.descriptors.bare import parse_file_set
from broker.descriptors.pool import link
from broker.descriptors.sources import Loaded
from broker.errors import InvalidArguments
from broker.schema.arguments import ExactReading, TolerantReading
from broker.schema.decode import Decoder
from broker.schema.encode import Encoder

RECORDED = Path(__file__).with_name("recorded.jsonl")
_FOLDER = Path(__file__).parents[2] / "gen" / "conformance"
_IGNORES_UNKNOWN = 3  # of conformance.TestCategory


def main() -> None:
    """Writes the file anew."""
    lines = (_FOLDER / "inputs.jsonl").read_text().splitlines()
    asked = {tuple(json.loads(line)[:3]): None for line in lines if ".editions." not in line}
    loaded = Loaded(files=parse_file_set((_FOLDER / "protos.binpb").read_bytes()), services=[], trusted=True)
    descriptors = link(loaded)
    decoders = {reading: Decoder(descriptors, reading=reading) for reading in (ExactReading, TolerantReading)}
    encoder = Encoder(descriptors, canonical=True)

    def expected(name: str, category: int, text: str) -> Any:
        message = descriptors.pool.FindMessageTypeByName(name)
        decoder = decoders[TolerantReading if category == _IGNORES_UNKNOWN else ExactReading]
        try:
            return encoder.compile(message)(decoder.compile(message)(text))
        except InvalidArguments:
            return None

    rows = [_row(name, category, text, expected(name, category, text)) for name, category, text in asked]
    RECORDED.write_text("".join(f"{row}\n" for row in rows))


def _row(name: str, category: int, text: str, expected: Any) -> str:
    row = {
        "syntax": name.split(".")[1],
        "ignore_unknown": category == _IGNORES_UNKNOWN,
        "input": text,
        "expected": expected,
    }
    line = json.dumps(row, ensure_ascii=False)
    for syntax in ("proto2", "proto3"):
        theirs = f"protobuf_test_messages.{syntax}."
        line = line.replace(f"{theirs}TestAllTypes{syntax.title()}", f"recorded.{syntax}.AllTypes")
        line = line.replace(theirs, f"recorded.{syntax}.")
    return line


if __name__ == "__main__":
    main()
