import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from broker.cli.flags import ServiceFlags
from broker.cli.service import settings_of
from broker.errors import ConfigError

INSECURE = (
    "-insecure is not to be had: gRPC for Python cannot leave out the check of a certificate; "
    "give the authority that signed it with -cacert, or -plaintext for no TLS"
)


def backend(sources: Sequence[str], **flags: Any) -> Any:
    (only,) = settings_of(sources, ServiceFlags(**flags)).backends.values()
    return only


def refused(sources: Sequence[str], **flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        settings_of(sources, ServiceFlags(**flags))
    return str(caught.value)


@pytest.mark.parametrize("dash", ["-", "--"])
def test_grpcurls_flags_are_taken_with_one_dash_and_with_two(run: Callable[..., Any], dash: str) -> None:
    for name in ("cacert", "cert", "key", "authority", "servername", "proto", "import-path", "protoset"):
        assert run("tools", f"{dash}{name}").err.endswith(f"Error: Option '--{name}' requires an argument.\n")


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("-plaintxt", "--plaintext"),
        ("--plaintxt", "--plaintext"),
        ("-importpath", "--import-path"),
        ("-max-tme=4", "--max-time"),
    ],
)
def test_an_unknown_flag_names_the_nearest(run: Callable[..., Any], flag: str, meant: str) -> None:
    outcome = run("tools", "a:1", flag)

    assert outcome.status == 2
    assert "No such option" in outcome.err
    assert meant in outcome.err


def test_an_unknown_command_names_the_nearest(run: Callable[..., Any]) -> None:
    outcome = run("tol")

    assert outcome.status == 2
    assert "No such command 'tol'. Did you mean 'tools'?" in outcome.err


def test_help_lists_every_command(run: Callable[..., Any]) -> None:
    outcome = run("--help")

    assert outcome.status == 0
    for name in ("tools", "call", "chat", "serve", "stand-in", "protos"):
        assert re.search(rf"^  {name} ", outcome.out, re.MULTILINE)


def test_help_loads_nothing_that_is_slow() -> None:
    code = (
        "import sys; sys.argv = ['broker', '--help']\n"
        "from broker.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules)"
    )
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    slow = {
        "grpc",
        "google.protobuf",
        "openai",
        "yaml",
        "pydantic",
        "rich",
        "starlette",
        "uvicorn",
        "asyncio",
    }
    assert not slow & set(modules)


def test_the_version_is_told(run: Callable[..., Any]) -> None:
    assert re.fullmatch(r"broker \d+\.\d+\.\d+\S*\n", run("--version").out)


def test_a_target_is_reached_as_its_flags_say(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()

    given = backend(
        ["localhost:50051"],
        cacert="ca.pem",
        cert="cert.pem",
        key="key.pem",
        servername="inner",
        authority="outer",
        connect_timeout=1.5,
        max_msg_sz=1000,
        keepalive_time=20.0,
        header=["X-Team: blue: 1"],
    )

    assert given.target == "localhost:50051"
    assert given.descriptors.reflection
    assert given.tls.ca == tmp_path / "ca.pem"
    assert given.tls.cert == tmp_path / "cert.pem"
    assert given.tls.key == tmp_path / "key.pem"
    assert given.tls.server_name == "inner"
    assert given.authority == "outer"
    assert given.connect_timeout == 1.5
    assert given.max_message_bytes == 1000
    assert given.keepalive_time == 20
    assert {key: value.get_secret_value() for key, value in given.metadata.items()} == {"x-team": "blue: 1"}


def test_a_header_may_name_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t0ken")

    given = backend(["a:1"], plaintext=True, header=["Authorization: Bearer ${TOKEN}"])

    assert given.metadata["authorization"].get_secret_value() == "Bearer t0ken"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (
            "Authorization Bearer t0ken",
            "-H takes 'key: value', and one has no colon; it begins with 'Authoriz'",
        ),
        ("a: ${NOPE}", "-H 'a: …': the variable NOPE is not set; set it, or write ${NOPE:-default}"),
        ("a b: c", 'a b: "a b" is not a metadata key; write it like "a-b"'),
        ("a: ü", "a: holds a character that gRPC metadata cannot hold; use printable ASCII"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(header: str, problem: str) -> None:
    assert refused(["a:1"], header=[header]) == problem


def test_descriptors_come_from_files_when_files_are_given(tmp_path: Path) -> None:
    (tmp_path / "protos/weather/v1").mkdir(parents=True)
    (tmp_path / "protos/weather/v1/weather.proto").touch()
    (tmp_path / "all.binpb").touch()
    path = "protos/weather/v1/weather.proto"

    here = backend([path]).descriptors
    rooted = backend(["a:1"], plaintext=True, proto=[path], import_path=["protos"]).descriptors
    elsewhere = backend([str(tmp_path / path)]).descriptors
    protoset = backend(["all.binpb"]).descriptors

    assert (here.protos, here.import_paths) == ((path,), (tmp_path,))
    assert (rooted.protos, rooted.import_paths) == (("weather/v1/weather.proto",), (tmp_path / "protos",))
    assert (elsewhere.protos, elsewhere.import_paths) == (("weather.proto",), ((tmp_path / path).parent,))
    assert protoset.protoset == tmp_path / "all.binpb"


def test_several_targets_are_several_backends() -> None:
    settings = settings_of(["a:1", "b:2"], ServiceFlags(plaintext=True))

    assert {name: each.target for name, each in settings.backends.items()} == {"a:1": "a:1", "b:2": "b:2"}


@pytest.mark.parametrize(
    ("sources", "flags", "problem"),
    [
        ([], {}, "no service is given; name a target like localhost:50051, a .proto or a broker.yaml"),
        (
            ["localhost:99999"],
            {},
            'target: "localhost:99999" is not a gRPC target: its port must be between 1 and 65535',
        ),
        (
            ["wether"],
            {},
            'target: "wether" is not a gRPC target: it has no port; write it like "localhost:50051"',
        ),
        (["no.binpb"], {}, 'protoset: the file "no.binpb" does not exist; paths begin at "FOLDER"'),
        (
            ["no.proto"],
            {},
            'protos: the file "no.proto" does not exist in "FOLDER"; name it as `import` would',
        ),
        (["a:1"], {"cacert": "no.pem"}, 'ca: the file "no.pem" does not exist; paths begin at "FOLDER"'),
        (
            ["a:1"],
            {"insecure": True},
            INSECURE,
        ),
        (
            ["a:1", "b:2", "x.proto"],
            {},
            "what belongs to what? a:1, b:2, x.proto; give one target at a time, or write a broker.yaml",
        ),
        (
            ["broker.yaml", "a:1"],
            {"plaintext": True},
            "broker.yaml says all about its services, so that a:1, -plaintext cannot be given beside it",
        ),
        (
            [],
            {"config": Path("broker.yaml"), "proto": ["x.proto"]},
            "broker.yaml says all about its services, so that -proto cannot be given beside it",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, sources: list[str], flags: dict[str, Any], problem: str
) -> None:
    assert refused(sources, **flags) == problem.replace("FOLDER", str(tmp_path))


def test_the_config_of_this_folder_is_taken_when_nothing_else_is_given(tmp_path: Path) -> None:
    (tmp_path / "broker.yaml").write_text(
        "backends: {stocks: {target: 'stocks:443', descriptors: reflection}}"
    )

    assert list(settings_of([], ServiceFlags()).backends) == ["stocks"]
    assert list(settings_of(["a:1"], ServiceFlags()).backends) == ["a:1"]


def test_headers_and_the_time_are_added_to_a_config(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(
        "backends: {stocks: {target: 'stocks:443', descriptors: reflection, metadata: {team: blue}}}"
    )

    given = backend([], config=Path("my.yaml"), header=["trace: 7"], max_time=3.0)

    assert {key: value.get_secret_value() for key, value in given.metadata.items()} == {
        "team": "blue",
        "trace": "7",
    }
