"""Feeds decode with what a coverage-guided fuzzer finds, for a minute: `make fuzz`.

Any text up to 1 MB must give a message or problems, in under a second of this process's time, and hold less
than 100 MB more than before. atheris is no dependency of ours, since few platforms have it: without it, that
is said and nothing is run.
"""

import asyncio
import importlib
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from broker.descriptors.pool import Descriptors, link
from broker.descriptors.protoc import compile_protos
from broker.descriptors.sources import Loaded
from broker.errors import InvalidArguments
from broker.schema.arguments import DroppingReading, ExactReading, Reading, TolerantReading
from broker.schema.decode import Decoder
from broker.schema.problems import MAX_BYTES, describe

_PROTOS = Path(__file__).parents[1] / "protos"
_SECONDS = 60
_MAX_BYTES = 1_000_000
_MAX_LENGTH = 4_000
"""Of what is mutated; some of it is then repeated until there is 1 MB."""
_GROWN_ONE_IN = 50
_MAX_SECONDS = 1.0
"""Of the processor, for one decoder and one text: a busy machine is no slow decoder."""
_MAX_MEGABYTES = 100
MESSAGES = (
    *(f"schema.proto3.{name}" for name in ("Scalars", "Repeated", "Maps", "Choice", "WellKnown", "Node")),
    *("schema.lenient.Stay", "schema.lenient.UpdateHouseRequest", "schema.lenient.Climb"),
    *("schema.proto2.All", "google.protobuf.Value", "google.protobuf.Any", "google.protobuf.Struct"),
)
SEEDS = (
    '{"a_double": 1.5e3, "an_int64": "-9223372036854775808", "color": "COLOR_RED", "some_bytes": "aGk="}',
    '{"strings": ["a:b", ""], "timestamps": ["2024-05-01T12:00:00.5+05:30"], "values": [null, {"a": [1]}]}',
    '{"by_string": {"a.b": "x"}, "by_bool": {"true": 1}, "structs": {"a": {"b": []}}, "by_int32": {"5": ""}}',
    '{"timestamp": "0001-01-01T00:00:00Z", "duration": "PT1H30M", "field_mask": "fooBar,b.c", "value": -0.0}',
    '{"any": {"@type": "a/google.protobuf.Any", "value": {"@type": "b/google.protobuf.Value", "value": 1}}}',
    '{"next": {"next": {"named": {"k": {"children": [{"name": "\\u003a"}]}}}}, "text": null}',
    '{"request": {"a-bool": "True", "aString": 5, "color": "dark blue", "some_bytes": "data:;base64,aGk="}}',
    '{"strings": "[\\"a\\"]", "scalars": "{\\"a_bool\\": true}", "structs": ["{}"], "bools": ""}',
    '{"which": {"which": "text", "value": "a"}, "number": 0, "scalars": {}, "other": null, "_meta": {}}',
    '{"from": "2024-05-01", "arrival": "09:30", "rating": "1.5", "price": {"units": 1}, "place": null}',
    '{"update_mask": ["annex.display_name", "rooms.a.b"], "house": {"built": 1714564800}}',
    '{"name": "x", "mygroup": {"a": 1}, "[schema.proto2.ext_part]": {"id": "p"}, "value": {"a": 1, "a": 2}}',
)
"""Texts from which mutation starts: each is arguments of some of the messages."""


_READINGS: Sequence[type[Reading]] = (Reading, DroppingReading, ExactReading, TolerantReading)


def decoders(
    descriptors: Descriptors, readings: Sequence[type[Reading]] = _READINGS
) -> Sequence[Callable[[str], object]]:
    """The decoder of each message in each reading."""
    types = [descriptors.pool.FindMessageTypeByName(name) for name in MESSAGES]
    made = [Decoder(descriptors, reading=reading) for reading in readings]
    return [decoder.compile(message) for decoder in made for message in types]


def decode_all(decoders: Sequence[Callable[[str], object]], text: str) -> int:
    """How many decoders take the text. All others must refuse it as InvalidArguments; all else is raised."""
    return sum([_takes(decode, text) for decode in decoders])


def _takes(decode: Callable[[str], object], text: str) -> bool:
    try:
        decode(text)
    except InvalidArguments as refused:
        if len(describe("n" * 64, refused.problems).encode()) > MAX_BYTES:
            raise AssertionError("what a model is told is too long") from None
        return False
    return True


def main() -> int:
    """Fuzzes until the time is over; a text that breaks ends the process, with the fuzzer's own status."""
    if sys.argv[1:] == ["measure"]:
        return _measure(sys.stdin.buffer.read().decode("utf-8", "surrogatepass"))
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: skipped: atheris is not installed; install it into .venv where your platform has it")
        return 0
    atheris = importlib.import_module("atheris")
    targets = _targets()
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, str(number)).write_text(seed)
        seconds = os.environ.get("SECONDS_TO_FUZZ", str(_SECONDS))
        limits = [
            f"-max_total_time={seconds}",
            f"-max_len={_MAX_LENGTH}",
            "-timeout=120",
            "-rss_limit_mb=2048",
        ]
        atheris.instrument_all()
        atheris.Setup([sys.argv[0], *limits, corpus], lambda data: _feed(targets, data))
        atheris.Fuzz()
    return 0


def _targets() -> Sequence[Callable[[str], object]]:
    names = sorted(path.name for path in _PROTOS.glob("schema_*.proto"))
    files = asyncio.run(compile_protos(names, [_PROTOS]))
    return decoders(link(Loaded(files=files, services=[], trusted=True)))


def _feed(targets: Sequence[Callable[[str], object]], data: bytes) -> None:
    text = data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "replace")
    decode_all(targets, text)
    lot = zlib.crc32(data)
    if lot % _GROWN_ONE_IN == 0:
        grown, started = _grown(text, lot), time.process_time()
        _takes(targets[lot % len(targets)], grown)
        # The fuzzer's own bookkeeping makes all code many times slower, so that a process without it decides.
        if time.process_time() - started > _MAX_SECONDS:
            command = [sys.executable, "-m", "tests.schema.fuzz", "measure"]
            subprocess.run(command, input=grown.encode("utf-8", "surrogatepass"), check=True)


def _grown(text: str, lot: int) -> str:
    """The text, one piece of which is repeated until there is 1 MB of it."""
    start = lot // 7 % (len(text) + 1)
    end = min(len(text), start + 1 + lot // 11 % 40)
    piece = text[start:end]
    return text[:start] + piece * ((_MAX_BYTES - len(text)) // max(1, len(piece))) + text[end:]


def _measure(text: str) -> int:
    """Whether each decoder keeps to its time and memory; says what was measured."""
    worst = 0.0
    targets, held = _targets(), _peak()
    for decode in targets:
        started = time.process_time()
        _takes(decode, text)
        worst = max(worst, time.process_time() - started)
    megabytes = _peak() - held
    print(f"fuzz: {len(text):,} characters: at most {worst:.2f} s, {megabytes:.0f} MB")
    return int(worst > _MAX_SECONDS or megabytes > _MAX_MEGABYTES)


def _peak() -> float:
    """The most memory that this process has held so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
