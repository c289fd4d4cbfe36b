"""A conversation with the model: one turn after another, kept in a file where there is one."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from broker import assembly
from broker.chat.decisions import Decision
from broker.chat.events import ApprovalNeeded, CallFinished, CallStarted, Done, Event, Kept
from broker.chat.loop import Chat
from broker.cli.service import changed
from broker.cli.transcript import Transcript
from broker.cli.waiting import bounded
from broker.config.settings import Settings
from broker.dispatch import Broker
from broker.errors import Code, RunError
from broker.state.conversations import Conversation, ConversationFile
from broker.tool import CallContext

_EXPIRY = 7 * 86_400.0
"""How long a run waits in a file that somebody keeps, in seconds, unless broker.yaml says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """Where a conversation is kept."""

    file: Path | None = None
    """None: nowhere."""
    resumes: bool = False
    """Whether the file has the conversation already."""


class Session:
    """A conversation as far as it has come."""

    def __init__(
        self,
        broker: Broker,
        chat: Chat,
        shown: Transcript,
        file: ConversationFile | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        self.broker = broker
        self.conversation = Conversation() if conversation is None else conversation
        self.waiting: Sequence[ApprovalNeeded] = ()
        """The calls that the last turn waits for, if it does."""
        self.under_way: dict[str, str] = {}
        """The names of the calls, by their ids, whose results have not come."""
        self._chat = chat
        self._shown = shown
        self._file = file
        self._settled = self.conversation

    async def ask(self, text: str, context: CallContext) -> Done:
        """The model's turn on a question."""
        self._settled = self.conversation
        messages = [*self.conversation.messages, {"role": "user", "content": text}]
        self.conversation = Conversation(messages=messages)
        return await self._follow(self._chat.run(messages, context=context, kept=self._file is not None))

    async def resume(self, decisions: Sequence[Decision], context: CallContext) -> Done:
        """Goes on with the turn that waits, or that was interrupted."""
        run = self.conversation.run
        assert run is not None, "there is a turn to go on with"
        return await self._follow(self._chat.resume(run, decisions=decisions, context=context))

    async def take_up(self, decisions: Sequence[Decision], context: CallContext, *, lease: float) -> Done:
        """Goes on with the turn of a process that is gone, as soon as its lease of so many seconds ends."""
        until = time.monotonic() + 2 * lease
        told = False
        while True:
            try:
                return await self.resume(decisions, context)
            except RunError as error:
                if error.code is not Code.ABORTED or time.monotonic() > until:
                    raise
            if not told:
                typer.echo("broker: waiting for the lease of the process that had this turn to end", err=True)
                told = True
            await asyncio.sleep(lease / 20)

    async def forget_question(self) -> None:
        """The last question was never asked."""
        await self._keep(self._settled)

    async def forget_run(self) -> None:
        """The last question has no answer."""
        await self._keep(replace(self.conversation, run=None))

    async def _follow(self, events: AsyncGenerator[Event, None]) -> Done:
        waiting: list[ApprovalNeeded] = []
        self.under_way = {}
        last: Event | None = None
        async with aclosing(events):
            async for last in events:
                # Kept before it is shown: what somebody has seen is not lost with this process.
                match last:
                    case Kept():
                        await self._keep(replace(self.conversation, run=last.state))
                    case CallStarted(call=call):
                        self.under_way[call.id] = call.name
                    case CallFinished(call=call):
                        self.under_way.pop(call.id, None)
                    case ApprovalNeeded():
                        waiting.append(last)
                    case Done():
                        await self._keep(_after(self.conversation, last))
                self._shown.show(last)
        assert isinstance(last, Done), "a run ends with Done"
        self.waiting = waiting
        return last

    async def _keep(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.waiting = ()
        if self._file is not None:
            await self._file.save(conversation)


def _after(conversation: Conversation, done: Done) -> Conversation:
    if done.state is not None:
        return replace(conversation, run=done.state)
    return Conversation(messages=[*conversation.messages, *done.messages])


@contextmanager
def opened(
    runner: asyncio.Runner, settings: Settings, keeping: Keeping, shown: Transcript, max_time: float | None
) -> Iterator[Session]:
    """A session that is opened and closed by one task, as its parts may ask for, which waits in between."""
    loop = runner.get_loop()
    ready: asyncio.Future[Session] = loop.create_future()
    closing = asyncio.Event()

    async def hold() -> None:
        async with AsyncExitStack() as stack:
            try:
                async with bounded(max_time):
                    ready.set_result(await _open(settings, keeping, shown, stack))
            except Exception as error:  # noqa: BLE001 - raised again where the session is waited for
                ready.set_exception(error)
            else:
                await closing.wait()

    async def wait() -> Session:
        return await ready

    async def close() -> None:
        closing.set()
        await holder

    holder = loop.create_task(hold())
    try:
        yield runner.run(wait())
    finally:
        runner.run(close())


async def _open(settings: Settings, keeping: Keeping, shown: Transcript, stack: AsyncExitStack) -> Session:
    broker = await stack.enter_async_context(assembly.open(settings))
    if keeping.file is None:
        return Session(broker, await stack.enter_async_context(assembly.open_chat(settings, broker)), shown)
    file = (ConversationFile.open if keeping.resumes else ConversationFile.begin)(keeping.file)
    stack.callback(file.close)
    conversation = await file.read()
    if "expiry" not in settings.state.model_fields_set:
        settings = changed(settings, state={**dict(settings.state), "expiry": _EXPIRY})
    chat = await stack.enter_async_context(assembly.open_chat(settings, broker, store=file.store))
    return Session(broker, chat, shown, file, conversation)
