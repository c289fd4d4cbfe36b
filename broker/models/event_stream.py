"""The body of an answer, in the blocks in which it comes → the data of each server-sent event."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from broker.errors import ModelError

END = b"[DONE]"
"""The data of the event by which a server of Chat Completions says that its stream is over."""
MAX_BYTES = 64 * 1024 * 1024
"""How long one answer may be, in bytes as they are sent: some 250,000 tokens with a chunk for each."""


class EventStream:
    """Cuts a body into events, whichever way it is cut into blocks.

    >>> events = EventStream()
    >>> [list(events.feed(block)) for block in (b'data: {"a"', b": 1}\\r\\n\\r\\n: note\\n\\ndata: 2\\n\\n")]
    [[], [b'{"a": 1}', b'2']]

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []

    def feed(self, block: bytes) -> Iterator[bytes]:
        """Takes a block; gives the data of the events that it completes."""
        self._line += block
        if b"\n" not in block:
            return
        *lines, self._line = self._line.split(b"\n")
        for line in lines:
            yield from self._take(bytes(line.removesuffix(b"\r")))

    def end(self) -> Iterator[bytes]:
        """Gives the last event, when the body ended without the empty line that should follow it."""
        yield from self._take(bytes(self._line))
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[bytes]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            yield b"\n".join(self._data)
            self._data.clear()


class _Whole:
    """A body that is one event: that of a server that does not stream."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def feed(self, block: bytes) -> Iterator[bytes]:
        self._blocks.append(block)
        return iter(())

    def end(self) -> Iterator[bytes]:
        yield b"".join(self._blocks)


async def read_events(
    blocks: AsyncIterator[bytes], max_bytes: int = MAX_BYTES
) -> AsyncGenerator[bytes, None]:
    """The data of each event; a body of JSON is one.

    Raises ModelError for a page of HTML, and for a body longer than `max_bytes`.
    """
    reader: EventStream | _Whole = EventStream()
    size = 0
    async for block in blocks:
        if size == 0:
            reader = _reader(block.lstrip())
        size += len(block)
        if size > max_bytes:
            raise ModelError(f"Its answer is longer than {max_bytes:,} bytes; it was not read to the end.")
        for data in reader.feed(block):
            yield data
    for data in reader.end():
        yield data


def _reader(start: bytes) -> EventStream | _Whole:
    if start.startswith(b"<"):
        raise ModelError("It answered with a page of HTML. Check that `model.base_url` is right.")
    return _Whole() if start.startswith(b"{") else EventStream()
