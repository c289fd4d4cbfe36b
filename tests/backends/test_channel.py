import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health, health_pb2

from broker import assembly
from broker.backends.service_config import service_config
from broker.catalog.exposure import Exposed, build
from broker.config.settings import Settings
from broker.descriptors.pool import Descriptors
from broker.errors import Code, ConfigError
from broker.tool import ToolCall
from tests.servers.probe import Probe

ECHO = ToolCall(id="1", name="probe_v1_ProbeService_Echo", arguments='{"text": "a"}')
FLAKY = ToolCall(id="1", name="probe_v1_ProbeService_Flaky", arguments='{"text": "a"}')


class Certificates:
    """An authority of our own, a certificate for the backend and one for the broker, as files."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        server, client = authority.issue_cert("probe.test"), authority.issue_cert("broker.test")
        self.server_key = server.private_key_pem.bytes()
        self.server_chain = server.cert_chain_pems[0].bytes()
        self.key, self.cert = folder / "key.pem", folder / "cert.pem"
        client.private_key_pem.write_to_path(str(self.key))
        client.cert_chain_pems[0].write_to_path(str(self.cert))

    def server(self, *, ask_for_client: bool) -> grpc.ServerCredentials:
        return grpc.ssl_server_credentials(
            [(self.server_key, self.server_chain)],
            root_certificates=self.ca.read_bytes(),
            require_client_auth=ask_for_client,
        )


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.mark.parametrize("ask_for_client", [False, True], ids=["TLS", "mutual TLS"])
async def test_a_backend_is_reached_over_tls_with_a_custom_authority_and_a_client_certificate(
    probe_descriptors: Descriptors,
    settings_for: Callable[..., Settings],
    certificates: Certificates,
    ask_for_client: bool,
) -> None:
    server = Probe(probe_descriptors)
    port = await server.start(certificates.server(ask_for_client=ask_for_client))
    tls: dict[str, Any] = {"ca": certificates.ca, "server_name": "probe.test"}
    if ask_for_client:
        tls |= {"cert": certificates.cert, "key": certificates.key}
    async with assembly.open(settings_for(port, backend={"plaintext": False, "tls": tls})) as broker:
        result = await broker.call(ECHO)
    await server.stop()

    assert not result.is_error, result.content


@pytest.mark.parametrize(
    "tls",
    [
        pytest.param({"server_name": "probe.test"}, id="an authority that is not trusted"),
        pytest.param({"ca": True}, id="a name that is not in the certificate"),
    ],
)
async def test_a_backend_that_cannot_be_trusted_is_not_called(
    probe_descriptors: Descriptors,
    settings_for: Callable[..., Settings],
    certificates: Certificates,
    tls: dict[str, Any],
) -> None:
    server = Probe(probe_descriptors)
    port = await server.start(certificates.server(ask_for_client=False))
    if "ca" in tls:
        tls = {"ca": certificates.ca, "server_name": "other.test"}
    async with assembly.open(settings_for(port, backend={"plaintext": False, "tls": tls})) as broker:
        result = await broker.call(ECHO)
    await server.stop()

    assert result.code is Code.UNAVAILABLE
    assert server.seen == []


async def test_a_pem_file_that_is_missing_is_refused_at_start(
    settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = settings_for(1, backend={"plaintext": False, "tls": {"ca": tmp_path / "none.pem"}})

    with pytest.raises(
        ConfigError, match=r'none.pem" cannot be read: No such file or directory; name a PEM file'
    ):
        async with assembly.open(settings):
            pass


@pytest.mark.parametrize("broken", ["ca", "cert", "key"])
async def test_a_pem_file_that_holds_something_else_is_refused_at_start(
    settings_for: Callable[..., Settings], certificates: Certificates, broken: str
) -> None:
    tls = {"ca": certificates.ca, "cert": certificates.cert, "key": certificates.key}
    tls[broken].write_text("garbage")

    with pytest.raises(ConfigError, match="PEM"):
        async with assembly.open(settings_for(1, backend={"plaintext": False, "tls": tls})):
            pass


async def test_a_reflected_server_cannot_have_its_methods_sent_twice(
    probe: tuple[Probe, int], probe_descriptors: Descriptors
) -> None:
    reflected = Exposed(backend="probe", descriptors=replace(probe_descriptors, trusted=False))

    config = json.loads(service_config(build([reflected], {})))

    assert "methodConfig" not in config


async def test_an_idempotent_method_is_sent_again_when_the_backend_was_unavailable(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    probe[0].failures_left = 2

    async with assembly.open(settings_for(probe[1])) as broker:
        result = await broker.call(FLAKY)

    assert not result.is_error, result.content
    assert probe[0].seen == ["Flaky"] * 3


async def test_retry_never_sends_once(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    probe[0].failures_left = 1

    async with assembly.open(settings_for(probe[1], tools={"*.Flaky": {"retry": "never"}})) as broker:
        result = await broker.call(FLAKY)

    assert result.code is Code.UNAVAILABLE
    assert probe[0].seen == ["Flaky"]


async def test_a_method_that_says_nothing_of_itself_is_never_sent_twice(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    call = ToolCall(id="1", name="probe_v1_ProbeService_Fail", arguments='{"code": 14}')

    async with assembly.open(settings_for(probe[1])) as broker:
        await broker.call(call)
    assert probe[0].seen == ["Fail"]

    async with assembly.open(settings_for(probe[1], tools={"*.Fail": {"retry": "always"}})) as broker:
        await broker.call(call)
    assert probe[0].seen == ["Fail"] * 4


async def test_a_response_over_the_limit_is_a_result(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    big = ToolCall(id="1", name="probe_v1_ProbeService_Echo", arguments=json.dumps({"text": "x" * 3_000}))

    async with assembly.open(settings_for(probe[1], backend={"max_message_bytes": 2_000})) as broker:
        result = await broker.call(big)

    assert result.code is Code.RESOURCE_EXHAUSTED


async def test_a_connection_that_died_in_silence_is_noticed_by_keepalive(
    probe: tuple[Probe, int], settings_for: Callable[..., Settings]
) -> None:
    async with DeafProxy(probe[1]) as proxy:
        keepalive = {"keepalive_time": "1s", "keepalive_timeout": "500ms"}
        async with assembly.open(settings_for(proxy.port, backend=keepalive)) as broker:
            assert not (await broker.call(ECHO)).is_error
            proxy.deaf = True
            result = await broker.call(ECHO)

    assert result.code is Code.UNAVAILABLE, "DEADLINE_EXCEEDED would mean that it was not noticed"


class DeafProxy:
    """Passes bytes on until it is told to be deaf; then it holds the connection and says nothing."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.deaf = False
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "DeafProxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self._writers:
            writer.close()
        self._server.close()
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, there_writer]
        await asyncio.gather(self._pass_on(reader, there_writer), self._pass_on(there_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if not self.deaf:
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass


async def test_a_replica_that_says_not_serving_gets_no_calls_when_health_is_checked(
    probe_descriptors: Descriptors, settings_for: Callable[..., Settings]
) -> None:
    server, health_service = Probe(probe_descriptors), health.aio.HealthServicer()
    await health_service.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    watch = grpc.unary_stream_rpc_method_handler(
        health_service.Watch,
        health_pb2.HealthCheckRequest.FromString,
        health_pb2.HealthCheckResponse.SerializeToString,
    )
    port = await server.start(
        extra=[grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Watch": watch})]
    )
    async with assembly.open(settings_for(port, backend={"health_check": True})) as broker:
        result = await broker.call(ECHO)
    await server.stop()

    assert result.code is Code.UNAVAILABLE
    assert server.seen == []


async def test_the_service_config_allows_retries_for_harmless_methods_only(
    settings_for: Callable[..., Settings],
) -> None:
    async with assembly.open(settings_for(1)) as broker:
        config = json.loads(service_config(broker.catalog))

    (method_config,) = config["methodConfig"]
    assert [name["method"] for name in method_config["name"]] == ["Echo", "Flaky", "Wait"]
    assert "timeout" not in method_config, "grpcio breaks timeouts of the service config"
