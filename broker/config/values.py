"""The kinds of values that settings are made of: text → lengths of time, targets, listeners, files.

What is said about a value quotes it with `quoted` and shows it in no other way, so that `${ENV}` can be told
as it is written in the file instead of what it stands for.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo

from broker.config.problems import quoted

_DURATION = re.compile(r"(?P<number>\d{1,9}(\.\d{1,9})?)(?P<unit>ms|s|m|h)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Za-z:.%]+\]|[^\s:\[\]/,]+)(:(?P<port>\d+))?", re.ASCII)
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*)://(?P<address>[^/]*)")
_METADATA_KEY = re.compile(r"[0-9a-z_.-]+")


def _to_seconds(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError('must be a length of time, like "500ms", "2s" or "1m"')
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f'{quoted(value)} is not a length of time; write it like "500ms", "2s" or "1m"')
    return float(match["number"]) * _SECONDS[match["unit"]]


Seconds = Annotated[float, BeforeValidator(_to_seconds), Field(gt=0, allow_inf_nan=False)]
"""A length of time: a number of seconds, or text like "500ms", "2s", "1m", "1h"."""


def _check_target(target: str) -> str:
    problem = _target_problem(target)
    if problem is not None:
        raise ValueError(f"{quoted(target)} is not a gRPC target: {problem}")
    return target


def _target_problem(target: str) -> str | None:
    if not target.isprintable() or not target.strip():
        return 'it is empty or holds odd characters; write it like "localhost:50051"'
    scheme, _, rest = target.partition(":")
    # The schemes of https://github.com/grpc/grpc/blob/master/doc/naming.md
    match scheme:
        case "dns":
            return _address_problem(rest.rsplit("/", 1)[-1], port_needed=False)
        case "ipv4" | "ipv6":
            problems = (_address_problem(each, port_needed=False) for each in rest.split(","))
            return next(filter(None, problems), None)
        case "unix" | "unix-abstract" | "vsock" | "xds" | "google-c2p":
            return None if rest.strip("/") else "nothing follows its scheme"
    url = _URL.match(target)
    if url is not None:
        return f'gRPC knows no scheme "{url["scheme"]}://"; leave it out, and write the port'
    return _address_problem(target, port_needed=True)


def _address_problem(address: str, *, port_needed: bool, lowest: int = 1) -> str | None:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        ipv6 = address.count(":") > 1 and "[" not in address
        return (
            'an IPv6 address needs brackets, like "[::1]:50051"' if ipv6 else "it must be a host and a port"
        )
    if match["port"] is None:
        return 'it has no port; write it like "localhost:50051"' if port_needed else None
    if len(match["port"]) > 5 or not lowest <= int(match["port"]) <= 65_535:
        return f"its port must be between {lowest} and 65535"
    return None


Target = Annotated[str, AfterValidator(_check_target)]
"""gRPC's own target string: `localhost:50051`, `dns:///stocks.tools:443`, `unix:/run/mail.sock`."""


def _check_listener(listener: str) -> str:
    if listener.startswith("unix:"):
        problem = None if listener.removeprefix("unix:").strip("/") else "it has no path"
    else:
        problem = _address_problem(listener, port_needed=True, lowest=0)
    if problem is not None:
        raise ValueError(f"{quoted(listener)} is not an address to listen at: {problem}")
    return listener


Listener = Annotated[str, AfterValidator(_check_listener)]
"""`127.0.0.1:50050`, `[::1]:0` or `unix:/run/broker.sock`; port 0 takes a free one."""


def is_public(listener: str) -> bool:
    """Whether others than this machine can reach it; a name that is not an address counts as public.

    >>> is_public("127.0.0.1:50050"), is_public("[::1]:0"), is_public("0.0.0.0:50050"), is_public("broker:1")
    (False, False, True, True)
    """
    if listener.startswith("unix:"):
        return False
    host = listener.rpartition(":")[0].strip("[]")
    try:
        return host != "localhost" and not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def folder(info: ValidationInfo) -> Path | None:
    """The folder that paths are relative to; None: paths are left as they are, and no file is looked for."""
    return None if info.context is None else info.context["folder"]


def _check_file(path: Path, info: ValidationInfo) -> Path:
    return _found(path, info, is_folder=False)


def _check_folder(path: Path, info: ValidationInfo) -> Path:
    return _found(path, info, is_folder=True)


def _found(path: Path, info: ValidationInfo, *, is_folder: bool) -> Path:
    within = folder(info)
    if within is None:
        return path
    place, kind = within / path, "folder" if is_folder else "file"
    if not exists(place):
        raise ValueError(
            f"the {kind} {quoted(str(path))} does not exist; paths begin at {quoted(str(within))}"
        )
    if place.is_dir() is not is_folder:
        raise ValueError(f"{quoted(str(path))} is not a {kind}")
    return place


def exists(path: Path) -> bool:
    """Whether there is something there that we may look at."""
    try:
        return path.exists()
    except OSError:  # no permission, or a name that is too long
        return False


def _within_folder(path: Path, info: ValidationInfo) -> Path:
    within = folder(info)
    return path if within is None else within / path


AnyFile = Annotated[Path, AfterValidator(_within_folder)]
"""A file that need not exist yet."""
ExistingFile = Annotated[Path, AfterValidator(_check_file)]
ExistingFolder = Annotated[Path, AfterValidator(_check_folder)]


def _check_proto(name: str, info: ValidationInfo) -> str:
    if not name:
        raise ValueError("is empty; name a .proto file")
    import_paths = info.data.get("import_paths")
    if folder(info) is None or not import_paths:
        return name
    if not any(exists(path / name) for path in import_paths):
        looked = ", ".join(quoted(str(path)) for path in import_paths)
        raise ValueError(f"the file {quoted(name)} does not exist in {looked}; name it as `import` would")
    return name


def _check_url(url: str) -> str:
    if not re.match(r"https?://[^\s/]+\S*\Z", url):
        raise ValueError(f'{quoted(url)} is not an address; write it like "http://127.0.0.1:8000/v1"')
    return url


Url = Annotated[str, AfterValidator(_check_url)]


def _check_metadata_key(key: str) -> str:
    # https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Custom-Metadata
    if key.startswith("grpc-") or key.endswith("-bin"):
        raise ValueError('metadata that begins with "grpc-" or ends in "-bin" cannot be set here')
    if not _METADATA_KEY.fullmatch(key):
        lower = re.sub(r"[^0-9a-z_.-]+", "-", key.lower())
        raise ValueError(f"{quoted(key)} is not a metadata key; write it like {quoted(lower)}")
    return key


def _check_metadata_value(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x20-\x7e]*", value.get_secret_value()):
        raise ValueError("holds a character that gRPC metadata cannot hold; use printable ASCII")
    return value


MetadataKey = Annotated[str, AfterValidator(_check_metadata_key)]
MetadataValue = Annotated[SecretStr, AfterValidator(_check_metadata_value)]


def _check_backend_name(name: str) -> str:
    if not re.fullmatch(r"[^\s\"']{1,128}", name) or not name.isprintable():
        raise ValueError(f"{quoted(name)} is not a backend's name; use up to 128 characters without spaces")
    return name


def _check_tool_prefix(prefix: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", prefix):
        raise ValueError(f'{quoted(prefix)} is not a prefix; use up to 32 letters, digits, "-" and "_"')
    return prefix


BackendName = Annotated[str, AfterValidator(_check_backend_name)]
ProtoFile = Annotated[str, AfterValidator(_check_proto)]
ToolPrefix = Annotated[str, AfterValidator(_check_tool_prefix)]
