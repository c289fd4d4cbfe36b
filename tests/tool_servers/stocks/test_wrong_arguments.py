"""Every rule of stocks.proto, and every date and stock that there is not, over the wire."""

from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from stocks.v1 import stocks_pb2

from tests.tool_servers.stocks.process import Stub

RULES: dict[str, list[tuple[dict[str, Any], set[str]]]] = {
    "GetQuote": [
        ({}, {"query STRING_MIN_LEN"}),
        ({"query": "茅" * 101}, {"query STRING_MAX_LEN"}),
        ({"query": "V", "date": ""}, {"date STRING_PATTERN"}),
        ({"query": "V", "date": "today"}, {"date STRING_PATTERN"}),
        ({"query": "V", "date": "2026-03-02\n"}, {"date STRING_PATTERN"}),
        ({"date": "2026/03/02"}, {"query STRING_MIN_LEN", "date STRING_PATTERN"}),
    ],
    "GetHistory": [
        ({}, {"query STRING_MIN_LEN"}),
        ({"query": "x" * 101}, {"query STRING_MAX_LEN"}),
        ({"query": "V", "start_date": "2026"}, {"start_date STRING_PATTERN"}),
        ({"query": "V", "end_date": "yesterday"}, {"end_date STRING_PATTERN"}),
        ({"query": "V", "days": 0}, {"days INT32_GTE_LTE"}),
        ({"query": "V", "days": 251}, {"days INT32_GTE_LTE"}),
        ({"query": "V", "days": 5, "start_date": "2026-03-02"}, {"days DAYS_NOT_WITH_START_DATE"}),
        (
            {"query": "V", "start_date": "2026-03-03", "end_date": "2026-03-02"},
            {"start_date START_DATE_NOT_AFTER_END_DATE"},
        ),
        (
            {"start_date": "a", "end_date": "b", "days": -1},
            {
                "query STRING_MIN_LEN",
                "start_date STRING_PATTERN",
                "end_date STRING_PATTERN",
                "days INT32_GTE_LTE",
                "days DAYS_NOT_WITH_START_DATE",
            },
        ),
    ],
}
"""Arguments of each method that break rules → the field and the reason of each violation."""

FACTS: list[tuple[str, dict[str, Any], set[str], str]] = [
    (
        "GetQuote",
        {"query": "Kweichow Motai"},
        {"query STOCK_UNKNOWN"},
        "600519.SS (Kweichow Moutai, 贵州茅台)",
    ),
    ("GetQuote", {"query": "宁德时带"}, {"query STOCK_UNKNOWN"}, "300750.SZ"),
    ("GetQuote", {"query": "茅" * 100}, {"query STOCK_UNKNOWN"}, "no stock is known here"),
    ("GetHistory", {"query": "茅" * 100}, {"query STOCK_UNKNOWN"}, "no stock is known here"),
    ("GetQuote", {"query": "   "}, {"query STOCK_UNKNOWN"}, "send another name of the company"),
    ("GetQuote", {"query": "V", "date": "2026-02-30"}, {"date DATE_INVALID"}, "is no day of the calendar"),
    ("GetQuote", {"query": "V", "date": "2026-11-23"}, {"date DATE_IN_FUTURE"}, "is 2026-11-20 (Friday)"),
    ("GetQuote", {"query": "V", "date": "2001-01-01"}, {"date DATE_BEFORE_FIRST"}, "2010-01-04 (Monday)"),
    (
        "GetQuote",
        {"query": "APPL", "date": "2026-02-30"},
        {"query STOCK_UNKNOWN", "date DATE_INVALID"},
        "AAPL (Apple, 苹果)",
    ),
    (
        "GetHistory",
        {"query": "APPL", "start_date": "2026-02-30", "end_date": "2026-02-31"},
        {"query STOCK_UNKNOWN", "start_date DATE_INVALID", "end_date DATE_INVALID"},
        "AAPL (Apple, 苹果)",
    ),
    ("GetHistory", {"query": "V", "start_date": "2020-01-01"}, {"start_date RANGE_TOO_LONG"}, "2025-12-08"),
    (
        "GetHistory",
        {"query": "V", "start_date": "2026-03-07", "end_date": "2026-03-08"},
        {"start_date RANGE_WITHOUT_PRICES"},
        "2026-03-06 (Friday) or 2026-03-09 (Monday)",
    ),
    ("GetHistory", {"query": "V", "start_date": "2026-12-01"}, {"start_date DATE_IN_FUTURE"}, "2026-11-20"),
    ("GetHistory", {"query": "V", "end_date": "2009-12-31"}, {"end_date DATE_BEFORE_FIRST"}, "2010-01-04"),
]
"""Arguments that keep the rules and are wrong all the same, with words that help to correct them."""


def request_of(method: str, arguments: dict[str, Any]) -> Any:
    return getattr(stocks_pb2, f"{method}Request")(**arguments)


async def refusal(stub: Stub, method: str, arguments: dict[str, Any]) -> grpc.aio.AioRpcError:
    """How a call is refused; one that was tried before it answers as it did then."""
    good = stocks_pb2.GetQuoteRequest(query="AAPL")
    before = await stub.GetQuote(good)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub, method)(request_of(method, arguments))
    assert await stub.GetQuote(good) == before
    return caught.value


def violations(error: grpc.aio.AioRpcError) -> dict[str, str]:
    """`field REASON` → what is wrong, and what to send instead."""
    # grpc_status declares the synchronous call, whose error has the same methods.
    status: Any = rpc_status.from_call(error)  # type: ignore[arg-type]
    bad_request = error_details_pb2.BadRequest()
    (detail,) = status.details
    assert detail.Unpack(bad_request)
    return {f"{each.field} {each.reason}": each.description for each in bad_request.field_violations}


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [(method, *case) for method, cases in RULES.items() for case in cases],
)
async def test_a_broken_rule_is_a_violation_of_its_field(
    stub: Stub, method: str, arguments: dict[str, Any], expected: set[str]
) -> None:
    error = await refusal(stub, method, arguments)

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    found = violations(error)
    assert {*found} == expected
    assert all("send" in description for description in found.values())
    assert all(description in (error.details() or "") for description in found.values())


@pytest.mark.parametrize(("method", "arguments", "expected", "words"), FACTS)
async def test_a_stock_or_a_day_that_there_is_not_is_told_with_what_there_is(
    stub: Stub, method: str, arguments: dict[str, Any], expected: set[str], words: str
) -> None:
    error = await refusal(stub, method, arguments)

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    found = violations(error)
    assert {*found} == expected
    assert words in (error.details() or "")
    assert all("send" in description for description in found.values())


def rules_of(message: Descriptor) -> Iterator[str]:
    """`field REASON` for each rule that the .proto gives to a message."""
    options: Any = message.GetOptions()
    for rule in options.Extensions[validate_pb2.message].cel:
        yield f"{rule.id.partition('.')[0]} {rule.id.replace('.', '_').upper()}"
    for field in message.fields:
        field_options: Any = field.GetOptions()
        rules = field_options.Extensions[validate_pb2.field]
        kind = rules.WhichOneof("type")
        given = [rule.name for rule, _ in getattr(rules, kind).ListFields() if rule.name != "example"]
        # Two ends of a range are one rule.
        both = "gte_lte" if {*given} == {"gte", "lte"} else None
        for name in [both] if both else given:
            yield f"{field.name} {kind.upper()}_{name.upper()}"


@pytest.mark.parametrize("method", [*stocks_pb2.DESCRIPTOR.services_by_name["StockService"].methods_by_name])
def test_the_table_has_every_rule_of_the_proto(method: str) -> None:
    rules = {*rules_of(request_of(method, {}).DESCRIPTOR)}

    assert len(rules) >= 3
    assert set().union(*(expected for _, expected in RULES[method])) == rules
