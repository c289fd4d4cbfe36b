"""The tables of wrong arguments, with which each tool server is called over the wire, leave out no rule."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from buf.validate import validate_pb2
from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from mail.v1 import mail_pb2
from protovalidate import Validator

from tests.tool_servers.charts import test_charts
from tests.tool_servers.customers import test_customers
from tests.tool_servers.experts import test_experts
from tests.tool_servers.extract import test_extract
from tests.tool_servers.flights import test_rules as test_flights
from tests.tool_servers.hotels import test_rules as test_hotels
from tests.tool_servers.knowledge import test_knowledge
from tests.tool_servers.mail import test_refusals as test_mail
from tests.tool_servers.mail.mailing import draft
from tests.tool_servers.stocks import test_wrong_arguments as test_stocks
from tests.tool_servers.test_every_server import service_of
from tests.tool_servers.test_servers import SERVERS
from tests.tool_servers.weather import test_service as test_weather

# The stubs know them as fields only.
BEHAVIOR: Any = field_behavior_pb2.field_behavior
FIELD: Any = validate_pb2.field
MESSAGE: Any = validate_pb2.message
ONEOF: Any = validate_pb2.oneof
Rule = tuple[str, str]
"""Where it stands, e.g. "person.emails[]", and its id, e.g. "string.email"."""

_validator = Validator()


def rows(test: Any) -> Iterator[Any]:
    """The table of a test."""
    (mark,) = [each for each in test.pytestmark if each.name == "parametrize"]
    yield from (getattr(row, "values", row) for row in mark.args[1])


def called(name: str, test: Any) -> Iterator[Message]:
    """The requests of a table whose rows begin with the method and its arguments."""
    messages = importlib.import_module(f"{name}.v1.{name}_pb2")
    for method, arguments, *_ in rows(test):
        request = service_of(name).methods_by_name[method].input_type.name
        yield getattr(messages, request)(**arguments)


def of_charts() -> Iterator[Message]:
    yield from (
        test_charts.rain(**changes)
        for changes, _ in rows(test_charts.test_a_bad_request_is_refused_naming_every_bad_field)
    )


def of_extract() -> Iterator[Message]:
    test = test_extract.test_a_bad_record_is_refused_naming_every_bad_field_and_nothing_is_saved
    yield from (test_extract.saving(**changes) for changes, _ in rows(test))
    yield from called("extract", test_extract.test_a_bad_request_is_refused_naming_its_field)


def of_hotels() -> Iterator[Message]:
    yield from (
        test_hotels.request_of(method)(**good | wrong) for method, good, wrong, *_ in test_hotels.WRONG
    )


def of_mail() -> Iterator[Message]:
    for changes, _ in rows(test_mail.test_a_bad_draft_is_refused_naming_every_bad_field_and_nothing_is_sent):
        yield mail_pb2.PreviewMailRequest(draft=draft(**changes))
        yield mail_pb2.SendMailRequest(draft=draft(**changes))
    yield from (request for _, request, _ in rows(test_mail.test_a_bad_request_is_refused_naming_its_field))


def of_stocks() -> Iterator[Message]:
    yield from (
        test_stocks.request_of(method, given)
        for method, cases in test_stocks.RULES.items()
        for given, _ in cases
    )


SENT: dict[str, Callable[[], Iterator[Message]]] = {
    "weather": lambda: (
        request for request, _ in rows(test_weather.test_a_bad_request_is_refused_naming_every_bad_field)
    ),
    "stocks": of_stocks,
    "flights": lambda: called("flights", test_flights.test_a_broken_rule_is_a_violation_and_writes_nothing),
    "hotels": of_hotels,
    "customers": lambda: called(
        "customers",
        test_customers.test_a_bad_request_is_refused_naming_every_bad_field_and_nothing_is_written,
    ),
    "mail": of_mail,
    "knowledge": lambda: called("knowledge", test_knowledge.test_a_bad_request_is_refused_naming_its_field),
    "charts": of_charts,
    "experts": lambda: called(
        "experts", test_experts.test_a_bad_request_is_refused_naming_every_bad_field_and_nobody_is_asked
    ),
    "extract": of_extract,
}


def stated(message: Descriptor, where: str = "") -> Iterator[Rule]:
    """The rules of a message and of our own messages in it."""
    for rule in message.GetOptions().Extensions[MESSAGE].cel:
        yield where.rstrip("."), rule.id
    for oneof in message.oneofs:
        if oneof.GetOptions().Extensions[ONEOF].required:
            yield f"{where}{oneof.name}", "required"
    for field in message.fields:
        path = f"{where}{field.name}"
        yield from of_value(field.GetOptions().Extensions[FIELD], path)
        kind = field.message_type
        if kind is not None and not kind.GetOptions().map_entry and kind.file == message.file:
            yield from stated(kind, f"{path}[]." if field.is_repeated else f"{path}.")


def of_value(rules: Any, path: str) -> Iterator[Rule]:
    """The rules of a field, or of what is in a list or a map."""
    yield from ((path, rule.id) for rule in rules.cel)
    if rules.required:
        yield path, "required"
    kind = rules.WhichOneof("type")
    if kind is None:
        return
    given = getattr(rules, kind)
    for inner, below in (("items", "[]"), ("keys", "[].key"), ("values", "[]")):
        if inner in given.DESCRIPTOR.fields_by_name and given.HasField(inner):
            yield from of_value(getattr(given, inner), f"{path}{below}")
    names = {rule.name for rule, _ in given.ListFields()} - {"items", "keys", "values", "example"}
    # Both ends of a range are one rule.
    if names >= {"gte", "lte"}:
        names = names - {"gte", "lte"} | {"gte_lte"}
    yield from ((path, f"{kind}.{name}") for name in names)


def broken(request: Message) -> Iterator[Rule]:
    """The rules that a request breaks."""
    for violation in _validator.collect_violations(request):
        told = violation.proto
        elements = [] if told.field is None else told.field.elements
        names = (f"{each.field_name}{'' if each.subscript is None else '[]'}" for each in elements)
        yield f"{'.'.join(names)}{'.key' if told.for_key else ''}", told.rule_id


@pytest.mark.parametrize("name", SERVERS)
def test_each_rule_of_each_request_is_broken_in_a_table(name: str) -> None:
    sent = [*SENT[name]()]

    for method in service_of(name).methods:
        requests = [request for request in sent if method.input_type == request.DESCRIPTOR]
        tried = {rule for request in requests for rule in broken(request)}
        assert {*stated(method.input_type)} - tried == set(), method.name


@pytest.mark.parametrize("name", SERVERS)
def test_just_what_a_request_cannot_do_without_is_required(name: str) -> None:
    for method in service_of(name).methods:
        kind = method.input_type
        fields = [each.name for each in kind.fields]
        missing = {path for path, _ in broken(GetMessageClass(kind)())} & {*fields}
        required = [each for each in kind.fields if _is_required(each)]

        assert {each.name for each in required} == missing, method.name


def _is_required(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.REQUIRED in field.GetOptions().Extensions[BEHAVIOR]
