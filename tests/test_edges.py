"""The edge cases of tests/protos/edges, and those made by tests/corpora/edges.py: called on a real server.

Every one of them is also rendered, encoded and decoded in every profile by tests/corpora/test_sample.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from broker import assembly
from broker.config.settings import Settings
from broker.dispatch import Broker
from broker.errors import Code
from broker.schema.encode import Encoder
from broker.schema.profiles import PROFILES, strict_problem
from broker.tool import ToolCall, ToolResult
from tests.corpora import edges
from tests.corpora.messages import Messages, wire
from tests.corpora.providers import parameters_of

Call = Callable[[str, Any], Awaitable[ToolResult]]


class Mirror(grpc.GenericRpcHandler):
    """Answers every method with the bytes of its request."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        self.seen.append(details.method)

        async def answer(request: bytes, context: Any) -> bytes:
            return request

        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture(scope="session")
def protoset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("protosets") / "edges.binpb"
    path.write_bytes(edges.files().SerializeToString())
    return path


@pytest.fixture
async def mirrors() -> AsyncIterator[list[tuple[Mirror, int]]]:
    """Two servers, and their ports."""
    servers, started = [], []
    for _ in range(2):
        mirror, server = Mirror(), grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((mirror,))
        started.append((mirror, server.add_insecure_port("127.0.0.1:0")))
        await server.start()
        servers.append(server)
    yield started
    for server in servers:
        await server.stop(None)


def settings(protoset: Path, **ports: int) -> Settings:
    backends = {
        name: {
            "target": f"127.0.0.1:{port}",
            "plaintext": True,
            "descriptors": {"protoset": protoset},
            "expose": [f"{edges.SERVICE}.*", "Shelter.*"],
            "prefix": name if len(ports) > 1 else None,
        }
        for name, port in ports.items()
    }
    return Settings.model_validate({"backends": backends, "log": {"level": "error"}})


@pytest.fixture
async def broker(protoset: Path, mirrors: list[tuple[Mirror, int]]) -> AsyncIterator[Broker]:
    async with assembly.open(settings(protoset, edges=mirrors[0][1])) as opened:
        yield opened


@pytest.fixture
def call(broker: Broker) -> Call:
    """Calls the method that takes a message."""

    def make(message: str, arguments: Any) -> Awaitable[ToolResult]:
        name = f"edges_Edges_{edges.method_name(message)}"
        return broker.call(ToolCall(id="1", name=name, arguments=json.dumps(arguments)))

    return make


async def test_every_message_comes_back_from_a_server_as_it_was_sent(broker: Broker) -> None:
    async def mirrored(name: str) -> bool:
        tool = broker.catalog.get(name)
        assert tool is not None
        descriptors = broker.catalog.descriptors(tool)
        made = Messages(descriptors, name).make(tool.method.input_type)
        arguments = json.dumps(Encoder(descriptors).compile(tool.method.input_type)(made))
        result = await broker.call(ToolCall(id=name, name=name, arguments=arguments))
        assert not result.is_error, result.content
        return wire(broker.catalog.decoder(tool)(result.content)) == wire(made)

    names = [tool.name for tool in broker.catalog]
    assert len(names) > 150
    assert all(await asyncio.gather(*map(mirrored, names)))


SAME = {
    "through a map": ("edges.recursion.Tree", {"branches": {"a": {"branches": {"b": {"name": "c"}}}}}),
    "through a oneof": (
        "edges.recursion.Expression",
        {"negated": {"negated": {"sum": {"terms": [{"number": 2.0}]}}}},
    ),
    "through a map of oneofs": (
        "edges.recursion.Folder",
        {"entries": {"a": {"folder": {"entries": {"b": {"link": "c"}}}}}},
    ),
    "Python's words": (
        "edges.names.Python",
        {"which": 1, "value": 2, "from": 3, "HasField": 4, "DESCRIPTOR": 5, "self": "s", "class": "c",
         "None": True, "ListFields": ["a"], "SerializeToString": [1], "WhichOneof": {"k": 1},
         "__init__": "i", "__slots__": 6},
    ),
    "Python's words in what is held": (
        "edges.names.Held",
        {"any": {"@type": "type.googleapis.com/edges.names.Python", "SerializeToString": [1], "from": 2},
         "[edges.names.held]": {"CopyFrom": 3}},
    ),
    "JSON Schema's words": (
        "edges.names.JsonSchema",
        {"type": "t", "properties": "p", "required": "r", "items": "i", "enum": "e", "description": "d",
         "additionalProperties": True, "anyOf": {"a": {"format": "f"}}, "format": "x", "pattern": "("},
    ),
    "our own words": (
        "edges.names.OurForms",
        {"value": "v", "request": {"any": [1]}, "entries": {"k": {"key": 1}}},
    ),
    "an alias": ("edges.choices.Closed", {"must": "LEVEL_LOW", "level": "LEVEL_BELOW", "levels": []}),
    "a group": (
        "edges.choices.Grouped",
        {"header": {"name": "a"}, "row": [{"cell": 1}], "picked": {"how": "b"}},
    ),
    "extensions": ("edges.choices.Extended", {"own": "a", "[edges.choices.nick]": "b"}),
    "edition 2024": ("edges.edition.Newest", {"mood": "MOOD_GOOD", "strict": {"id": "a"}, "implicit": 1}),
    "a value alone": ("google.protobuf.Value", {"value": [1.0, None, {"a": "b"}]}),
    "a time alone": ("google.protobuf.Timestamp", {"value": "2024-05-01T12:00:00Z"}),
    "nothing": ("google.protobuf.Empty", {}),
    "the last of 300": ("edges.large.Crowd", {f"member_{edges.MEMBERS - 1}": "9007199254740993"}),
    "the last of 1,000": ("edges.large.Spectrum", {"hue": f"HUE_{edges.VALUES - 1}", "hues": ["HUE_7"]}),
}  # fmt: skip


@pytest.mark.parametrize(("message", "arguments"), SAME.values(), ids=SAME)
async def test_what_a_model_writes_comes_back_in_the_same_words(
    call: Call, message: str, arguments: Any
) -> None:
    result = await call(message, arguments)
    assert not result.is_error, result.content
    assert result.structured is not None
    assert {name: result.structured[name] for name in arguments} == arguments


async def test_odd_json_names_are_read_and_the_names_of_the_proto_are_written(call: Call) -> None:
    arguments = {"@type": "a", "x-y": "b", "with space": "c", "名": "d", '"quoted"': "e", "1": "f"}
    result = await call("edges.names.JsonNames", arguments)
    assert result.structured == dict(zip("abcdef", "abcdef", strict=True))


async def test_a_value_that_a_closed_enum_does_not_have_is_refused(call: Call) -> None:
    result = await call("edges.choices.Closed", {"must": 2})
    assert result.code is Code.INVALID_ARGUMENT
    assert "LEVEL_LOW" in result.content


async def test_two_of_300_members_are_refused_by_name(call: Call) -> None:
    result = await call("edges.large.Crowd", {"member_0": "a", "member_299": "1"})
    assert result.code is Code.INVALID_ARGUMENT
    assert "member_0 and member_299 cannot be given together" in result.content


async def test_a_misspelt_value_of_1000_is_answered_with_the_nearest(call: Call) -> None:
    result = await call("edges.large.Spectrum", {"hue": "HUE_99g"})
    assert result.code is Code.INVALID_ARGUMENT
    assert "HUE_99" in result.content
    assert len(result.content) < 2_048


async def test_a_message_is_read_100_deep_and_no_deeper(call: Call) -> None:
    deepest: Any = {"name": "bottom"}
    for _ in range(edges.DEEP - 1):
        deepest = {"next": deepest}
    assert not (await call("edges.large.Level0", deepest)).is_error
    tree: Any = {"name": "bottom"}
    for _ in range(100):
        tree = {"left": tree}
    assert "nested too deep" in (await call("edges.recursion.Wide", tree)).content


async def test_what_is_required_of_responses_is_not_asked_of_requests(call: Call) -> None:
    result = await call("edges.behaviors.Resource", {"title": "a"})
    assert not result.is_error, result.content


async def test_a_name_that_the_request_gives_beside_a_resource_is_not_asked_for_in_it(call: Call) -> None:
    result = await call(
        "edges.behaviors.CreateBookingRequest", {"booking_id": "a", "booking": {"number": "1"}}
    )
    assert not result.is_error, result.content


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_only_field_on_offer_of_a_oneof_that_is_required_is_required(
    broker: Broker, call: Call, profile: str
) -> None:
    tool = broker.catalog.get("edges_Edges_edges_behaviors_Booking")
    assert tool is not None

    schema = parameters_of(broker.catalog.definition(tool, profile))

    assert "number" in schema["required"]
    assert "code" not in schema["properties"]
    assert not (await call("edges.behaviors.Booking", {"name": "a", "code": "1"})).is_error


async def test_a_service_without_a_package_is_called(broker: Broker) -> None:
    arguments = '{"street": "Elm", "friend": {"street": "Oak"}}'
    result = await broker.call(ToolCall(id="1", name="Shelter_Admit", arguments=arguments))
    assert result.structured == json.loads(arguments)


LIMITS = {
    "edges.large.Crowd": 'the oneof "member" has 300 members; at most 30 are a choice',
    "edges.large.Level0": "it has 100 levels of objects; at most 10 are taken",
    "google.protobuf.Struct": '"value" may hold any value, which a closed schema cannot say',
}


@pytest.mark.parametrize("message", LIMITS)
def test_what_cannot_be_strict_says_which_limit_it_exceeds(broker: Broker, message: str) -> None:
    tool = broker.catalog.get(f"edges_Edges_{edges.method_name(message)}")
    assert tool is not None
    assert strict_problem(tool, broker.catalog.descriptors(tool)) == LIMITS[message]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_thousand_values_are_told_in_words_and_not_listed(broker: Broker, profile: str) -> None:
    tool = broker.catalog.get("edges_Edges_edges_large_Spectrum")
    assert tool is not None
    hue = parameters_of(broker.catalog.definition(tool, profile))["properties"]["hue"]
    assert "enum" not in hue
    assert "HUE_0" in hue["description"]
    assert "more names" in hue["description"]


async def test_one_service_on_two_backends_is_called_on_the_one_that_is_named(
    protoset: Path, mirrors: list[tuple[Mirror, int]]
) -> None:
    (first, one), (second, two) = mirrors
    async with assembly.open(settings(protoset, one=one, two=two)) as opened:
        await opened.call(ToolCall(id="1", name="two_Shelter_Admit", arguments="{}"))
        assert (first.seen, second.seen) == ([], ["/Shelter/Admit"])
        await opened.call(ToolCall(id="2", name="one_Shelter_Admit", arguments="{}"))
        assert (first.seen, second.seen) == (["/Shelter/Admit"], ["/Shelter/Admit"])
