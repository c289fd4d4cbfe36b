"""What a command was given (sources and flags) → settings of a broker."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from broker.cli.flags import ServiceFlags
from broker.config import loading
from broker.config.settings import BackendSettings, LogSettings, Settings
from broker.errors import ConfigError

DEFAULT_CONFIG = Path("broker.yaml")
PROTOSETS = (".binpb", ".pb", ".protoset", ".desc")
CONFIGS = (".yaml", ".yml")
_TARGET = re.compile(r"\S+:\d+|(dns|unix|unix-abstract|ipv4|ipv6|xds):\S+")
# A service that is only looked at has no address, and a backend must have one; nobody ever calls this.
_NOT_CALLED = "dns:///not.called:443"
_OF_CONNECTION = (
    *("plaintext", "cacert", "cert", "key", "authority", "servername"),
    *("connect_timeout", "max_msg_sz", "keepalive_time"),
)


def settings_of(sources: Sequence[str], flags: ServiceFlags, *, unlocked: bool = False) -> Settings:
    """The settings that a config file holds, or those that targets, files and flags amount to.

    `unlocked`: the lockfile that a config file names need not exist yet.

    Raises ConfigError when there is no service, or when what was given does not go together.
    """
    _refuse_insecure(flags)
    file = _config_file(sources, flags)
    settings = _from_flags(sources, flags) if file is None else loading.load(file, unlocked=unlocked)
    headers = _metadata(flags.header) if flags.header else {}
    return changed(
        settings,
        backends={name: _with_metadata(backend, headers) for name, backend in settings.backends.items()},
        log=LogSettings(level="debug" if flags.verbose else "error", format="console"),
    )


def changed(settings: Settings, **values: Any) -> Settings:
    """The same settings with other values, which are checked like all others."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    return loading.from_values({**given, **values}, base=Path()).read_from(settings.file)


def _with_metadata(backend: BackendSettings, more: dict[str, str]) -> dict[str, Any]:
    return {**dict(backend), "metadata": {**backend.metadata, **more}}


def take_target(arguments: list[str]) -> list[str]:
    """Takes a target from the head of a command's arguments, as grpcurl does: `[]`, or a list of it.

    >>> arguments = ["localhost:50051", "weather_v1_WeatherService_GetWeather", '{"name": "北京"}']
    >>> take_target(arguments), len(arguments)
    (['localhost:50051'], 2)
    """
    return [arguments.pop(0)] if arguments and _TARGET.fullmatch(arguments[0]) else []


def _refuse_insecure(flags: ServiceFlags) -> None:
    if flags.insecure:
        fact = "-insecure is not to be had: gRPC for Python cannot leave out the check of a certificate"
        raise ConfigError(f"{fact}; give the authority that signed it with -cacert, or -plaintext for no TLS")


def _config_file(sources: Sequence[str], flags: ServiceFlags) -> Path | None:
    named = [Path(each) for each in sources if each.endswith(CONFIGS)]
    if flags.config is not None:
        named.append(flags.config)
    others = [each for each in sources if not each.endswith(CONFIGS)]
    others += flags.given(("target", "proto", "import_path", "protoset"))
    if not named:
        # What is given by name is meant, whatever file happens to lie here.
        return DEFAULT_CONFIG if not others and DEFAULT_CONFIG.exists() else None
    others += flags.given(_OF_CONNECTION)
    if len(named) > 1 or others:
        also = ", ".join([*map(str, named[1:]), *others])
        raise ConfigError(f"{named[0]} says all about its services, so that {also} cannot be given beside it")
    return named[0]


def _from_flags(sources: Sequence[str], flags: ServiceFlags) -> Settings:
    protosets = [each for each in sources if each.endswith(PROTOSETS)] + flags.protoset
    protos = [each for each in sources if each.endswith(".proto")] + flags.proto
    targets = [each for each in sources if not each.endswith((*PROTOSETS, ".proto"))]
    targets += [] if flags.target is None else [flags.target]
    backends = _backends(targets, _descriptors(protos, protosets, flags.import_path), _connection(flags))
    policy = {} if flags.max_time is None else {"*": {"timeout": flags.max_time}}
    return loading.from_values({"backends": backends, "tools": policy}, base=Path())


def _backends(
    targets: Sequence[str], descriptors: dict[str, dict[str, Any]], connection: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    if not targets and not descriptors:
        raise ConfigError(
            "no service is given; name a target like localhost:50051, a .proto or a broker.yaml"
        )
    if not targets:
        return {
            name: {**connection, "target": _NOT_CALLED, "descriptors": found}
            for name, found in descriptors.items()
        }
    if len(descriptors) > 1 or (descriptors and len(targets) > 1):
        given = ", ".join([*targets, *descriptors])
        raise ConfigError(f"what belongs to what? {given}; give one target at a time, or write a broker.yaml")
    found = next(iter(descriptors.values()), {"reflection": True})
    return {target: {**connection, "target": target, "descriptors": found} for target in targets}


def _descriptors(
    protos: Sequence[str], protosets: Sequence[str], import_paths: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By the name that a backend of them has."""
    found: dict[str, dict[str, Any]] = {Path(each).name: {"protoset": each} for each in protosets}
    if protos:
        roots = [Path(each) for each in import_paths] or sorted({_root(Path(each)) for each in protos})
        names = [_import_name(Path(each), roots) for each in protos]
        found[Path(protos[0]).name] = {"protos": names, "import_paths": roots}
    return found


def _root(proto: Path) -> Path:
    """Where imports begin when nobody says so: here, as with grpcurl; elsewhere, at the file's own folder."""
    return proto.parent if proto.is_absolute() or ".." in proto.parts else Path()


def _import_name(proto: Path, roots: Sequence[Path]) -> str:
    """The name by which `import` would find a file that was given by its path."""
    for root in roots:
        if proto.exists() and proto.absolute().is_relative_to(root.absolute()):
            return str(proto.absolute().relative_to(root.absolute()))
    return str(proto)


def _connection(flags: ServiceFlags) -> dict[str, Any]:
    tls = {"ca": flags.cacert, "cert": flags.cert, "key": flags.key, "server_name": flags.servername}
    given = {
        "plaintext": flags.plaintext,
        "authority": flags.authority,
        "connect_timeout": flags.connect_timeout,
        "max_message_bytes": flags.max_msg_sz,
        "keepalive_time": flags.keepalive_time,
        "tls": {name: value for name, value in tls.items() if value is not None} or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _metadata(headers: Sequence[str]) -> dict[str, str]:
    """`-H 'key: value'` → metadata; the last of one key holds, and `${ENV}` is expanded.

    Raises ConfigError for a header without a colon, or a variable that is not set.
    """
    from broker.config.yaml_file import expand

    found = {}
    for header in headers:
        key, colon, value = header.partition(":")
        if not colon:
            raise ConfigError(f"-H takes 'key: value', and one has no colon; it begins with {key[:8]!r}")
        try:
            found[key.strip().lower()] = expand(value.strip(), os.environ)
        except ValueError as error:
            raise ConfigError(f"-H '{key}: …': {error}") from None
    return found
