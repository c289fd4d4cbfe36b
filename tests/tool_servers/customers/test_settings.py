"""What the environment tells the customer service, and what it says of a database that cannot be used."""

from pathlib import Path

import pytest
from customers.v1 import customers_pb2, customers_pb2_grpc
from google.protobuf.json_format import MessageToDict
from grpc import StatusCode

from tests.tool_servers.customers.databases import as_reader, on_postgres
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure


async def test_by_itself_it_has_made_up_data_that_is_the_same_at_every_start() -> None:
    answers = []
    for _ in range(2):
        async with running("customers") as (_, channel):
            customers = customers_pb2_grpc.CustomerServiceStub(channel)
            answers.append(await customers.GetCustomers(customers_pb2.GetCustomersRequest(limit=200)))

    assert answers[0] == answers[1]
    assert answers[0].total == 200


async def test_postgresql_is_chosen_by_its_url_and_is_given_data_when_asked(postgres_url: str) -> None:
    async with on_postgres(postgres_url):
        settings = {"DATABASE_URL": postgres_url, "QUERY_DATABASE_URL": as_reader(postgres_url)}
        async with running("customers", "--seed", **settings) as (_, channel):
            customers = customers_pb2_grpc.CustomerServiceStub(channel)
            response = await customers.RunQuery(
                customers_pb2.RunQueryRequest(sql="SELECT count(*) FROM customers")
            )

    assert MessageToDict(response)["rows"] == [[200]]


async def test_a_database_that_is_gone_is_told_without_its_place(tmp_path: Path) -> None:
    async with running("customers", "--seed", DATABASE_URL=f"sqlite:///{tmp_path}/sales.db") as (_, channel):
        customers = customers_pb2_grpc.CustomerServiceStub(channel)
        (tmp_path / "sales.db").unlink()
        (tmp_path / "sales.db").mkdir()

        code, message, _ = await failure(
            customers.RunQuery(customers_pb2.RunQueryRequest(sql="SELECT count(*) FROM customers"))
        )

    assert code == StatusCode.UNAVAILABLE
    assert str(tmp_path) not in message


async def test_postgresql_is_reached_as_its_url_says(postgres_url: str) -> None:
    async with on_postgres(postgres_url):
        settings = {
            "DATABASE_URL": f"{postgres_url}?sslmode=disable",
            "QUERY_DATABASE_URL": f"{as_reader(postgres_url)}?sslmode=disable",
        }
        async with running("customers", **settings) as (_, channel):
            customers = customers_pb2_grpc.CustomerServiceStub(channel)
            response = await customers.GetCustomers(customers_pb2.GetCustomersRequest(limit=1))

    assert response.total == 200


@pytest.mark.parametrize(
    ("database", "reader", "words"),
    [
        ("?sslmode=maybe", "", "sslmode"),
        ("?sslmode=require", "", "SSL"),
        ("", "?sslmode=require", "SSL"),
        ("-of-nobody", "", "does not exist"),
    ],
)
async def test_a_postgresql_that_cannot_be_used_is_told_at_the_start(
    postgres_url: str, database: str, reader: str, words: str
) -> None:
    async with on_postgres(postgres_url):
        settings = {
            "DATABASE_URL": f"{postgres_url}{database}",
            "QUERY_DATABASE_URL": f"{as_reader(postgres_url)}{reader}",
        }
        await refuses("customers", words, "--address", "127.0.0.1:0", **settings)


@pytest.mark.parametrize("content", [b"", b"no database" * 100])
async def test_a_file_without_customers_is_told_at_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    words = "the database has no customers that can be read; --seed makes tables"

    await refuses("customers", words, "--address", "127.0.0.1:0", DATABASE_URL=f"sqlite:///{tmp_path}/x.db")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DATABASE_URL": "mysql://root:hidden@localhost/x"}, "a database of the kind 'mysql' is not known"),
        ({"DATABASE_URL": "hidden"}, "the database URL cannot be read"),
        ({"DATABASE_URL": ""}, "the database URL cannot be read"),
        ({"DATABASE_URL": "postgresql://me:hidden/x"}, "the database URL cannot be read"),
        (
            {"DATABASE_URL": "postgresql://me@127.0.0.1:1/x", "QUERY_DATABASE_URL": "sqlite:///x.db"},
            "QUERY_DATABASE_URL is not of the kind of DATABASE_URL",
        ),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL names no file"),
        ({"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "127.0.0.1"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line(environment: dict[str, str], words: str) -> None:
    await refuses("customers", words, "--address", "127.0.0.1:0", **environment)
