"""Customers as they are kept: found, and changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from tool_servers.customers.tables import customer_revenue, customers
from tool_servers.serving import database


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which customers are looked for; None: any."""

    min_cents: int | None = None
    """Only those that have paid more."""
    created_before: str | None = None
    country: str | None = None
    name_contains: str | None = None
    segment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A customer, and what it has paid in all."""

    id: int
    name: str
    email: str
    country: str
    segment: str
    created_on: str
    cents: int


class Store:
    """The customers of a database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def check(self) -> None:
        """Raises OSError where there is no database, or none with these tables."""
        try:
            await self.find(Wanted(), limit=1)
        except SQLAlchemyError as error:
            what = "has no customers that can be read; --seed makes tables with made-up data"
            raise OSError(f"the database {what} ({database.cause(error)})") from error

    async def find(self, wanted: Wanted, limit: int) -> tuple[Sequence[Found], int]:
        """The first `limit`, the highest revenue first, and how many there are in all."""
        query = _matching(wanted)
        order = (customer_revenue.c.revenue.desc(), customers.c.id)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(*order).limit(limit))
            found = [_found(row) for row in rows.mappings()]
            total = await connection.scalar(select(func.count()).select_from(query.subquery()))
        return found, total or 0

    async def change(self, customer_id: int, values: Mapping[str, str]) -> Found | None:
        """Sets columns of one customer, all or none; None: there is no such customer."""
        async with self._engine.begin() as connection:
            one = update(customers).where(customers.c.id == customer_id)
            await connection.execute(one.values(**values))
            found = await connection.execute(_joined().where(customers.c.id == customer_id))
            row = found.mappings().first()
        return None if row is None else _found(row)


def _joined() -> Select[Any]:
    return select(customers, customer_revenue.c.revenue.label("cents")).join(
        customer_revenue, customer_revenue.c.customer_id == customers.c.id
    )


def _matching(wanted: Wanted) -> Select[Any]:
    query = _joined()
    if wanted.min_cents is not None:
        query = query.where(customer_revenue.c.revenue > wanted.min_cents)
    if wanted.created_before is not None:
        query = query.where(customers.c.created_on < wanted.created_before)
    if wanted.country is not None:
        query = query.where(customers.c.country == wanted.country)
    if wanted.name_contains is not None:
        query = query.where(customers.c.name.icontains(wanted.name_contains, autoescape=True))
    if wanted.segment is not None:
        query = query.where(customers.c.segment == wanted.segment)
    return query


def _found(row: Mapping[Any, Any]) -> Found:
    return Found(**{str(key): value for key, value in row.items()})
