"""A request → which of the rules that its .proto states it breaks (https://protovalidate.com)."""

from typing import Any

from google.protobuf.message import Message
from protovalidate import Validator

from tool_servers.serving.failures import Violation

_validator = Validator()


def violations(request: Message) -> list[Violation]:
    """Everything that is wrong, in the order of the fields."""
    return [_violation(each.proto) for each in _validator.collect_violations(request)]


def _violation(violation: Any) -> Violation:
    elements = () if violation.field is None else violation.field.elements
    path = ".".join(f"{element.field_name}{_subscript(element.subscript)}" for element in elements)
    return Violation(field=path, description=violation.message or violation.rule_id)


def _subscript(subscript: Any) -> str:
    if subscript is None:
        return ""
    return f"[{subscript.value}]" if subscript.field == "index" else f'["{subscript.value}"]'
