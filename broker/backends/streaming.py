"""A stream of responses → what was collected of it, within bounds."""

import asyncio
from collections.abc import AsyncIterable, Callable

import grpc
import grpc.aio
from google.protobuf.message import Message

from broker.tool import Policy, Stream

END = "end"
MAX_MESSAGES = "max_messages"
MAX_BYTES = "max_bytes"
MAX_SECONDS = "max_seconds"


async def collect(stream: AsyncIterable[bytes], parse: Callable[[bytes], Message], policy: Policy) -> Stream:
    """Reads until the stream ends or a bound of the policy is reached; the caller cancels what is left.

    A message that would go over `max_bytes` is not taken, unless it is the first.
    """
    messages: list[Message] = []
    reason = END
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
    except grpc.aio.AioRpcError as error:
        # The call's own deadline may be the shorter one; what has come by then is worth as much.
        if not messages or error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        reason = MAX_SECONDS
    return Stream(messages=tuple(messages), complete=reason == END, reason=reason)
