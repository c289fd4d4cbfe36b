import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark import ParameterSet
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from broker.config import loading
from broker.config.problems import quoted
from broker.config.settings import BackendSettings, DescriptorSettings, Settings, TlsSettings, ToolSettings
from broker.config.values import is_public
from broker.errors import ConfigError
from broker.tool import Retry, Unknown

GOOD = """
model:
  driver: chat-completions
  base_url: "https://models.lan/v1"
  name: ${MODEL:-gpt}
  api_key: ${KEY}
  max_output_tokens: ${TOKENS}
server:   {grpc: "127.0.0.1:50050"}
backends:
  weather:
    target: "localhost:50051"
    plaintext: true
    descriptors: {protos: ["weather/v1/weather.proto"], import_paths: [protos]}
  stocks:  {target: "dns:///stocks.tools:443", descriptors: reflection, prefix: acme, tls: {ca: ca.pem}}
tools:
  "weather.v1.*":                     {timeout: 1.5s}
  "mail.v1.MailService.SendEmail":    {approval: required}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds the files that the configurations below speak of, and is the working directory."""
    (tmp_path / "protos/weather/v1").mkdir(parents=True)
    for name in ("protos/weather/v1/weather.proto", "ca.pem", "cert.pem", "key.pem", "all.binpb", "a.proto"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, **env: str) -> Settings:
    Path("broker.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    return loading.load("broker.yaml", env=env)


def refused(text: str, **env: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, **env)
    return str(caught.value).splitlines()


def test_the_example_of_the_design_is_understood(folder: Path) -> None:
    loaded = load(GOOD, KEY="sk-1", TOKENS="800")

    assert loaded.model.name == "gpt"
    assert loaded.model.base_url == "https://models.lan/v1"
    assert loaded.model.api_key == SecretStr("sk-1")
    assert loaded.model.max_output_tokens == 800
    assert loaded.backends["weather"].descriptors.import_paths == (folder / "protos",)
    assert loaded.backends["weather"].descriptors.protos == ("weather/v1/weather.proto",)
    assert loaded.backends["stocks"].descriptors == DescriptorSettings(reflection=True)
    assert loaded.backends["stocks"].tls.ca == folder / "ca.pem"
    assert loaded.tools["weather.v1.*"].timeout == 1.5


@pytest.mark.parametrize(
    "text", ["", "# nothing", "---\n", "{}", "server:\nbackends:\ntools:\n", "model: {name: }"]
)
def test_a_key_without_a_value_is_not_given(folder: Path, text: str) -> None:
    assert load(text).model_dump() == Settings().model_dump()


def test_paths_are_relative_to_the_file_and_not_to_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "broker.yaml").write_text("backends: {a: {target: 'a:1', descriptors: {protos: [a.proto]}}}")
    monkeypatch.chdir("/")

    descriptors = loading.load(folder / "broker.yaml").backends["a"].descriptors

    assert descriptors.import_paths == (folder,)
    assert descriptors.protos == ("a.proto",)


BAD = Path(__file__).with_name("bad_configs.txt")


def _blocks(path: Path) -> Iterator[ParameterSet]:
    """`=== name`, a file, `>>>`, the lines that it is refused with."""
    for block in path.read_text(encoding="utf-8").split("=== ")[1:]:
        name, _, rest = block.partition("\n")
        text, _, lines = rest.partition("\n>>>\n")
        yield pytest.param(text, lines.strip().splitlines(), id=name)


@pytest.mark.parametrize(("text", "lines"), list(_blocks(BAD)))
def test_what_is_wrong_is_told_with_its_place_and_its_cure(folder: Path, text: str, lines: list[str]) -> None:
    assert refused(text) == lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n\tb: 1", "broker.yaml:2:1: is not YAML: found character '\\t' that cannot start any token"),
        ("a: 1\nb: \x01", "broker.yaml:2:1: is not YAML: the character U+0001 is not allowed"),
        ("a: " + "[" * 5000, "broker.yaml:1:36: is not YAML: nested more than 32 deep"),
    ],
    ids=["tab", "control character", "deep"],
)
def test_text_that_is_not_yaml_is_told_with_its_line(folder: Path, text: str, line: str) -> None:
    assert refused(text) == [line]


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("", 'it is empty or holds odd characters; write it like "localhost:50051"'),
        ("a b:1\n", 'it is empty or holds odd characters; write it like "localhost:50051"'),
        ("a b:1", "it must be a host and a port"),
        ("localhost", 'it has no port; write it like "localhost:50051"'),
        ("http://localhost:50051", 'gRPC knows no scheme "http://"; leave it out, and write the port'),
        ("grpc://localhost:50051", 'gRPC knows no scheme "grpc://"; leave it out, and write the port'),
        ("localhost:50051/path", "it must be a host and a port"),
        ("localhost:0", "its port must be between 1 and 65535"),
        ("localhost:65536", "its port must be between 1 and 65535"),
        ("dns:///stocks:123456", "its port must be between 1 and 65535"),
        ("ipv4:10.0.0.1:1,10.0.0.2:99999", "its port must be between 1 and 65535"),
        ("::1:50051", 'an IPv6 address needs brackets, like "[::1]:50051"'),
        ("unix:", "nothing follows its scheme"),
        ("xds:///", "nothing follows its scheme"),
    ],
)
def test_a_target_that_grpc_would_not_take_is_refused(folder: Path, target: str, problem: str) -> None:
    text = f"backends: {{a: {{descriptors: reflection, target: {quoted(target)}}}}}"

    (line,) = refused(text)

    assert line == f"broker.yaml:1:41: backends.a.target: {quoted(target)} is not a gRPC target: {problem}"


@pytest.mark.parametrize(
    "target",
    [
        "localhost:50051",
        "[::1]:50051",
        "stocks.tools:443",
        "dns:///stocks.tools",
        "dns://8.8.8.8/stocks.tools:443",
        "dns:stocks:1",
        "ipv4:10.0.0.1:1,10.0.0.2:2",
        "ipv6:[::1]:1",
        "unix:/run/mail.sock",
        "unix:///run/mail.sock",
        "unix-abstract:mail",
        "xds:///stocks",
    ],
)
def test_a_target_that_grpc_takes_is_taken(target: str) -> None:
    values: dict[str, Any] = {"target": target, "descriptors": "reflection"}

    assert BackendSettings.model_validate(values).target == target


@pytest.mark.parametrize(
    ("listener", "problem"),
    [
        ("", "it must be a host and a port"),
        (":50050", "it must be a host and a port"),
        ("localhost", 'it has no port; write it like "localhost:50051"'),
        ("127.0.0.1:70000", "its port must be between 0 and 65535"),
        ("::1:50050", 'an IPv6 address needs brackets, like "[::1]:50051"'),
        ("unix:", "it has no path"),
    ],
)
def test_an_address_that_cannot_be_listened_at_is_refused(folder: Path, listener: str, problem: str) -> None:
    (line,) = refused(f'server: {{grpc: "{listener}"}}')

    assert line == f'broker.yaml:1:10: server.grpc: "{listener}" is not an address to listen at: {problem}'


@pytest.mark.parametrize(
    ("listener", "public"),
    [
        ("127.0.0.1:0", False),
        ("127.8.8.8:1", False),
        ("localhost:1", False),
        ("[::1]:1", False),
        ("unix:/run/broker.sock", False),
        ("0.0.0.0:1", True),
        ("[::]:1", True),
        ("10.0.0.1:1", True),
        ("localhost.example:1", True),
    ],
)
def test_only_loopback_and_unix_sockets_are_not_public(listener: str, public: bool) -> None:
    assert is_public(listener) is public


@pytest.mark.parametrize("extra", ["insecure: true", "tls: {cert: cert.pem, key: key.pem}"])
def test_a_public_listener_is_taken_with_tls_or_when_it_is_meant(folder: Path, extra: str) -> None:
    assert load(f'server: {{grpc: "0.0.0.0:50050", {extra}}}').server.grpc == "0.0.0.0:50050"


@pytest.mark.parametrize(
    ("backend", "where", "problem"),
    [
        (
            "tls: {ca: no.pem}",
            "1:37: backends.a.tls.ca",
            'the file "no.pem" does not exist; paths begin at "FOLDER"',
        ),
        ("tls: {ca: protos}", "1:37: backends.a.tls.ca", '"protos" is not a file'),
        (
            "descriptors: {protoset: no.binpb}",
            "1:45: backends.a.descriptors.protoset",
            'the file "no.binpb" does not exist; paths begin at "FOLDER"',
        ),
        (
            "descriptors: {import_paths: [nowhere], protos: [a.proto]}",
            "1:60: backends.a.descriptors.import_paths[0]",
            'the folder "nowhere" does not exist; paths begin at "FOLDER"',
        ),
        (
            "descriptors: {import_paths: [ca.pem], protos: [a.proto]}",
            "1:60: backends.a.descriptors.import_paths[0]",
            '"ca.pem" is not a folder',
        ),
        (
            "descriptors: {import_paths: [protos], protos: [weather/v1/weather.proto, a.proto]}",
            "1:104: backends.a.descriptors.protos[1]",
            'the file "a.proto" does not exist in "FOLDER/protos"; name it as `import` would',
        ),
        (
            'descriptors: {protos: [""]}',
            "1:54: backends.a.descriptors.protos[0]",
            "is empty; name a .proto file",
        ),
        (
            f"descriptors: {{protos: [{'x' * 300}.proto]}}",
            "1:54: backends.a.descriptors.protos[0]",
            f'the file "{"x" * 120}..." does not exist in "FOLDER"; name it as `import` would',
        ),
    ],
)
def test_a_file_that_is_not_there_is_named_with_its_line(
    folder: Path, backend: str, where: str, problem: str
) -> None:
    other = "" if "descriptors" in backend else ", descriptors: reflection"

    (line,) = refused(f"backends: {{a: {{target: 'a:1', {backend}{other}}}}}")

    assert line == f"broker.yaml:{where}: {problem.replace('FOLDER', str(folder))}"


def test_settings_that_come_from_no_file_look_for_no_files() -> None:
    tls = TlsSettings(ca=Path("nowhere.pem"))

    assert tls.ca == Path("nowhere.pem")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${NAME}", "x: [1]"),
        ("a-${NAME}-b", "a-x: [1]-b"),
        ("${UNSET:-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY}", ""),
        ("${NAME:-d}", "x: [1]"),
        ("$${NAME}", "${NAME}"),
        ("$NAME $ {}", "$NAME $ {}"),
        ("${UNSET:-a:-b}", "a:-b"),
    ],
)
def test_a_reference_stands_for_the_variable_and_nothing_else(folder: Path, text: str, value: str) -> None:
    assert load(f'model: {{name: "{text}"}}', NAME="x: [1]", EMPTY="").model.name == value


def test_a_reference_is_expanded_once(folder: Path) -> None:
    assert load('model: {name: "${A}"}', A="${B}", B="b").model.name == "${B}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${NOPE}", "the variable NOPE is not set; set it, or write ${NOPE:-default}"),
        ("${", '"${" begins a reference like ${NAME} or ${NAME:-default}; or write "$${"'),
        ("${1A}", '"${" begins a reference like ${NAME} or ${NAME:-default}; or write "$${"'),
        ("${A-b}", '"${" begins a reference like ${NAME} or ${NAME:-default}; or write "$${"'),
    ],
)
def test_a_reference_that_stands_for_nothing_is_refused(folder: Path, text: str, problem: str) -> None:
    assert refused(f'chat:\n  system: "{text}"') == [f"broker.yaml:2:3: chat.system: {problem}"]


SECRET = "sk-5ecret"


@pytest.mark.parametrize(
    "text",
    [
        'model: {driver: "${KEY}"}',
        'model: {base_url: "${KEY}"}',
        'model: {temperature: "${KEY}"}',
        'tools: {a: {timeout: "${KEY}", hidden: "${KEY}"}}',
        'server: {grpc: "${KEY}"}',
        "server: {grpc: '${KEY}.example:1'}",
        "backends: {a: {target: '${KEY}', prefix: '.${KEY}', descriptors: '${KEY}'}}",
        "backends: {a: {target: 'a:1', tls: {ca: '${KEY}'}, descriptors: {protos: ['${KEY}']}}}",
        "backends: {a: {target: 'a:1', metadata: {a: \"${KEY}\\n\"}, descriptors: reflection}}",
        "model: {api_key: [sk-5ecret]}",
        "model: {api_key: sk-5ecret",
        "backends: {a: {target: 'a:1', metadata: {a: [sk-5ecret]}, descriptors: reflection}}",
    ],
)
def test_a_secret_is_in_no_message(folder: Path, text: str) -> None:
    assert not [line for line in refused(text, KEY=SECRET) if SECRET in line]


def test_a_secret_is_not_shown_with_the_settings(folder: Path) -> None:
    loaded = load(
        "model: {api_key: '${KEY}'}\n"
        "backends: {a: {target: 'a:1', descriptors: reflection, metadata: {authorization: 'Bearer ${KEY}'}}}",
        KEY=SECRET,
    )

    assert SECRET not in repr(loaded)


def test_an_alias_stands_for_its_anchor_and_a_merge_for_what_is_not_given(folder: Path) -> None:
    loaded = load("""
        tools:
          a: &slow {timeout: 60s, retry: never, unknown: drop}
          b: *slow
          c: {timeout: 1s, <<: *slow}
          d: {<<: [{timeout: 2s}, *slow]}
        """)

    assert loaded.tools["b"] == loaded.tools["a"]
    assert loaded.tools["c"] == ToolSettings(timeout=1, retry=Retry.NEVER, unknown=Unknown.DROP)
    assert loaded.tools["d"] == ToolSettings(timeout=2, retry=Retry.NEVER, unknown=Unknown.DROP)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: &a {<<: *a}",
    ],
    ids=["billion laughs", "a list within itself", "a mapping within itself", "a merge of itself"],
)
def test_aliases_that_unfold_without_end_are_refused(folder: Path, text: str) -> None:
    (line,) = refused(text)

    assert line.endswith("is not YAML: more than 50,000 values, counting those that aliases stand for")


def test_no_more_than_twenty_problems_are_told(folder: Path) -> None:
    lines = refused("tools:\n" + "".join(f"  t{number}: {{x: 1}}\n" for number in range(30)))

    assert len(lines) == 21
    assert lines[-1] == "broker.yaml: and 10 more"


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml: cannot be read: No such file or directory$"):
        loading.load("nowhere.yaml")
    with pytest.raises(ConfigError, match=r"^protos: cannot be read: Is a directory$"):
        loading.load("protos")


def test_a_file_without_end_is_refused_after_a_megabyte() -> None:
    with pytest.raises(ConfigError, match=r"^/dev/zero: is larger than 1,000,000 bytes"):
        loading.load("/dev/zero")


def test_a_file_in_another_encoding_is_refused_with_its_line(folder: Path) -> None:
    (folder / "broker.yaml").write_bytes(b"chat:\n  system: \xff\n")

    with pytest.raises(ConfigError, match=r"^broker\.yaml:2: is not UTF-8 text; save it as UTF-8$"):
        loading.load("broker.yaml")


def test_a_byte_order_mark_is_overlooked(folder: Path) -> None:
    (folder / "broker.yaml").write_bytes(b"\xef\xbb\xbfchat: {max_turns: 3}")

    assert loading.load("broker.yaml").chat.max_turns == 3


def test_what_flags_say_is_refused_without_a_place(folder: Path) -> None:
    backend = {"target": "a:1", "descriptors": {"protoset": "no.binpb"}, "connect_timeout": -1}

    with pytest.raises(ConfigError) as caught:
        loading.from_values({"backends": {"a": backend}}, base=folder)

    assert str(caught.value).splitlines() == [
        f'protoset: the file "no.binpb" does not exist; paths begin at "{folder}"',
        "connect_timeout: must be greater than 0",
    ]


def test_what_flags_say_becomes_settings(folder: Path) -> None:
    backend = {"target": "a:1", "descriptors": {"protoset": "all.binpb"}}

    loaded = loading.from_values({"backends": {"a": backend}}, base=folder)

    assert loaded.backends["a"].descriptors.protoset == folder / "all.binpb"


_words = st.sampled_from(
    [
        "model",
        "server",
        "backends",
        "tools",
        "chat",
        "a",
        "target",
        "descriptors",
        "protos",
        "tls",
        "timeout",
        "2s",
    ]
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=9) | _words
_values = st.recursive(
    _scalars,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(_words | st.integers(), each, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        _values.map(lambda value: yaml.safe_dump(value, allow_unicode=True)),
        st.text(st.characters(codec="utf-8"), max_size=60),
    )
)
def test_any_text_gives_settings_or_lines_that_begin_with_the_file(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")

    problems: list[str] = []
    try:
        loading.load(path, env={})
    except ConfigError as error:
        problems = str(error).splitlines()

    assert all(line.startswith(f"{path}:") for line in problems)
