"""`broker chat`: a question, or a conversation, with a model that calls the tools."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.flags import ServiceFlags, takes_service_flags

if TYPE_CHECKING:
    from broker.chat.decisions import Approve, Reject
    from broker.cli.session import Keeping


Save = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Keep the conversation in FILE, which must be new.")
]
Resume = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Go on with the conversation in FILE, and keep it there.")
]
Approved = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="With --resume: send this call, which waits; may be repeated."),
]
Rejected = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="With --resume: do not send this call; may be repeated."),
]


@takes_service_flags
def chat(
    *,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[TARGET] [PROMPT]", help="Without PROMPT: a conversation.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model; MODEL when not given.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Its OpenAI-compatible server; OPENAI_BASE_URL when not given."),
    ] = None,
    save: Save = None,
    resume: Resume = None,
    approve: Approved = None,
    reject: Rejected = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON event on each line.")] = False,
    service: ServiceFlags,
) -> None:
    """Ask a model that may call the tools; its calls are shown as they happen.

    broker chat localhost:50051 -plaintext "What is the weather in Paris?"

    Without OPENAI_API_KEY, a rule-based stand-in answers. Ctrl-C ends a turn, Ctrl-D the conversation.

    A call that needs approval is shown as it will be sent, and waits for your answer. Where nobody can be
    asked (a pipe, --json) nothing is sent, and the exit status is 3: with --save FILE, such a call is decided
    later by --resume FILE with --approve or --reject. --resume also goes on after a crash, and tells which
    calls have an unknown outcome; they are not sent again.
    """
    from broker.cli import conversation
    from broker.cli.model import introduction, model_values
    from broker.cli.service import changed, settings_of, take_target
    from broker.cli.transcript import transcript

    keeping = _keeping(save, resume)
    decisions = _decisions(approve, reject, resume)
    given = [] if arguments is None else arguments
    settings = settings_of(take_target(given), service)
    settings = changed(settings, model=model_values(settings, os.environ, name=model, base_url=base_url))
    typer.echo(f"broker: {introduction(settings.model)}", err=True)
    asks = sys.stdin.isatty() and sys.stderr.isatty() and not json
    user = conversation.Terminal(shown=transcript(json=json, asks=asks), asks=asks, service=service)
    conversation.hold(settings, " ".join(given) if given else None, keeping, decisions, user)


def _keeping(save: Path | None, resume: Path | None) -> "Keeping":
    from broker.cli.session import Keeping

    if save is not None and resume is not None:
        raise typer.BadParameter("--resume keeps the conversation where it is; leave out --save")
    return Keeping(file=save) if resume is None else Keeping(file=resume, resumes=True)


def _decisions(
    approve: list[str] | None, reject: list[str] | None, resume: Path | None
) -> "list[Approve | Reject]":
    from broker.chat.decisions import Approve, Reject

    approved = [Approve(call_id=each) for each in approve] if approve is not None else []
    rejected = [Reject(call_id=each) for each in reject] if reject is not None else []
    if (approved or rejected) and resume is None:
        raise typer.BadParameter("--approve and --reject are about a conversation that --resume names")
    return [*approved, *rejected]
