"""`broker chat`: a question, or a conversation, with a model that calls the tools."""

import os
from typing import Annotated

import typer

from broker.cli.flags import ServiceFlags, takes_service_flags


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
    json: Annotated[bool, typer.Option("--json", help="One JSON event on each line.")] = False,
    service: ServiceFlags,
) -> None:
    """Ask a model that may call the tools; its calls are shown as they happen.

    broker chat localhost:50051 -plaintext "What is the weather in Paris?"

    Without OPENAI_API_KEY, a rule-based stand-in answers. Ctrl-C ends a turn, Ctrl-D the conversation.
    """
    from broker.cli import conversation
    from broker.cli.model import introduction, model_values
    from broker.cli.service import changed, settings_of, take_target
    from broker.cli.transcript import transcript

    given = [] if arguments is None else arguments
    settings = settings_of(take_target(given), service)
    settings = changed(settings, model=model_values(settings, os.environ, name=model, base_url=base_url))
    typer.echo(f"broker: {introduction(settings.model)}", err=True)
    shown = transcript(json=json)
    if given:
        conversation.ask(settings, " ".join(given), shown, service)
    else:
        conversation.converse(settings, shown, service)
