"""A question, or one line after another → runs of the chat loop, shown as they go."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import Any

import typer

from broker import assembly
from broker.chat.events import Done, Event, StopReason
from broker.chat.loop import Chat
from broker.cli.call import context
from broker.cli.flags import ServiceFlags
from broker.cli.transcript import Transcript
from broker.cli.waiting import bounded, exit_status
from broker.config.settings import Settings
from broker.errors import Code, ModelError
from broker.tool import CallContext


def ask(settings: Settings, prompt: str, shown: Transcript, service: ServiceFlags) -> None:
    """One question, one answer. A run whose time is up exits with the status of DEADLINE_EXCEEDED."""
    done = asyncio.run(_answer(settings, prompt, shown, service))
    if done.stop_reason is StopReason.TIMEOUT:
        raise typer.Exit(exit_status(Code.DEADLINE_EXCEEDED))


async def _answer(settings: Settings, prompt: str, shown: Transcript, service: ServiceFlags) -> Done:
    until = context(service)
    async with AsyncExitStack() as stack:
        async with bounded(service.max_time):
            chat = await _open(settings, stack)
        return await _turn(chat, [_user(prompt)], shown, until)


def converse(settings: Settings, shown: Transcript, service: ServiceFlags) -> None:
    """Reads a line, runs its turn, and so on. Between turns the event loop stands still."""
    messages: list[dict[str, Any]] = []
    with asyncio.Runner() as runner, _opened(runner, settings) as chat:
        for line in _lines():
            question = _user(line)
            try:
                done = runner.run(_turn(chat, [*messages, question], shown, context(service)))
            except KeyboardInterrupt:
                typer.echo("\nbroker: the turn was cancelled, and its question is forgotten", err=True)
            except ModelError as error:
                if not sys.stdin.isatty():
                    raise
                typer.echo(f"broker: {error}", err=True)
            else:
                messages += [question, *done.messages]


@contextmanager
def _opened(runner: asyncio.Runner, settings: Settings) -> Iterator[Chat]:
    """A chat that is opened and closed by one task, as its parts may ask for, which waits in between."""
    loop = runner.get_loop()
    ready: asyncio.Future[Chat] = loop.create_future()
    closing = asyncio.Event()

    async def hold() -> None:
        async with AsyncExitStack() as stack:
            try:
                ready.set_result(await _open(settings, stack))
            except Exception as error:  # noqa: BLE001 - raised again where the chat is waited for
                ready.set_exception(error)
            else:
                await closing.wait()

    async def wait() -> Chat:
        return await ready

    async def close() -> None:
        closing.set()
        await holder

    holder = loop.create_task(hold())
    try:
        yield runner.run(wait())
    finally:
        runner.run(close())


async def _open(settings: Settings, stack: AsyncExitStack) -> Chat:
    broker = await stack.enter_async_context(assembly.open(settings))
    return await stack.enter_async_context(assembly.open_chat(settings, broker))


async def _turn(chat: Chat, messages: list[dict[str, Any]], shown: Transcript, context: CallContext) -> Done:
    last: Event | None = None
    async with aclosing(chat.run(messages, context=context)) as events:
        async for event in events:
            shown.show(event)
            last = event
    assert isinstance(last, Done), "a run ends with Done"
    return last


def _lines() -> Iterator[str]:
    """What the user types: edited and remembered on a terminal, line by line from a pipe."""
    if not sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    import readline  # noqa: F401 - input() edits with it once it is imported

    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            typer.echo(err=True)
            return
        except KeyboardInterrupt:
            typer.echo("\nbroker: Ctrl-D ends the conversation", err=True)
            continue
        if line:
            yield line


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}
