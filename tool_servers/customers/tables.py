"""The tables of customers and sales. Prices are whole cents of EUR, dates are text like '2024-03-01'."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table

metadata = MetaData()

customers = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("email", String(200), nullable=False),
    Column("country", String(2), nullable=False),
    Column("segment", String(20), nullable=False),
    Column("created_on", String(10), nullable=False),
)
products = Table(
    "products",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("category", String(50), nullable=False),
    Column("price", Integer, CheckConstraint("price >= 0"), nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", Integer, ForeignKey("customers.id"), nullable=False, index=True),
    Column("ordered_on", String(10), nullable=False),
)
order_items = Table(
    "order_items",
    metadata,
    Column("order_id", Integer, ForeignKey("orders.id"), primary_key=True),
    Column("product_id", Integer, ForeignKey("products.id"), primary_key=True),
    Column("quantity", Integer, CheckConstraint("quantity > 0"), nullable=False),
    Column("price", Integer, nullable=False),
)

# A view, so that a query of a model needs no three joins to say what a customer has paid.
CREATE_REVENUE = """
CREATE VIEW customer_revenue AS
SELECT customers.id AS customer_id, CAST(COALESCE(SUM(quantity * price), 0) AS BIGINT) AS revenue
FROM customers
LEFT JOIN orders ON orders.customer_id = customers.id
LEFT JOIN order_items ON order_items.order_id = orders.id
GROUP BY customers.id
"""
customer_revenue = Table(
    "customer_revenue", MetaData(), Column("customer_id", Integer), Column("revenue", BigInteger)
)

READABLE = frozenset({*metadata.tables, "customer_revenue"})
"""What a query may read."""
