"""Feeds decode with what a coverage-guided fuzzer finds, for a minute: `make fuzz`.

atheris is no dependency of ours, since few platforms have it: without it, that is said and nothing is run.
"""

import asyncio
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.errors import InvalidArguments
from broker.schema.arguments import ExactReading, Reading, TolerantReading
from broker.schema.decode import Decoder

_PROTOS = Path(__file__).parents[1] / "protos"
_SECONDS = 60
_MAX_BYTES = 1_000_000
MESSAGES = (
    *(f"schema.proto3.{name}" for name in ("Scalars", "Repeated", "Maps", "Choice", "WellKnown", "Node")),
    *("schema.proto2.All", "google.protobuf.Value", "google.protobuf.Any", "google.protobuf.Struct"),
)
SEEDS = (
    '{"a_double": 1.5e3, "an_int64": "-9223372036854775808", "color": "COLOR_RED", "some_bytes": "aGk="}',
    '{"strings": ["a:b", ""], "timestamps": ["2024-05-01T12:00:00.5+05:30"], "values": [null, {"a": [1]}]}',
    '{"by_string": {"a.b": "x"}, "by_bool": {"true": 1}, "structs": {"a": {"b": []}}, "by_int32": {"5": ""}}',
    '{"timestamp": "0001-01-01T00:00:00Z", "duration": "PT1H30M", "field_mask": "fooBar,b.c", "value": -0.0}',
    '{"any": {"@type": "a/google.protobuf.Any", "value": {"@type": "b/google.protobuf.Value", "value": 1}}}',
    '{"next": {"next": {"named": {"k": {"children": [{"name": "\\u003a"}]}}}}, "text": null}',
    '{"name": "x", "mygroup": {"a": 1}, "[schema.proto2.ext_part]": {"id": "p"}, "value": {"a": 1, "a": 2}}',
)
"""Texts from which mutation starts: each is arguments of some of the messages."""


def decoders(descriptors: Descriptors) -> Sequence[Callable[[str], object]]:
    """The decoder of each message in each reading."""
    types = [descriptors.pool.FindMessageTypeByName(name) for name in MESSAGES]
    readings: Sequence[type[Reading]] = (Reading, ExactReading, TolerantReading)
    made = [Decoder(descriptors, reading=reading) for reading in readings]
    return [decoder.compile(message) for decoder in made for message in types]


def decode_all(decoders: Sequence[Callable[[str], object]], text: str) -> int:
    """How many decoders take the text. All others must refuse it as InvalidArguments; all else is raised."""
    taken = 0
    for decode in decoders:
        try:
            decode(text)
            taken += 1
        except InvalidArguments:
            continue
    return taken


def main() -> int:
    """Fuzzes until the time is over; a text that breaks ends the process, with the fuzzer's own status."""
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: skipped: atheris is not installed; install it into .venv where your platform has it")
        return 0
    atheris = importlib.import_module("atheris")
    names = sorted(path.name for path in _PROTOS.glob("schema_*.proto"))
    files = asyncio.run(compile_protos(names, [_PROTOS]))
    targets = decoders(link(Loaded(files=files, services=[], trusted=True)))
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_text(seed)
        limits = [f"-max_total_time={_SECONDS}", f"-max_len={_MAX_BYTES}", "-timeout=5", "-rss_limit_mb=2048"]
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], *limits, corpus], lambda data: _feed(targets, data))
        atheris.Fuzz()
    return 0


def _feed(targets: Sequence[Callable[[str], object]], data: bytes) -> None:
    decode_all(targets, data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "replace"))


if __name__ == "__main__":
    sys.exit(main())
