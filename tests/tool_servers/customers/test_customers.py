"""What a client of the customer service sees, over real gRPC, on SQLite and on PostgreSQL."""

from typing import Any

import pytest
from customers.v1 import customers_pb2, customers_pb2_grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc import StatusCode

from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.customers import attempts
from tests.tool_servers.customers.databases import Database
from tests.tool_servers.served import failure
from tool_servers.customers.service import customer_service


async def stub(serve_service: Serve, database: Database, elsewhere: Elsewhere | None = None) -> Any:
    server, channel = await serve_service(customer_service(database.store, database.reader))
    return customers_pb2_grpc.CustomerServiceStub(channel if elsewhere is None else elsewhere(server))


async def test_customers_are_found_by_revenue_and_age_the_best_first(
    serve_service: Serve, database: Database
) -> None:
    customers = await stub(serve_service, database)

    response = await customers.GetCustomers(
        customers_pb2.GetCustomersRequest(min_revenue=10_000, created_before="2024-01-01", limit=200)
    )

    found = list(response.customers)
    assert response.total == len(found) > 10
    assert all(each.revenue > 10_000 and each.created_on < "2024-01-01" for each in found)
    assert [each.revenue for each in found] == sorted((each.revenue for each in found), reverse=True)
    some = await customers.GetCustomers(customers_pb2.GetCustomersRequest(min_revenue=10_000, limit=5))
    assert (len(some.customers), some.total > 5) == (5, True)


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ({"country": "DE"}, lambda each: each.country == "DE"),
        ({"name_contains": "tea SHOP"}, lambda each: "Tea Shop" in each.name),
        (
            {"segment": customers_pb2.SEGMENT_RETAIL},
            lambda each: each.segment == customers_pb2.SEGMENT_RETAIL,
        ),
        ({}, lambda _: True),
    ],
)
async def test_customers_are_found_by_what_they_are(
    serve_service: Serve, database: Database, given: dict[str, Any], holds: Any
) -> None:
    customers = await stub(serve_service, database)
    every = await customers.GetCustomers(customers_pb2.GetCustomersRequest(limit=200))

    response = await customers.GetCustomers(customers_pb2.GetCustomersRequest(**given, limit=200))

    assert list(response.customers) == [each for each in every.customers if holds(each)]
    assert response.total > 0


@pytest.mark.parametrize("name", ["%", "_", "' OR 1=1 --", "x'; DELETE FROM customers; --"])
async def test_a_name_is_text_and_never_sql(serve_service: Serve, database: Database, name: str) -> None:
    customers = await stub(serve_service, database)
    before = await database.content()

    response = await customers.GetCustomers(customers_pb2.GetCustomersRequest(name_contains=name))

    assert response.total == 0
    assert await database.content() == before


async def test_a_customer_is_changed_in_what_the_mask_names_and_in_nothing_else(
    serve_service: Serve, database: Database
) -> None:
    customers = await stub(serve_service, database)
    before = await database.content()
    (first,) = (await customers.GetCustomers(customers_pb2.GetCustomersRequest(limit=1))).customers
    other = "FR" if first.country != "FR" else "IT"

    changed = await customers.UpdateCustomer(
        customers_pb2.UpdateCustomerRequest(
            customer={"id": first.id, "country": other, "email": "a@example.com"},
            update_mask={"paths": ["country"]},
        )
    )

    assert (changed.country, changed.email) == (other, first.email)
    assert await database.content() != before
    await customers.UpdateCustomer(
        customers_pb2.UpdateCustomerRequest(customer=first, update_mask={"paths": ["country"]})
    )
    assert await database.content() == before


async def test_just_as_much_is_not_more_and_that_day_is_not_before_it(
    serve_service: Serve, database: Database
) -> None:
    customers = await stub(serve_service, database)
    every = await customers.GetCustomers(customers_pb2.GetCustomersRequest(limit=200))
    some = every.customers[20]

    more = await customers.GetCustomers(
        customers_pb2.GetCustomersRequest(min_revenue=some.revenue, limit=200)
    )
    before = await customers.GetCustomers(
        customers_pb2.GetCustomersRequest(created_before=some.created_on, limit=200)
    )

    assert list(more.customers) == [each for each in every.customers if each.revenue > some.revenue]
    assert list(before.customers) == [each for each in every.customers if each.created_on < some.created_on]
    assert some not in [*more.customers, *before.customers]


async def test_more_than_anybody_has_paid_finds_nobody(serve_service: Serve, database: Database) -> None:
    customers = await stub(serve_service, database)

    for least in (3e7, 1e12):
        response = await customers.GetCustomers(customers_pb2.GetCustomersRequest(min_revenue=least))

        assert (list(response.customers), response.total) == ([], 0)


async def test_an_unknown_customer_is_not_found(serve_service: Serve, database: Database) -> None:
    customers = await stub(serve_service, database)

    code, message, (info,) = await failure(
        customers.UpdateCustomer(
            customers_pb2.UpdateCustomerRequest(
                customer={"id": 9999, "country": "DE"}, update_mask={"paths": ["country"]}
            )
        )
    )

    assert code == StatusCode.NOT_FOUND
    assert '"9999"' in message
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.reason == "CUSTOMER_NOT_FOUND"


async def test_a_question_in_sql_is_answered_by_a_table(serve_service: Serve, database: Database) -> None:
    customers = await stub(serve_service, database)

    response = await customers.RunQuery(
        customers_pb2.RunQueryRequest(
            sql="select category, count(*) as n from products group by category order by n desc, category",
            max_rows=2,
        )
    )

    assert MessageToDict(response) == {
        "columns": ["category", "n"],
        "rows": [["pantry", 4], ["sweets", 4]],
        "truncated": True,
        "sql": "SELECT category, COUNT(*) AS n FROM products GROUP BY category ORDER BY n DESC, category",
    }


async def test_every_injection_is_an_invalid_argument_and_nothing_is_written(
    serve_service: Serve, elsewhere: Elsewhere, database: Database
) -> None:
    customers = await stub(serve_service, database, elsewhere)
    before = await database.content()

    for sql in attempts.ALL:
        code, message, (bad,) = await failure(customers.RunQuery(customers_pb2.RunQueryRequest(sql=sql)))

        assert code == StatusCode.INVALID_ARGUMENT, sql
        assert isinstance(bad, error_details_pb2.BadRequest)
        assert [each.field for each in bad.field_violations] == ["sql"]
        assert message.startswith("sql: ")

    assert await database.content() == before


async def test_what_the_database_does_not_understand_is_told_in_its_words(
    serve_service: Serve, database: Database
) -> None:
    customers = await stub(serve_service, database)

    code, message, _ = await failure(
        customers.RunQuery(customers_pb2.RunQueryRequest(sql="SELECT revenue FROM customers"))
    )

    assert code == StatusCode.INVALID_ARGUMENT
    assert "revenue" in message


CUSTOMER = {"id": 1, "country": "DE"}
MASK = {"paths": ["country"]}


@pytest.mark.parametrize(
    ("method", "given", "fields"),
    [
        ("GetCustomers", {"min_revenue": -1}, ["min_revenue"]),
        ("GetCustomers", {"min_revenue": 1e13}, ["min_revenue"]),
        ("GetCustomers", {"min_revenue": float("nan")}, ["min_revenue"]),
        ("GetCustomers", {"created_before": "yesterday"}, ["created_before"]),
        ("GetCustomers", {"created_before": "2024-1-1"}, ["created_before"]),
        ("GetCustomers", {"created_before": "2023-02-30"}, ["created_before"]),
        ("GetCustomers", {"country": "de"}, ["country"]),
        ("GetCustomers", {"country": "Germany"}, ["country"]),
        ("GetCustomers", {"name_contains": "x" * 101}, ["name_contains"]),
        ("GetCustomers", {"name_contains": "a\0b"}, ["name_contains"]),
        ("GetCustomers", {"segment": 9}, ["segment"]),
        ("GetCustomers", {"limit": 0}, ["limit"]),
        ("GetCustomers", {"limit": 201}, ["limit"]),
        ("GetCustomers", {"country": "de", "limit": 0}, ["country", "limit"]),
        ("UpdateCustomer", {"update_mask": MASK}, ["customer"]),
        ("UpdateCustomer", {"customer": CUSTOMER}, ["update_mask"]),
        ("UpdateCustomer", {"customer": {"id": 0, "country": "DE"}, "update_mask": MASK}, ["customer.id"]),
        (
            "UpdateCustomer",
            {"customer": {"id": 1, "country": "de"}, "update_mask": MASK},
            ["customer.country"],
        ),
        ("UpdateCustomer", {"customer": {"id": 1, "email": "x"}, "update_mask": MASK}, ["customer.email"]),
        (
            "UpdateCustomer",
            {"customer": {"id": 1, "email": f"{'x' * 189}@example.com"}, "update_mask": {"paths": ["email"]}},
            ["customer.email"],
        ),
        ("UpdateCustomer", {"customer": CUSTOMER, "update_mask": {}}, ["update_mask"]),
        ("UpdateCustomer", {"customer": {"id": 1, "segment": 9}, "update_mask": MASK}, ["customer.segment"]),
        ("UpdateCustomer", {"customer": CUSTOMER, "update_mask": {"paths": ["revenue"]}}, ["update_mask"]),
        ("UpdateCustomer", {"customer": {"id": 1}, "update_mask": MASK}, ["customer.country"]),
        ("RunQuery", {"sql": ""}, ["sql"]),
        ("RunQuery", {"sql": "SELECT 1" + " " * 10_000}, ["sql"]),
        ("RunQuery", {"sql": "SELECT 1", "max_rows": 0}, ["max_rows"]),
        ("RunQuery", {"sql": "SELECT 1", "max_rows": 1001}, ["max_rows"]),
    ],
)
async def test_a_bad_request_is_refused_naming_every_bad_field_and_nothing_is_written(
    serve_service: Serve,
    elsewhere: Elsewhere,
    database: Database,
    method: str,
    given: dict[str, Any],
    fields: list[str],
) -> None:
    customers = await stub(serve_service, database, elsewhere)
    request = getattr(customers_pb2, f"{method}Request")(**given)
    before = await database.content()

    code, _, (bad,) = await failure(getattr(customers, method)(request))

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert list(dict.fromkeys(each.field for each in bad.field_violations)) == fields
    assert await database.content() == before
