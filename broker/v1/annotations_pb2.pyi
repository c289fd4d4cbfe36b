import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Approval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    APPROVAL_UNSPECIFIED: _ClassVar[Approval]
    APPROVAL_NEVER: _ClassVar[Approval]
    APPROVAL_REQUIRED: _ClassVar[Approval]
    APPROVAL_DENY: _ClassVar[Approval]
APPROVAL_UNSPECIFIED: Approval
APPROVAL_NEVER: Approval
APPROVAL_REQUIRED: Approval
APPROVAL_DENY: Approval
TOOL_FIELD_NUMBER: _ClassVar[int]
tool: _descriptor.FieldDescriptor
FIELD_FIELD_NUMBER: _ClassVar[int]
field: _descriptor.FieldDescriptor

class ToolOptions(_message.Message):
    __slots__ = ("name", "description", "hidden", "approval", "timeout")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    hidden: bool
    approval: Approval
    timeout: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., hidden: _Optional[bool] = ..., approval: _Optional[_Union[Approval, str]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ToolFieldOptions(_message.Message):
    __slots__ = ("hidden", "example", "bytes_as_text")
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    BYTES_AS_TEXT_FIELD_NUMBER: _ClassVar[int]
    hidden: bool
    example: str
    bytes_as_text: bool
    def __init__(self, hidden: _Optional[bool] = ..., example: _Optional[str] = ..., bytes_as_text: _Optional[bool] = ...) -> None: ...
