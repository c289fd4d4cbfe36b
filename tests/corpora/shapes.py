"""What encode writes → the same in the other shapes that profiles ask models for."""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_AS_THEY_ARE = frozenset(
    f"google.protobuf.{name}"
    for name in (
        "Any", "BoolValue", "BytesValue", "DoubleValue", "Duration", "FieldMask", "FloatValue",
        "Int32Value", "Int64Value", "ListValue", "StringValue", "Struct", "Timestamp", "UInt32Value",
        "UInt64Value", "Value",
    )
)  # fmt: skip


def with_entries(value: Any, message: Descriptor) -> Any:
    """With each map as a list of its entries, as `gemini` has it."""
    return _rewritten(value, message, strict=False)


def strict(value: Any, message: Descriptor) -> Any:
    """With entries, each oneof as one property, and null for what is absent, as `openai-strict` has it."""
    return _rewritten(value, message, strict=True)


def _rewritten(value: Any, message: Descriptor, *, strict: bool) -> Any:
    if message.full_name in _AS_THEY_ARE:
        return value
    fields = {field.name: field for field in message.fields}
    written = {
        name: _field(given, fields[name], strict) if name in fields else given
        for name, given in value.items()
    }
    if strict:
        for oneof in message.oneofs:
            if len(oneof.fields) > 1:
                held = {
                    field.name: written.pop(field.name) for field in oneof.fields if field.name in written
                }
                written[oneof.name] = held or None
        wrapped = {field.name for oneof in message.oneofs if len(oneof.fields) > 1 for field in oneof.fields}
        # Of a Value, which no strict schema has but may be hidden in it, null is a value.
        hidden = {field.name for field in message.fields if _is_value(field)}
        written |= {name: None for name in fields if name not in {*written, *wrapped, *hidden}}
    return written


def _is_value(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == "google.protobuf.Value"


def _field(value: Any, field: FieldDescriptor, strict: bool) -> Any:
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        held = message.fields_by_name["value"]
        return [{"key": key, "value": _single(one, held, strict)} for key, one in value.items()]
    if field.is_repeated:
        return [_single(one, field, strict) for one in value]
    return _single(value, field, strict)


def _single(value: Any, field: FieldDescriptor, strict: bool) -> Any:
    return value if field.message_type is None else _rewritten(value, field.message_type, strict=strict)
