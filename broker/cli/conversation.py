"""What the user asks and decides → turns of the model, one after another."""

import asyncio
import shlex
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer

from broker.chat.decisions import Decision
from broker.chat.events import Done, StopReason
from broker.cli import keyboard, output
from broker.cli.approvals import decide
from broker.cli.call import context
from broker.cli.flags import ServiceFlags
from broker.cli.keyboard import Undecided
from broker.cli.session import Keeping, Session, opened
from broker.cli.transcript import Transcript
from broker.cli.waiting import UNDECIDED, exit_status
from broker.config.settings import Settings
from broker.errors import Code, ConfigError, ModelError, RunError
from broker.tool import CallContext

_GONE = (Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.DATA_LOSS)
"""Why a run can never be taken up again."""


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """How the user speaks with the model."""

    shown: Transcript
    asks: bool
    """Whether there is somebody who can be asked about calls that wait."""
    service: ServiceFlags


def hold(
    settings: Settings, prompt: str | None, keeping: Keeping, decisions: Sequence[Decision], user: Terminal
) -> None:
    """One question and its answer, or without a prompt a conversation.

    A file that was kept is gone on with first, with the decisions on its calls that wait. The exit status is
    UNDECIDED when calls wait on, and that of DEADLINE_EXCEEDED when the time was up.
    """
    until = context(user.service)
    max_time = user.service.max_time
    with asyncio.Runner() as runner, opened(runner, settings, keeping, user.shown, max_time) as session:
        dialogue = Dialogue(runner, session, user, lease=settings.state.lease)
        with _parting(session, keeping):
            done = dialogue.take_up(decisions, until)
            if prompt is not None:
                done = dialogue.ask(prompt, until)
            elif not decisions:
                dialogue.converse(is_kept=keeping.file is not None)
                return
    if done is not None and done.stop_reason is StopReason.TIMEOUT:
        raise typer.Exit(exit_status(Code.DEADLINE_EXCEEDED))


class Dialogue:
    """The user's side of a session. While the user thinks, the event loop stands still."""

    def __init__(self, runner: asyncio.Runner, session: Session, user: Terminal, *, lease: float) -> None:
        self._runner = runner
        self._session = session
        self._user = user
        self._lease = lease

    def take_up(self, decisions: Sequence[Decision], until: CallContext) -> Done | None:
        """Goes on with the turn that was left, if there is one; None: there is none, or it is lost."""
        if self._session.conversation.run is None:
            if decisions:
                raise ConfigError("no call of this conversation waits for a decision")
            return None
        try:
            return self._settled(self._session.take_up(decisions, until, lease=self._lease))
        except RunError as error:
            if decisions or error.code not in _GONE:
                raise
            typer.echo(f"broker: {_lost(error)}", err=True)
            self._runner.run(self._session.forget_run())
            return None

    def ask(self, question: str, until: CallContext) -> Done:
        """A question, and all decisions that it takes until it is answered."""
        return self._settled(self._session.ask(question, until))

    def converse(self, *, is_kept: bool) -> None:
        """Reads a line, runs its turn, and so on."""
        for line in keyboard.lines():
            try:
                self.ask(line, context(self._user.service))
            except KeyboardInterrupt:
                why = f"the turn was cancelled, and its question is forgotten{_open_ends(self._session)}"
                self._forget(f"\nbroker: {why}")
            except ModelError as error:
                if not sys.stdin.isatty():
                    raise
                self._forget(f"broker: {error}")
            except RunError as error:
                if error.code not in _GONE or not self._user.asks:
                    raise
                self._forget(f"broker: {_lost(error)}")
            except Undecided:
                if is_kept or not self._user.asks:
                    raise
                self._forget("broker: nothing that waited was sent, and the question is forgotten")

    def _forget(self, why: str) -> None:
        self._runner.run(self._session.forget_question())
        typer.echo(why, err=True)

    def _settled(self, turn: Coroutine[Any, Any, Done]) -> Done:
        done = self._runner.run(turn)
        while self._session.waiting:
            if not self._user.asks:
                raise Undecided
            decisions = decide(self._session.waiting, self._session.broker)
            done = self._runner.run(self._session.resume(decisions, context(self._user.service)))
        return done


@contextmanager
def _parting(session: Session, keeping: Keeping) -> Iterator[None]:
    """Says how to go on with what is left when the command ends in the middle of a turn."""
    try:
        yield
    except Undecided:
        typer.echo(f"broker: nothing that waits was sent; {_cure(session, keeping)}", err=True)
        raise typer.Exit(UNDECIDED) from None
    except (KeyboardInterrupt, ModelError):
        if keeping.file is not None and session.conversation.run is not None:
            typer.echo(f"broker: {_resume(keeping)} goes on with this turn", err=True)
        elif session.under_way:
            typer.echo(f"broker: the turn was cancelled{_open_ends(session)}", err=True)
        raise


def _open_ends(session: Session) -> str:
    names = sorted({output.one_line(name) for name in session.under_way.values()})
    return f"; what became of {', '.join(names)} is not known" if names else ""


def _lost(error: RunError) -> str:
    return f"the last turn is lost, and its calls may have taken effect: {error}"


def _cure(session: Session, keeping: Keeping) -> str:
    if keeping.file is None:
        return "with --save FILE, it could be decided later"
    ids = [shlex.quote(output.one_line(each.call.id)) for each in session.waiting]
    return f"{_resume(keeping)} asks again, and --approve or --reject decides: {', '.join(ids)}"


def _resume(keeping: Keeping) -> str:
    return f"--resume {shlex.quote(str(keeping.file))}"
