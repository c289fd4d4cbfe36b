"""Calls that wait for approval → what the user decides about each, with the exact request in view."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import typer

from broker.chat.decisions import Approve, Decision, Reject
from broker.chat.events import ApprovalNeeded
from broker.cli import editor, keyboard, output
from broker.cli.keyboard import Undecided
from broker.dispatch import Broker
from broker.tool import CallContext, ToolResult

_QUESTION = "[y]es / [n]o / [e]dit / say why not: "


def decide(waiting: Sequence[ApprovalNeeded], broker: Broker) -> list[Decision]:
    """One decision for each call, asked for one after the other. Raises Undecided unless all have one."""
    try:
        return [_decide(each, broker) for each in waiting]
    except KeyboardInterrupt:  # while a request was shown, or between the question and the answer
        typer.echo(err=True)
        raise Undecided from None


def _decide(asked: ApprovalNeeded, broker: Broker) -> Decision:
    request, arguments = asked.request, None
    while True:
        _show(asked, request)
        answer = _answer()
        match answer.lower():
            case "y" | "yes":
                return Approve(call_id=asked.call.id, arguments=arguments)
            case "n" | "no":
                return Reject(call_id=asked.call.id)
            case "e" | "edit":
                request, arguments = _edited(asked, request, arguments, broker)
            case _:
                return Reject(call_id=asked.call.id, message=answer)


def _show(asked: ApprovalNeeded, request: str) -> None:
    name, method, backend = map(output.one_line, (asked.call.name, asked.full_name, asked.backend))
    output.tell(f"? {name} waits for approval", "yellow", sys.stderr)
    typer.echo(f"  method   {method}\n  backend  {backend}\n  request  ", err=True, nl=False)
    typer.echo(output.exact(output.indented(request)).replace("\n", "\n  "), err=True)


def _answer() -> str:
    """What is not understood is asked again: one letter may be a key that was missed."""
    while True:
        answer = keyboard.ask(_QUESTION)
        if len(answer) > 1 or answer.lower() in {"y", "n", "e"}:
            return answer


def _edited(
    asked: ApprovalNeeded, request: str, arguments: str | None, broker: Broker
) -> tuple[str, str | None]:
    """The request that would be sent now, and the arguments that make it; None: the model's own."""
    text = editor.edit(output.indented(request))
    if text is None:
        return request, arguments
    prepared = broker.read(replace(asked.call, arguments=text), CallContext())
    if isinstance(prepared, ToolResult):
        typer.echo(f"broker: {output.harmless(prepared.content)}", err=True)
        return request, arguments
    edited = broker.catalog.request_json(prepared)
    return edited, None if edited == asked.request else text
