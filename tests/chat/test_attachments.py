import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

from broker import assembly
from broker.chat.attachments import MAX_CHARACTERS, MAX_IMAGES, Attachments, with_handles
from broker.config.settings import Settings
from broker.dispatch import Broker
from broker.errors import Code
from broker.models.model import ChatMessage
from broker.tool import CallContext, ToolCall, ToolResult

PNG, JPEG = b"\x89PNG", b"\xff\xd8\xff"


def image(data: bytes, media_type: str = "image/png") -> dict[str, object]:
    url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def user(*parts: object) -> ChatMessage:
    return {"role": "user", "content": list(parts)}


CONVERSATION: list[ChatMessage] = [
    {"role": "system", "content": "Be brief."},
    user({"type": "text", "text": "Look"}, image(PNG)),
    {"role": "assistant", "content": "Nice."},
    {
        "role": "tool",
        "tool_call_id": "c",
        "content": [{"type": "text", "text": "{}"}, image(JPEG, "image/jpeg")],
    },
    user({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, image(b"third")),
    {"role": "user", "content": "And now?"},
]


def test_images_are_counted_as_they_come() -> None:
    assert dict(Attachments(CONVERSATION)) == {"image:1": PNG, "image:2": JPEG, "image:3": b"third"}


def test_more_messages_change_no_handle() -> None:
    for length in range(len(CONVERSATION) + 1):
        some = Attachments(CONVERSATION[:length])
        assert some.items() <= Attachments(CONVERSATION).items()
        assert with_handles(CONVERSATION)[:length] == with_handles(CONVERSATION[:length])


def test_the_model_is_told_the_handle_before_each_image() -> None:
    told = with_handles(CONVERSATION)

    assert told[1]["content"] == [
        {"type": "text", "text": "Look"},
        {
            "type": "text",
            "text": 'This image is image:1. To give it to a tool, send "image:1" for a field of bytes.',
        },
        image(PNG),
    ]
    assert [part["type"] for part in told[4]["content"]] == ["image_url", "text", "image_url"]
    assert "image:3" in told[4]["content"][1]["text"]
    assert [told[place] for place in (0, 2, 5)] == [CONVERSATION[place] for place in (0, 2, 5)]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "image_url", "image_url": {"url": "data:text/html;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * MAX_CHARACTERS}},
        {"type": "image_url", "image_url": None},
        {"type": "image_url"},
        {"type": "text", "text": "data:image/png;base64,AAAA"},
        "text",
        None,
    ],
    ids=["file", "no image", "too large", "null", "no address", "text", "string", "nothing"],
)
def test_what_is_no_bounded_image_in_the_message_has_no_handle(part: object) -> None:
    assert len(Attachments([user(part)])) == 0
    assert with_handles([user(part)]) == [user(part)]


def test_images_beyond_the_bound_have_no_handle() -> None:
    messages = [user(*[image(PNG)] * (MAX_IMAGES + 1))]

    assert len(Attachments(messages)) == MAX_IMAGES
    assert len(with_handles(messages)[0]["content"]) == 2 * MAX_IMAGES + 1


def test_an_image_whose_base64_is_unsound_is_not_there() -> None:
    found = Attachments([user({"type": "image_url", "image_url": {"url": "data:image/png;base64,A!"}})])

    assert found.get("image:1") is None


CONTEXT = CallContext(attachments=Attachments(CONVERSATION))


@pytest.fixture
async def scanner(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker before a real service that answers with the pages that it is sent."""
    page = DescriptorProto(name="Page")
    data = page.field.add(name="data", number=1)
    data.type, data.label = FieldDescriptorProto.TYPE_BYTES, FieldDescriptorProto.LABEL_REPEATED
    file = FileDescriptorProto(name="scan.proto", package="scan", syntax="proto3", message_type=[page])
    method = MethodDescriptorProto(name="Scan", input_type=".scan.Page", output_type=".scan.Page")
    file.service.add(name="Scanner", method=[method])
    protoset = tmp_path / "scan.binpb"
    protoset.write_bytes(FileDescriptorSet(file=[file]).SerializeToString())

    async def scan(request: bytes, context: object) -> bytes:
        return request

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, Any] = {"Scan": grpc.unary_unary_rpc_method_handler(scan)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("scan.Scanner", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    backend = {"target": f"127.0.0.1:{port}", "plaintext": True, "descriptors": {"protoset": protoset}}
    settings = Settings.model_validate({"backends": {"scan": backend}, "log": {"level": "error"}})
    async with assembly.open(settings) as opened:
        yield opened
    await server.stop(None)


async def scan(broker: Broker, *data: str, context: CallContext = CONTEXT) -> ToolResult:
    call = ToolCall(id="call_1", name="scan_Scanner_Scan", arguments=json.dumps({"data": data}))
    return await broker.call(call, context)


def pages(result: ToolResult) -> list[bytes]:
    assert result.structured is not None, result.content
    return [base64.b64decode(page) for page in result.structured["data"]]


async def test_a_handle_in_a_bytes_field_gives_the_backend_the_image(scanner: Broker) -> None:
    assert pages(await scan(scanner, "image:2", "image:1", "image:2")) == [JPEG, PNG, JPEG]


async def test_base64_is_read_as_before_where_images_are_attached(scanner: Broker) -> None:
    assert pages(await scan(scanner, base64.b64encode(b"mine").decode())) == [b"mine"]


@pytest.mark.parametrize(
    ("context", "said"),
    [
        (CONTEXT, 'there is no "image:9"; there are: image:1, image:2, image:3.'),
        (CallContext(), 'there is no "image:9", and no other image. Send the bytes as base64.'),
    ],
)
async def test_a_handle_that_is_not_there_is_told_which_are(
    scanner: Broker, context: CallContext, said: str
) -> None:
    result = await scan(scanner, "image:9", context=context)

    assert result.code == Code.INVALID_ARGUMENT
    assert said in result.content


async def test_what_is_attached_to_one_call_is_bounded(scanner: Broker) -> None:
    large = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 20_000_000}"}}
    context = CallContext(attachments=Attachments([user(large)]))

    result = await scan(scanner, *["image:1"] * 3, context=context)

    assert "attach fewer or smaller" in result.content


def test_images_are_not_written_where_a_context_is_shown() -> None:
    assert "Attachments" not in repr(CONTEXT)
    assert hash(CONTEXT) == hash(CallContext())
