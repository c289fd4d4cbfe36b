"""A message type → one that lists such messages: the whole stream of requests of a method, as one request.

Its bytes are those messages one after another, each with its length before it; so what is hashed, approved
and logged of a stream is all of it.
"""

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from broker.descriptors.options import FieldOptions

MESSAGES = "messages"
"""The one field, as that of a stream of responses is called."""
MAX_MESSAGES = 1_000
"""Requests of one stream."""
COMMENT = "The messages of the stream, in the order in which they are sent."
OPTIONS = FieldOptions(behavior=frozenset({"REQUIRED"}), min_items=1, max_items=MAX_MESSAGES)
"""What holds for the field; set beside the descriptor, since a backend may use any number for an option."""


def add_request_stream(pool: DescriptorPool, message: Descriptor) -> Descriptor:
    """Adds the type to the pool that `message` is of; call it once for each type."""
    package = _free_name(pool, f"broker.requests.{message.full_name}")
    file = FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3", dependency=[message.file.name]
    )
    file.message_type.add(name=f"{message.name}Stream").field.add(
        name=MESSAGES,
        json_name=MESSAGES,
        number=1,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        label=FieldDescriptorProto.LABEL_REPEATED,
        type_name=f".{message.full_name}",
    )
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName(f"{package}.{message.name}Stream")


def _free_name(pool: DescriptorPool, name: str) -> str:
    # A reflected server may call its files whatever it likes.
    while _is_taken(pool, f"{name}.proto"):
        name += "_"
    return name


def _is_taken(pool: DescriptorPool, file_name: str) -> bool:
    try:
        pool.FindFileByName(file_name)
    except KeyError:
        return False
    return True
