"""What bounds a query of RunQuery: rows, characters, memory, time; and what is no fault of the statement."""

import asyncio
import os
import resource
import select
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from tests.tool_servers.customers.databases import Database, on_postgres, on_sqlite
from tool_servers.customers.queries import QueryFailed, QueryTooSlow
from tool_servers.customers.sqlite_reader import SqliteReader
from tool_servers.customers.statement import checked
from tool_servers.customers.tables import READABLE
from tool_servers.serving import database as databases


async def test_rows_beyond_those_wanted_are_left_out_and_that_is_told(database: Database) -> None:
    some = await database.reader.run("SELECT id FROM customers ORDER BY id", 3)
    every = await database.reader.run("SELECT id FROM customers ORDER BY id", 200)

    assert ([row[0] for row in some.rows], some.truncated) == ([1, 2, 3], True)
    assert (len(every.rows), every.truncated) == (200, False)


async def test_a_lot_of_text_is_cut(database: Database) -> None:
    long = "||".join(["'" + "x" * 400 + "'"] * 30)

    found = await database.reader.run(f"SELECT {long} FROM customers", 1000)

    assert found.truncated
    assert str(found.rows[0][0]).endswith("… (cut)")
    assert sum(len(str(value)) for row in found.rows for value in row) <= 500_000


# 89,100 letters out of few.
LONG = f"replace(replace('{'a' * 99}', 'a', '{'b' * 90}'), 'b', '{'c' * 10}')"


async def test_long_values_are_cut_before_they_fill_the_memory(database: Database) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = await database.reader.run(f"SELECT {LONG}, {LONG}, {LONG} FROM orders", 1000)

    assert found.truncated
    assert {len(str(value)) for value in found.rows[0]} == {10_007}
    # In KiB; the values of all rows are 260 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


async def test_rows_with_very_many_columns_are_left_out_before_they_are_too_much(database: Database) -> None:
    found = await database.reader.run(f"SELECT {', '.join(['0'] * 1500)} FROM orders", 1000)

    assert found.truncated
    assert 0 < len(found.rows) < 100


@pytest.mark.parametrize("sql", ["SELECT * FROM sqlite_master", "SELECT secret FROM other"])
async def test_sqlite_by_itself_reads_no_other_table(tmp_path: Path, sql: str) -> None:
    async with on_sqlite(tmp_path) as database:
        async with database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE other AS SELECT 'hidden' AS secret"))

        with pytest.raises(QueryFailed, match=r"prohibited|not authorized"):
            await database.reader.run(sql, 10)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT CAST('20000-01-01' AS date)", "20000-01-01"),
        ("SELECT CAST('infinity' AS timestamp)", "infinity"),
        ("SELECT CAST('0044-03-15 BC' AS date)", "0044-03-15 BC"),
        ("SELECT CAST('NaN' AS double precision)", "nan"),
        ("SELECT c FROM (SELECT 1 AS n, 'x' AS t) AS c", "(1,x)"),
        ("SELECT CAST('{1,2}' AS integer[])", "{1,2}"),
    ],
)
async def test_values_that_are_no_numbers_are_what_postgresql_writes(
    postgres_url: str, sql: str, value: str
) -> None:
    async with on_postgres(postgres_url) as database:
        found = await database.reader.run(checked(sql, "postgres", READABLE), 1)

    assert [list(row) for row in found.rows] == [[value]]


async def test_a_number_without_an_end_is_text(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path) as database:
        found = await database.reader.run("SELECT 1e999, -1e999", 1)

    assert [list(row) for row in found.rows] == [["inf", "-inf"]]


ENDLESS = "SELECT count(*) FROM order_items a, order_items b, order_items c, order_items d"


async def test_a_statement_without_an_end_is_broken_off_by_sqlite(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path, timeout=0.3) as database:
        with pytest.raises(QueryTooSlow):
            await database.reader.run(ENDLESS, 10)


async def test_a_statement_without_an_end_is_broken_off_by_postgresql(postgres_url: str) -> None:
    async with on_postgres(postgres_url, timeout=0.3) as database:
        with pytest.raises(QueryTooSlow):
            await database.reader.run(ENDLESS, 10)


async def test_what_sets_its_own_timeout_is_broken_off_all_the_same(postgres_url: str) -> None:
    off = "SELECT set_config('statement_timeout', '0', false) FROM orders"
    async with on_postgres(postgres_url, timeout=0.3) as database:
        with pytest.raises(QueryTooSlow):
            await database.reader.run(f"{off} UNION ALL SELECT 'x' FROM pg_sleep(60)", 10_000)


async def test_functions_that_take_long_are_broken_off_by_sqlite_all_the_same(tmp_path: Path) -> None:
    text = f"replace(replace('{'a' * 99}', 'a', '{'b' * 90}'), 'b', '{'c' * 9}')"
    slow = f"instr({text}, substr({text}, 1, 40000 + a.price % 100) || 'd')"
    async with on_sqlite(tmp_path, timeout=0.3) as database:
        with pytest.raises(QueryTooSlow):
            await database.reader.run(f"SELECT count({slow}) FROM order_items a, order_items b", 1)


async def test_a_query_for_which_nobody_waits_any_more_is_stopped_by_sqlite(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path, timeout=60) as database:
        query = asyncio.create_task(database.reader.run(ENDLESS, 1))
        # Threads take up work in its order: when this is done, the query has begun.
        await asyncio.to_thread(time.sleep, 0)
        query.cancel()
        with pytest.raises(asyncio.CancelledError):
            await query

        # It waits for the threads that are at work.
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 30)


async def test_a_query_for_which_nobody_waits_any_more_is_stopped_by_postgresql(postgres_url: str) -> None:
    async with on_postgres(postgres_url, timeout=60) as database:
        watch = await asyncpg.connect(postgres_url)
        query = asyncio.create_task(database.reader.run(ENDLESS, 1))
        await until(watch, running=True)
        query.cancel()
        with pytest.raises(asyncio.CancelledError):
            await query
        await until(watch, running=False)
        await watch.close()


async def until(watch: asyncpg.Connection, *, running: bool) -> None:
    """Waits until the endless query runs in PostgreSQL, or does no more."""
    sql = (
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'reader' AND query LIKE '%order_items a%'"
    )
    async with asyncio.timeout(30):
        while await watch.fetchval(sql) != running:
            pass


async def test_a_postgresql_that_goes_down_is_no_fault_of_the_statement(postgres_url: str) -> None:
    async with on_postgres(postgres_url, timeout=60) as database:
        watch = await asyncpg.connect(postgres_url)
        query = asyncio.create_task(database.reader.run(ENDLESS, 1))
        await until(watch, running=True)
        await watch.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
        await watch.close()

        with pytest.raises(OSError, match="connection"):
            await query


@pytest.mark.parametrize("steps", range(5))
async def test_a_connection_that_postgresql_closes_at_any_moment_is_no_fault_of_the_statement(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    connect = databases.connect

    async def connect_and_lose(url: URL, **options: Any) -> asyncpg.Connection:
        connection = await connect(url, **options)
        os.kill(connection.get_server_pid(), signal.SIGTERM)
        # PostgreSQL has said good-bye; so many steps of the event loop later the statement is sent.
        select.select([connection._transport.get_extra_info("socket")], [], [])
        for _ in range(steps):
            await asyncio.sleep(0)
        return connection

    async with on_postgres(postgres_url) as database:
        monkeypatch.setattr(databases, "connect", connect_and_lose)
        with pytest.raises(OSError, match="connection"):
            await database.reader.run("SELECT 1", 1)


async def test_a_file_that_is_no_database_is_no_fault_of_the_statement(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"no database" * 100)

    with pytest.raises(OSError, match="not a database"):
        await SqliteReader(file).run("SELECT 1 FROM customers", 1)


async def test_a_database_that_another_has_locked_is_no_fault_of_the_statement(tmp_path: Path) -> None:
    async with on_sqlite(tmp_path, timeout=0.3) as database:
        with sqlite3.connect(tmp_path / "sales.db", isolation_level=None) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(OSError, match="locked"):
                await database.reader.run("SELECT 1 FROM customers", 1)
        other.close()


async def test_many_queries_at_once_leave_postgresql_connections_for_others(postgres_url: str) -> None:
    async with on_postgres(postgres_url) as database:
        others = await asyncpg.connect(postgres_url)
        limit = int(await others.fetchval("SHOW max_connections"))

        found = await asyncio.gather(*(database.reader.run("SELECT 1", 1) for _ in range(limit + 20)))
        await others.close()

    assert [list(each.rows[0]) for each in found] == [[1]] * (limit + 20)
