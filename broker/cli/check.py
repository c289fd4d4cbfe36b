"""`broker check`: what providers and models will stumble over, before they do."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.flags import ServiceFlags, takes_service_flags

if TYPE_CHECKING:
    from broker.catalog.check import Report

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@takes_service_flags
def check(
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="localhost:50051, a .proto, a protoset (.binpb) or a broker.yaml."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Findings and costs, as JSON.")] = False,
    service: ServiceFlags,
) -> None:
    """Look at all tools as each provider will, and say what to mend.

    broker check weather.proto

    Exit status 1 when there are errors: what a provider refuses, or a method that became no tool.
    """
    import asyncio

    from broker.catalog.check import Severity
    from broker.catalog.check import check as check_catalog
    from broker.catalog.tokens import token_counter
    from broker.cli import output
    from broker.cli.service import settings_of
    from broker.cli.tools import load_catalog

    settings = settings_of([] if sources is None else sources, service)
    catalog = asyncio.run(load_catalog(settings, service.max_time))
    report = check_catalog(catalog, token_counter())
    if json:
        output.show_json(asdict(report))
    elif output.on_terminal():
        _show_tables(report)
    else:
        _show_lines(report)
    if not json:
        typer.echo(f"broker: {_summary(report)}", err=True)
    if report.count(Severity.ERROR):
        raise typer.Exit(1)


def _summary(report: "Report") -> str:
    from broker.catalog.check import Severity
    from broker.schema.profiles import PROFILES

    counts = ", ".join(f"{report.count(severity)} {severity}(s)" for severity in Severity)
    totals = ", ".join(f"{report.total(profile):,} `{profile}`" for profile in PROFILES)
    return f"{len(report.costs)} tool(s): {counts}; tokens: {totals}, {report.counted}"


def _show_lines(report: "Report") -> None:
    from broker.cli.output import one_line

    for finding in report.findings:
        tool = "" if finding.tool is None else one_line(finding.tool)
        typer.echo("\t".join((finding.severity, tool, one_line(finding.what, 400), finding.cure)))


def _show_tables(report: "Report") -> None:
    from rich.table import Table
    from rich.text import Text

    from broker.cli.output import console, harmless
    from broker.schema.profiles import PROFILES

    findings = Table("", "tool", "what", "cure", show_lines=True)
    for finding in report.findings:
        tool = Text("all" if finding.tool is None else harmless(finding.tool), overflow="fold")
        word = Text(finding.severity, style=_COLOURS[finding.severity])
        findings.add_row(word, tool, harmless(finding.what), finding.cure)
    costs = Table("tokens of", *PROFILES)
    for cost in sorted(report.costs, key=lambda cost: -max(cost.tokens.values())):
        numbers = (f"{cost.tokens[profile]:,}" if profile in cost.tokens else "" for profile in PROFILES)
        costs.add_row(Text(cost.tool, style="bold", overflow="fold"), *numbers)
    if report.findings:
        console().print(findings)
    console().print(costs)
