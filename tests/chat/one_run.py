"""One run as a program: `python one_run.py BROKER_YAML [STATE [ID …]]`.

Without STATE a new run begins, which is kept from its first step; with it the run is taken up, as soon as the
lease of the process before allows it, and the calls of these ids are approved. Each event is a line of JSON.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator

from broker import assembly
from broker.chat.decisions import Approve
from broker.chat.events import CallFinished, Done, Event, Kept
from broker.chat.loop import Chat
from broker.config import loading
from broker.errors import Code, RunError

LEASE = 0.5


async def main(config: str, state: str | None = None, *approved: str) -> None:
    settings = loading.load(config)
    async with assembly.open(settings) as broker, assembly.open_chat(settings, broker) as chat:
        if state is None:
            run = chat.run([{"role": "user", "content": "hello"}], kept=True)
        else:
            run = taken_up(chat, state, approved)
        async for event in run:
            tell(event)


async def taken_up(chat: Chat, state: str, approved: tuple[str, ...]) -> AsyncGenerator[Event, None]:
    decisions = [Approve(call_id=id) for id in approved]
    while True:
        try:
            async for event in chat.resume(state, decisions=decisions):
                yield event
        except RunError as error:
            if error.code is not Code.ABORTED:
                raise
            await asyncio.sleep(LEASE / 10)
        else:
            return


def tell(event: Event) -> None:
    said: dict[str, object] = {"event": type(event).__name__}
    match event:
        case Kept():
            said["state"] = event.state
        case CallFinished():
            said["code"] = None if event.result.code is None else event.result.code.name
        case Done():
            said |= {"state": event.state, "text": event.text, "stop_reason": event.stop_reason}
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
