"""The flags that say which service is meant and how it is reached, under the names that grpcurl gives them.

Source: https://github.com/fullstorydev/grpcurl/blob/master/cmd/grpcurl/grpcurl.go
"""

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from typer import Option

_LONG_FLAG = re.compile(r"-([a-z][a-z0-9-]+(=.*)?)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ServiceFlags:
    """What was given; None and () stand for what was not."""

    config: Annotated[
        Path | None,
        Option("--config", "-c", metavar="FILE", help="A broker.yaml; ./broker.yaml when it exists."),
    ] = None
    target: Annotated[str | None, Option(metavar="HOST:PORT", help="The service's address.")] = None
    proto: Annotated[
        list[str],
        Option("--proto", metavar="FILE", help="A .proto file, instead of reflection; may be repeated."),
    ] = field(default_factory=list)
    import_path: Annotated[
        list[str],
        Option(
            "--import-path", "-I", metavar="DIR", help="Where .proto files and imports are; may be repeated."
        ),
    ] = field(default_factory=list)
    protoset: Annotated[
        list[str], Option("--protoset", metavar="FILE", help="A FileDescriptorSet, instead of reflection.")
    ] = field(default_factory=list)
    plaintext: Annotated[bool, Option("--plaintext", help="No TLS.")] = False
    insecure: Annotated[bool, Option("--insecure", hidden=True)] = False
    cacert: Annotated[
        str | None, Option("--cacert", metavar="FILE", help="The authorities to trust, as PEM.")
    ] = None
    cert: Annotated[str | None, Option("--cert", metavar="FILE", help="Our own certificate, as PEM.")] = None
    key: Annotated[str | None, Option("--key", metavar="FILE", help="Its private key, as PEM.")] = None
    authority: Annotated[
        str | None, Option("--authority", metavar="NAME", help="The :authority of each call.")
    ] = None
    servername: Annotated[
        str | None,
        Option("--servername", metavar="NAME", help="The name to find in the service's certificate."),
    ] = None
    header: Annotated[
        list[str],
        Option(
            "-H", "--header", metavar="'KEY: VALUE'", help="Metadata; ${ENV} is expanded; may be repeated."
        ),
    ] = field(default_factory=list)
    max_time: Annotated[
        float | None, Option("--max-time", metavar="SECONDS", min=0, help="How long all of it may take.")
    ] = None
    connect_timeout: Annotated[
        float | None, Option("--connect-timeout", metavar="SECONDS", help="How long reflection may take.")
    ] = None
    max_msg_sz: Annotated[
        int | None, Option("--max-msg-sz", metavar="BYTES", help="The largest request or response.")
    ] = None
    keepalive_time: Annotated[
        float | None,
        Option("--keepalive-time", metavar="SECONDS", help="After how much silence to ask for life."),
    ] = None
    verbose: Annotated[
        bool, Option("--verbose", "-v", help="Log each call to stderr, with its arguments.")
    ] = False

    def given(self, names: Sequence[str]) -> list[str]:
        """Those of the named flags that were given, as they are written: `["-plaintext"]`."""
        return [
            f"-{name.replace('_', '-')}" for name in names if getattr(self, name) not in (None, False, [])
        ]


def takes_service_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command all of ServiceFlags, and hands them to it as its argument `service`.

    Typer reads a command's flags from its signature, and three commands share these.
    """
    own = [each for each in inspect.signature(command).parameters.values() if each.name != "service"]
    shared = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=each.type,
            default=[] if each.default is MISSING else each.default,
        )
        for each in fields(ServiceFlags)
    ]

    @functools.wraps(command)
    def with_service(**given: Any) -> None:
        service = ServiceFlags(**{each.name: given.pop(each.name) for each in shared})
        command(service=service, **given)

    with_service.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    return with_service


def two_dashes(arguments: Sequence[str]) -> list[str]:
    """Writes `-plaintext` as `--plaintext`: like grpcurl, we take both.

    >>> two_dashes(["tools", "-plaintext", "-max-time=5", "-v", "-I", "-", "--", "-prompt"])
    ['tools', '--plaintext', '--max-time=5', '-v', '-I', '-', '--', '-prompt']
    """
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return [
        _LONG_FLAG.sub(r"--\1", each) if _LONG_FLAG.fullmatch(each) else each for each in arguments[:end]
    ] + [*arguments[end:]]
