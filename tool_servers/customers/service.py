"""customers.v1 requests → customers, and the rows of queries."""

import datetime
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc.aio
from customers.v1 import customers_pb2, customers_pb2_grpc
from google.protobuf.struct_pb2 import ListValue
from sqlalchemy.exc import SQLAlchemyError

from tool_servers.customers.queries import TIMEOUT, QueryFailed, QueryTooSlow, Reader
from tool_servers.customers.statement import Refused, checked
from tool_servers.customers.store import Found, Store, Wanted
from tool_servers.customers.tables import READABLE
from tool_servers.serving import database
from tool_servers.serving.failures import Failure, Violation, invalid_request, reason
from tool_servers.serving.server import Service

_DESCRIPTOR = customers_pb2.DESCRIPTOR.services_by_name["CustomerService"]
_DEFAULT_LIMIT = 20
_DEFAULT_ROWS = 100
_PREFIX = "SEGMENT_"

logger = logging.getLogger(__name__)


def customer_service(store: Store, reader: Reader) -> Service:
    """What is served."""
    return Service(
        descriptor=_DESCRIPTOR,
        servicer=CustomerService(store, reader),
        register=customers_pb2_grpc.add_CustomerServiceServicer_to_server,
        max_response=4 * 1024 * 1024,
    )


class CustomerService(customers_pb2_grpc.CustomerServiceServicer):
    """Answers GetCustomers, UpdateCustomer and RunQuery."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._store = store
        self._reader = reader

    async def GetCustomers(
        self,
        request: customers_pb2.GetCustomersRequest,
        context: grpc.aio.ServicerContext[
            customers_pb2.GetCustomersRequest, customers_pb2.GetCustomersResponse
        ],
    ) -> customers_pb2.GetCustomersResponse:
        limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
        with _database():
            found, total = await self._store.find(_wanted(request), limit)
        return customers_pb2.GetCustomersResponse(customers=[_customer(each) for each in found], total=total)

    async def UpdateCustomer(
        self,
        request: customers_pb2.UpdateCustomerRequest,
        context: grpc.aio.ServicerContext[customers_pb2.UpdateCustomerRequest, customers_pb2.Customer],
    ) -> customers_pb2.Customer:
        given = request.customer
        values = {"email": given.email, "country": given.country, "segment": _segment(given.segment) or ""}
        wanted = {name: values[name] for name in request.update_mask.paths}
        if not wanted:
            what = "names nothing to change; send one or more of email, country, segment"
            raise invalid_request([Violation(field="update_mask", description=what)])
        empty = [name for name, value in wanted.items() if not value]
        if empty:
            raise invalid_request(
                [
                    Violation(
                        field=f"customer.{name}", description="is in update_mask, so it must have a value"
                    )
                    for name in empty
                ]
            )
        with _database():
            changed = await self._store.change(given.id, wanted)
        if changed is None:
            raise Failure(
                grpc.StatusCode.NOT_FOUND,
                f'there is no customer with the id "{given.id}"; find it by GetCustomers',
                reason(_DESCRIPTOR.full_name, "CUSTOMER_NOT_FOUND", {"id": str(given.id)}),
            )
        return _customer(changed)

    async def RunQuery(
        self,
        request: customers_pb2.RunQueryRequest,
        context: grpc.aio.ServicerContext[customers_pb2.RunQueryRequest, customers_pb2.RunQueryResponse],
    ) -> customers_pb2.RunQueryResponse:
        max_rows = request.max_rows if request.HasField("max_rows") else _DEFAULT_ROWS
        try:
            sql = checked(request.sql, self._reader.dialect, READABLE)
            with _database():
                found = await self._reader.run(sql, max_rows)
        except (Refused, QueryFailed) as error:
            raise invalid_request([Violation(field="sql", description=str(error))]) from None
        except QueryTooSlow:
            raise Failure(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"the query took more than {TIMEOUT:g} s and was broken off; join fewer rows",
                reason(_DESCRIPTOR.full_name, "QUERY_TOO_SLOW"),
            ) from None
        return customers_pb2.RunQueryResponse(
            columns=found.columns,
            rows=[_list(row) for row in found.rows],
            truncated=found.truncated,
            sql=sql,
        )


@contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except (OSError, SQLAlchemyError) as error:
        logger.warning("the database cannot be used: %s", database.cause(error))
        raise Failure(
            grpc.StatusCode.UNAVAILABLE,
            "the database of the customers cannot be used; try again later",
            reason(_DESCRIPTOR.full_name, "DATABASE_UNAVAILABLE"),
        ) from error


def _name(text: str) -> str:
    # PostgreSQL keeps no text with it.
    if "\0" in text:
        what = "has the character U+0000, which no name has"
        raise invalid_request([Violation(field="name_contains", description=what)])
    return text


def _wanted(request: customers_pb2.GetCustomersRequest) -> Wanted:
    return Wanted(
        min_cents=round(request.min_revenue * 100) if request.HasField("min_revenue") else None,
        created_before=_day(request.created_before) if request.created_before else None,
        country=request.country or None,
        name_contains=_name(request.name_contains) or None,
        segment=_segment(request.segment),
    )


def _day(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        what = f'"{text}" is no day of the calendar; send one like "2024-01-01"'
        raise invalid_request([Violation(field="created_before", description=what)]) from None


def _segment(segment: customers_pb2.Segment) -> str | None:
    return customers_pb2.Segment.Name(segment).removeprefix(_PREFIX) if segment else None


def _customer(found: Found) -> customers_pb2.Customer:
    return customers_pb2.Customer(
        id=found.id,
        name=found.name,
        email=found.email,
        country=found.country,
        segment=f"{_PREFIX}{found.segment}",
        created_on=found.created_on,
        revenue=found.cents / 100,
    )


def _list(row: Iterable[Any]) -> ListValue:
    made = ListValue()
    made.extend(list(row))
    return made
