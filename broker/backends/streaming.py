"""Streams: requests in one message → each of them; responses → what was collected of them, within bounds."""

import asyncio
from collections.abc import AsyncIterable, Callable, Iterator
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from broker.errors import ToolCallError
from broker.tool import Policy, Stream

END = "end"
MAX_MESSAGES = "max_messages"
MAX_BYTES = "max_bytes"
MAX_SECONDS = "max_seconds"
ERROR = "error"

Failure = grpc.aio.AioRpcError | DecodeError
"""What may end a call at the backend."""
_DEADLINE_EXCEEDED = grpc.StatusCode.DEADLINE_EXCEEDED


async def collect(
    stream: AsyncIterable[bytes],
    parse: Callable[[bytes], Message],
    policy: Policy,
    worded: Callable[[Failure], ToolCallError],
) -> Stream:
    """Reads until the stream ends or a bound of the policy is reached; the caller cancels what is left.

    A message that would go over `max_bytes` is not taken, unless it is the first. A failure after the first
    message is in the result, in the words of `worded`, so that what came before it is kept.
    """
    messages: list[Message] = []
    reason, error = END, None
    try:
        async with asyncio.timeout(policy.max_seconds):
            size = 0
            async for data in stream:
                size += len(data)
                if messages and size > policy.max_bytes:
                    reason = MAX_BYTES
                    break
                messages.append(parse(data))
                if len(messages) >= policy.max_messages:
                    reason = MAX_MESSAGES
                    break
    except TimeoutError:
        reason = MAX_SECONDS
    except (grpc.aio.AioRpcError, DecodeError) as failure:
        if not messages:
            raise
        # The call's own deadline may be the shorter one; what has come by then is worth as much.
        late = isinstance(failure, grpc.aio.AioRpcError) and failure.code() is _DEADLINE_EXCEEDED
        reason, error = (MAX_SECONDS, None) if late else (ERROR, worded(failure))
    return Stream(messages=tuple(messages), complete=reason == END, reason=reason, error=error)


def each_request(message_class: type[Message]) -> Callable[[bytes], Iterator[bytes]]:
    """The bytes of a message that lists a stream's requests → those of each request, when it is due."""

    def split(data: bytes) -> Iterator[bytes]:
        listing: Any = message_class.FromString(data)
        for message in listing.messages:
            yield message.SerializeToString(deterministic=True)

    return split
