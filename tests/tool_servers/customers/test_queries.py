"""RunQuery's two walls, each on its own: the parser, and the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text

from tests.tool_servers.customers import attempts
from tests.tool_servers.customers.databases import Database, as_reader, on_postgres
from tool_servers.customers.postgres_reader import PostgresReader
from tool_servers.customers.queries import QueryFailed, QueryTooSlow, Reader
from tool_servers.customers.statement import Refused, checked
from tool_servers.customers.tables import READABLE
from tool_servers.serving import database as databases


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
@pytest.mark.parametrize("sql", attempts.ALL)
def test_the_parser_refuses_whatever_does_more_than_read(sql: str, dialect: str) -> None:
    with pytest.raises(Refused):
        checked(sql, dialect, READABLE)


# A comment is run as nothing; what ends with the session, or is never committed, changes nothing.
HARMLESS = {
    "/*!50000 DELETE FROM customers */",
    "SET default_transaction_read_only = off",
    "SELECT lo_create(0)",
    "LISTEN x",
}


async def allowed(database: Database, reader: Reader) -> set[str]:
    """Which of the attempts the database runs; none changes anything in it."""
    own = attempts.SQLITE if reader.dialect == "sqlite" else attempts.POSTGRES
    before = await database.content()
    ran = set()
    for sql in (*attempts.EVERYWHERE, *own):
        try:
            await reader.run(sql, 10)
            ran.add(sql)
        except (QueryFailed, QueryTooSlow, OSError):
            pass
        assert await database.content() == before, sql
    return ran


async def test_the_database_by_itself_refuses_whatever_does_more_than_read(database: Database) -> None:
    assert await allowed(database, database.reader) <= HARMLESS


async def test_a_read_only_transaction_by_itself_refuses_who_may_write(postgres_url: str) -> None:
    grants = ("ALL ON ALL TABLES IN SCHEMA public", "ALL ON SCHEMA public")
    async with on_postgres(postgres_url) as database, role(postgres_url, "editor", *grants) as reader:
        assert await allowed(database, reader) <= HARMLESS


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM sqlite_master",
        "SELECT * FROM pg_catalog.pg_user",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM main.customers",
        "SELECT * FROM employees",
        "SELECT * FROM generate_series(1, 1000000000)",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM pragma_table_info('customers')",
        # A name that WITH gives elsewhere, or in other letters, is that of a real table here.
        "WITH pg_roles AS (SELECT * FROM pg_roles) SELECT * FROM pg_roles",
        "WITH a AS (SELECT * FROM pg_roles), pg_roles AS (SELECT 1) SELECT * FROM a",
        "SELECT * FROM sqlite_master, (WITH sqlite_master AS (SELECT 1) SELECT 1) AS x",
        # A quoted word that becomes SQL once its quotes are gone.
        """SELECT EXTRACT("epoch FROM now()), pg_sleep(60) --" FROM ordered_on) FROM orders""",
        """SELECT EXTRACT("year FROM now()), lo_import('x'" FROM ordered_on) FROM orders""",
        """SELECT CAST(name AS "x y") FROM customers""",
        "SELECT CAST(name AS secret.kind) FROM customers",
        "SELECT set_config('x', 'y', false)",
        "SELECT version()",
        "SELECT AS STRUCT 1",
        "SELECT $1",
        "SELECT ?",
        "SELECT :name",
        "VALUES (1)",
        "TABLE customers; ",
        "EXPLAIN SELECT 1",
        "SHOW ALL",
        "not sql at all",
        "",
        "   ",
        ";",
        "-- nothing",
        "SELECT " + "(" * 200 + "1" + ")" * 200,
        "SELECT " + "(" * 4000,
        "SELECT 'unterminated",
        "SELECT \x00",
        "SELECT 'a\x00b'",
    ],
)
def test_the_parser_refuses_other_tables_functions_and_things_that_are_no_query(sql: str) -> None:
    for dialect in ("sqlite", "postgres"):
        if sql.startswith("TABLE") and dialect == "postgres":
            continue  # there it is another word for SELECT * FROM
        with pytest.raises(Refused):
            checked(sql, dialect, READABLE)


@pytest.mark.parametrize(
    "value",
    [
        "left(name, 2)",
        "right(name, 2)",
        "concat(name, '!')",
        "EXTRACT(YEAR FROM created_on)",
        "current_date - INTERVAL '1 day'",
    ],
)
def test_what_sqlite_does_not_know_is_refused_with_what_it_does(value: str) -> None:
    with pytest.raises(Refused, match=r"is not known to this database; take parts .* by substring, join"):
        checked(f"SELECT {value} FROM customers", "sqlite", READABLE)

    assert checked(f"SELECT {value} FROM customers", "postgres", READABLE)


def test_a_name_in_other_letters_is_another_table_to_postgresql() -> None:
    with pytest.raises(Refused):
        checked('WITH "PG_ROLES" AS (SELECT 1) SELECT * FROM PG_ROLES', "postgres", READABLE)


# How many customers there are of whom the view does not say what their orders say.
REVENUE = """
WITH paid AS (
    SELECT customer_id, sum(quantity * price) AS cents
    FROM orders JOIN order_items ON order_id = orders.id
    GROUP BY customer_id
)
SELECT count(*) FROM paid
JOIN customer_revenue AS view ON view.customer_id = paid.customer_id
WHERE revenue <> cents
"""

QUESTIONS: list[tuple[str, list[list[object]]]] = [
    ("SELECT count(*) FROM customers", [[200]]),
    ("SELECT count(*) FROM customers /* all; DELETE */ -- of them", [[200]]),
    ("SELECT 'it''s; DELETE FROM customers'", [["it's; DELETE FROM customers"]]),
    ("SELECT name FROM products WHERE price > 10000", [["Teapots, 6"]]),
    (
        "SELECT category, count(*) FROM products GROUP BY category HAVING count(*) = 4 ORDER BY category",
        [["pantry", 4], ["sweets", 4], ["tea", 4]],
    ),
    (
        "WITH dear AS (SELECT * FROM products WHERE price >= 9900) SELECT max(price), min(price) FROM dear",
        [[11400, 9900]],
    ),
    (
        "SELECT CASE WHEN price > 5000 THEN 'dear' ELSE 'cheap' END AS k, count(*) FROM products GROUP BY k",
        [["cheap", 7], ["dear", 10]],
    ),
    ("SELECT upper(substring(name, 1, 4)) FROM products WHERE id = 12", [["ORAN"]]),
    ("SELECT count(DISTINCT customer_id) FROM orders WHERE ordered_on BETWEEN '2019' AND '2020'", [[0]]),
    ("SELECT 1 UNION SELECT 2 ORDER BY 1", [[1], [2]]),
    ("SELECT name, row_number() OVER (ORDER BY price DESC) FROM products LIMIT 1", [["Teapots, 6", 1]]),
    ("SELECT (SELECT count(*) FROM products) - count(*) FROM customers WHERE country IN ('XX')", [[17]]),
    ("SELECT coalesce(NULL, 'x') || 'y'", [["xy"]]),
    ("SELECT avg(price), round(max(price) / 7.0, 1), 0.5 FROM products", [[6041.176470588235, 1628.6, 0.5]]),
    (REVENUE, [[0]]),
    ("SELECT COUNT(*) FROM Customers AS c; -- all of them", [[200]]),
    ("WITH a AS (SELECT 1 AS n), b AS (SELECT n + 1 AS n FROM A) SELECT * FROM b", [[2]]),
    ("SELECT * FROM (WITH a AS (SELECT 3 AS n) SELECT n FROM a) AS x", [[3]]),
    (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t",
        [[6]],
    ),
    (
        "SELECT 'a\\', '\\', '\"', '{{x}}', '%s', '$1', ':x', '李'",
        [["a\\", "\\", '"', "{{x}}", "%s", "$1", ":x", "李"]],
    ),
]


@pytest.mark.parametrize(("sql", "rows"), QUESTIONS)
async def test_questions_in_standard_sql_are_answered_alike_by_both_databases(
    database: Database, sql: str, rows: list[list[object]]
) -> None:
    found = await database.reader.run(checked(sql, database.reader.dialect, READABLE), 100)

    assert not found.truncated
    assert sorted(list(row) for row in found.rows) == rows


@asynccontextmanager
async def role(url: str, name: str, *grants: str) -> AsyncIterator[PostgresReader]:
    """Queries as another user of the same database, who is gone afterwards."""
    owner = await asyncpg.connect(url)
    await owner.execute(f"CREATE ROLE {name} LOGIN")
    for grant in grants:
        await owner.execute(f"GRANT {grant} TO {name}")
    try:
        yield PostgresReader(databases.parse(url.replace("owner@", f"{name}@")))
    finally:
        await owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")
        await owner.close()


async def test_a_user_of_postgresql_who_may_write_cannot_by_a_query(postgres_url: str) -> None:
    async with on_postgres(postgres_url) as database:
        before = await database.content()
        async with database.engine.begin() as connection:
            await connection.execute(text(WIPE))

        async with role(postgres_url, "writer", "ALL ON ALL TABLES IN SCHEMA public") as reader:
            with pytest.raises(QueryFailed, match="read-only transaction"):
                await reader.run("SELECT wipe()", 1)
            with pytest.raises(QueryFailed, match="read-write mode"):
                await reader.run("SELECT set_config('transaction_read_only', 'off', true), wipe()", 1)

        async with database.engine.begin() as connection:
            await connection.execute(text("DROP FUNCTION wipe"))
        assert await database.content() == before


WIPE = "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM order_items'"


@pytest.mark.parametrize("grant", ["pg_read_server_files", "pg_execute_server_program", "owner"])
async def test_who_may_read_files_by_postgresql_is_not_let_near_queries(
    postgres_url: str, grant: str
) -> None:
    async with role(postgres_url, "curious", grant) as reader:
        with pytest.raises(ValueError, match="may read its files"):
            await reader.check()


async def test_a_superuser_of_postgresql_is_not_let_near_queries(postgres_url: str) -> None:
    async with on_postgres(postgres_url):
        with pytest.raises(ValueError, match="superuser"):
            await PostgresReader(databases.parse(postgres_url)).check()
        await PostgresReader(databases.parse(as_reader(postgres_url))).check()
