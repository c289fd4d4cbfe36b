"""A made-up data set of sales, the same at every start: shops, what they bought, and when."""

import datetime
import random
from typing import Any

from sqlalchemy import insert, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tool_servers.customers import tables

SEED = 20240101
CUSTOMERS = 200
ORDERS = 2400
_FIRST, _LAST = datetime.date(2020, 1, 1), datetime.date(2026, 6, 30)

_WHERE = ("Harbour", "Hill", "River", "Market", "Forest", "Lake", "Station", "Garden", "Castle", "Bridge")
_WHAT = {
    "RETAIL": ("Deli", "Tea Shop", "Bakery", "Grocery"),
    "WHOLESALE": ("Foods", "Trading", "Imports"),
    "HOSPITALITY": ("Hotel", "Café", "Bistro"),
}
_COUNTRIES = ("DE", "FR", "IT", "ES", "NL", "PL", "AT", "SE", "CN", "US")
_PRODUCTS = (
    ("Longjing green tea, 1 kg", "tea", 6800),
    ("Darjeeling first flush, 1 kg", "tea", 5400),
    ("Earl Grey, 1 kg", "tea", 2900),
    ("Chamomile, 1 kg", "tea", 2100),
    ("Espresso beans, 5 kg", "coffee", 8900),
    ("Filter coffee, 5 kg", "coffee", 7400),
    ("Decaffeinated beans, 5 kg", "coffee", 9900),
    ("Olive oil, 5 l", "pantry", 4900),
    ("Balsamic vinegar, 1 l", "pantry", 1800),
    ("Sea salt, 10 kg", "pantry", 1200),
    ("Basmati rice, 20 kg", "pantry", 4600),
    ("Orange marmalade, 12 jars", "sweets", 3900),
    ("Dark chocolate, 5 kg", "sweets", 6200),
    ("Honey, 12 jars", "sweets", 7300),
    ("Almond biscuits, 48 packs", "sweets", 8400),
    ("Cups, 24", "ware", 9600),
    ("Teapots, 6", "ware", 11400),
)


async def seed(engine: AsyncEngine) -> None:
    """Makes tables, view and data where there are none yet; what is there is left alone."""
    async with engine.begin() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("customers")):
            await _make(connection)


async def _make(connection: AsyncConnection) -> None:
    await connection.run_sync(tables.metadata.create_all)
    await connection.execute(text(tables.CREATE_REVENUE))
    for table, rows in _rows().items():
        await connection.execute(insert(tables.metadata.tables[table]), rows)


def _rows() -> dict[str, list[dict[str, Any]]]:
    chance = random.Random(SEED)
    customers = [_customer(number, chance) for number in range(1, CUSTOMERS + 1)]
    products: list[dict[str, Any]] = [
        {"id": number, "name": name, "category": category, "price": price}
        for number, (name, category, price) in enumerate(_PRODUCTS, 1)
    ]
    orders, items = [], []
    for number in range(1, ORDERS + 1):
        # Few customers buy much, most buy little.
        customer = customers[min(int(chance.expovariate(6 / CUSTOMERS)), CUSTOMERS - 1)]
        orders.append(
            {"id": number, "customer_id": customer["id"], "ordered_on": _day(chance, customer["created_on"])}
        )
        for product in chance.sample(products, chance.randint(1, 4)):
            quantity = chance.randint(1, 8)
            price = round(product["price"] * chance.choice((1, 1, 1, 0.9)))
            items.append(
                {"order_id": number, "product_id": product["id"], "quantity": quantity, "price": price}
            )
    return {"customers": customers, "products": products, "orders": orders, "order_items": items}


def _customer(number: int, chance: random.Random) -> dict[str, Any]:
    segment = chance.choice(sorted(_WHAT))
    name = f"{chance.choice(_WHERE)} {chance.choice(_WHAT[segment])} {number}"
    return {
        "id": number,
        "name": name,
        # A domain that belongs to nobody (RFC 2606).
        "email": f"customer{number}@example.com",
        "country": chance.choice(_COUNTRIES),
        "segment": segment,
        "created_on": _day(chance, _FIRST.isoformat()),
    }


def _day(chance: random.Random, since: str) -> str:
    first = datetime.date.fromisoformat(since)
    return (first + datetime.timedelta(days=chance.randint(0, (_LAST - first).days))).isoformat()
