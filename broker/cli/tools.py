"""`broker tools`: what a model will see of a service."""

from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.flags import ServiceFlags, takes_service_flags

if TYPE_CHECKING:
    from broker.catalog.catalog import Catalog
    from broker.config.settings import Settings


@takes_service_flags
def tools(
    *,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="localhost:50051, a .proto, a protoset (.binpb) or a broker.yaml."
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="The form that --json has: openai, openai-strict, mcp, anthropic, gemini.")
    ] = "openai",
    json: Annotated[bool, typer.Option("--json", help="The definitions, as JSON.")] = False,
    service: ServiceFlags,
) -> None:
    """Show what a model will see: the tools that a service becomes.

    broker tools weather.proto

    broker tools localhost:50051 -plaintext --json
    """
    import asyncio

    from broker.cli import output
    from broker.cli.service import settings_of

    settings = settings_of([] if sources is None else sources, service)
    _check_profile(profile)
    catalog = asyncio.run(load_catalog(settings, service.max_time))
    shown = profile if json else "openai"
    definitions = catalog.tools(shown)
    tell_left_out(catalog, shown)
    if json:
        output.show_json(definitions)
    else:
        output.show_tools(definitions)


async def load_catalog(settings: "Settings", max_time: float | None) -> "Catalog":
    """The tools of the settings; exits when that takes longer than `-max-time`."""
    from broker import assembly
    from broker.cli.waiting import bounded
    from broker.config.loading import placed

    async with bounded(max_time):
        with placed(settings):
            return assembly.build_catalog(settings, await assembly.load_descriptors(settings.backends))


def tell_left_out(catalog: "Catalog", profile: str) -> None:
    """A line on stderr for each method that is exposed and not offered in the profile."""
    from broker.cli import output

    for backend, full_name, reason in catalog.not_offered(profile):
        method = f"{output.one_line(full_name)} of {output.one_line(backend)}"
        typer.echo(f"broker: {method} is not offered: {output.one_line(reason, 400)}", err=True)


def _check_profile(profile: str) -> None:
    from broker.config.problems import nearest, quoted
    from broker.errors import ConfigError
    from broker.schema.profiles import PROFILES

    if profile not in PROFILES:
        raise ConfigError(f"--profile: {quoted(profile)} is not known; {nearest(profile, PROFILES)}")
