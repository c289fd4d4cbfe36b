"""What a client is told of a request that breaks the rules of its .proto."""

from typing import Any

import pytest
from buf.validate import validate_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from tool_servers.serving import rules

RULES: Any = validate_pb2.field


def order() -> descriptor_pb2.FileDescriptorProto:
    """Order {repeated string lines; map<string, int32> counts}: no line is empty, all counts are positive."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
    file.dependency.append("buf/validate/validate.proto")
    message = file.message_type.add(name="Order")
    kinds = descriptor_pb2.FieldDescriptorProto
    lines = message.field.add(name="lines", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_REPEATED)
    lines.options.Extensions[RULES].repeated.items.string.min_len = 1
    entry = message.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=kinds.TYPE_INT32, label=kinds.LABEL_OPTIONAL)
    counts = message.field.add(
        name="counts",
        number=2,
        type=kinds.TYPE_MESSAGE,
        type_name=".shop.Order.CountsEntry",
        label=kinds.LABEL_REPEATED,
    )
    counts.options.Extensions[RULES].map.values.int32.gt = 0
    return file


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"lines": ["tea"], "counts": {"tea": 1}}, []),
        ({"lines": ["tea", ""]}, ["lines[1]"]),
        ({"counts": {"tea": 0}}, ['counts["tea"]']),
        ({"lines": [""], "counts": {"a b": -1}}, ["lines[0]", 'counts["a b"]']),
    ],
)
def test_all_that_breaks_a_rule_is_told_by_its_path(given: dict[str, object], paths: list[str]) -> None:
    pool = descriptor_pool.DescriptorPool()
    for file in (*validate_pb2.DESCRIPTOR.dependencies, validate_pb2.DESCRIPTOR):
        pool.AddSerializedFile(file.serialized_pb)
    pool.AddSerializedFile(order().SerializeToString())
    order_class = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))

    found = rules.violations(order_class(**given))

    assert [violation.field for violation in found] == paths
    assert all(violation.description for violation in found)
