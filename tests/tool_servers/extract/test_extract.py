"""What a client of the extract service sees, over real gRPC, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from extract.v1 import extract_pb2, extract_pb2_grpc
from google.rpc import error_details_pb2
from grpc import StatusCode
from sqlalchemy import text

from tests.tool_servers.conftest import Elsewhere, Serve
from tests.tool_servers.process import refuses, running
from tests.tool_servers.served import failure
from tool_servers.extract.service import extract_service
from tool_servers.extract.store import open_store
from tool_servers.serving import database
from tool_servers.serving.server import ToolServer

SOURCE = "李雷, born on 14 May 1990, is an engineer; write to li@example.com."


def person(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "name": "李雷",
        "birthday": "1990-05-14",
        "emails": ["li@example.com"],
        "phones": ["+86 10 1234 5678"],
        "occupation": "engineer",
        "address": {"city": "Beijing", "country": "CN"},
        "more": {"hobby": "chess", "shoe size": "43"},
    }
    return given | changes


def saving(**changes: Any) -> extract_pb2.SaveRecordRequest:
    return extract_pb2.SaveRecordRequest(person=person(**changes), source=SOURCE)


@pytest.fixture(params=["sqlite", "postgres"])
async def serving(
    request: pytest.FixtureRequest, tmp_path: Path, serve_service: Serve
) -> AsyncIterator[tuple[ToolServer, Any]]:
    """The service over an empty store, and a channel to it."""
    url = f"sqlite:///{tmp_path}/records.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    async with open_store(database.parse(url)) as store:
        async with store._engine.begin() as connection:
            await connection.execute(text("DELETE FROM extract_records"))
        yield await serve_service(extract_service(store))


@pytest.fixture
def records(serving: tuple[ToolServer, Any]) -> Any:
    """A stub of it."""
    return extract_pb2_grpc.ExtractServiceStub(serving[1])


async def total(records: Any) -> int:
    response = await records.ListRecords(extract_pb2.ListRecordsRequest())
    return int(response.total)


async def test_a_record_is_kept_whole_and_read_again(records: Any) -> None:
    saved = await records.SaveRecord(saving())
    read = await records.GetRecord(extract_pb2.GetRecordRequest(id=saved.id))

    assert saved.person == saving().person
    assert (saved.source, saved.existed) == (SOURCE, False)
    assert saved.HasField("create_time")
    saved.existed = True
    assert read == saved


async def test_what_is_there_already_is_not_saved_twice_not_even_by_many_at_once(records: Any) -> None:
    answers = await asyncio.gather(*(records.SaveRecord(saving()) for _ in range(8)))
    # The same, written in another order.
    again = await records.SaveRecord(saving(more={"shoe size": "43", "hobby": "chess"}))

    assert len({answer.id for answer in (*answers, again)}) == 1
    assert sorted(answer.existed for answer in answers) == [False] + [True] * 7
    assert again.existed
    assert await total(records) == 1


async def test_another_person_is_another_record(records: Any) -> None:
    one = await records.SaveRecord(saving())
    other = await records.SaveRecord(saving(birthday="1990-05-15"))

    assert one.id != other.id
    assert await total(records) == 2


async def test_records_are_listed_the_latest_first_and_found_by_name(records: Any) -> None:
    for name in ("Ada Lovelace", "Grace Hopper", "ada palmer", "100%"):
        await records.SaveRecord(saving(name=name))

    async def names(**wanted: Any) -> list[str]:
        response = await records.ListRecords(extract_pb2.ListRecordsRequest(**wanted))
        return [record.person.name for record in response.records]

    assert await names() == ["100%", "ada palmer", "Grace Hopper", "Ada Lovelace"]
    assert await names(limit=1) == ["100%"]
    assert await names(name_contains="ADA") == ["ada palmer", "Ada Lovelace"]
    assert await names(name_contains="%") == ["100%"]
    assert await names(name_contains="' OR 1=1 --") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Ada Lovelace", "birthday": "1815-12-10"},
        {"birthday": "2024-02-29"},
        {"name": "عبد الله"},
        {"phones": ["(010) 1234-5678", "+49.30.123456"]},
        {"name": "O'Brien; DROP TABLE extract_records; --"},
        {"name": "😀" * 200},
    ],
)
async def test_whoever_a_text_tells_of_is_kept(records: Any, changes: dict[str, Any]) -> None:
    saved = await records.SaveRecord(saving(**changes))

    assert saved.person == saving(**changes).person
    assert await total(records) == 1


async def test_blanks_around_a_name_make_no_other_person(records: Any) -> None:
    saved = await records.SaveRecord(saving(name="Ada"))
    again = await records.SaveRecord(saving(name=" Ada\u3000"))

    assert (again.id, again.existed, again.person.name) == (saved.id, True, "Ada")


async def test_an_unknown_record_is_not_found(records: Any) -> None:
    code, message, (info, _) = await failure(records.GetRecord(extract_pb2.GetRecordRequest(id=2**40)))

    assert code == StatusCode.NOT_FOUND
    assert f'"{2**40}"' in message
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert info.reason == "RECORD_NOT_FOUND"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["person.name"]),
        ({"name": " "}, ["person.name"]),
        ({"name": "\u3000"}, ["person.name"]),
        ({"name": "\u200b\xa0"}, ["person.name"]),
        ({"name": "a\0b", "birthday": "2999-01-01"}, ["person.name", "person.birthday"]),
        ({"name": "x" * 201}, ["person.name"]),
        ({"birthday": "14 May 1990"}, ["person.birthday"]),
        ({"birthday": "1990-02-30"}, ["person.birthday"]),
        ({"birthday": "2023-02-29"}, ["person.birthday"]),
        ({"birthday": "0000-01-01"}, ["person.birthday"]),
        ({"birthday": "2999-01-01"}, ["person.birthday"]),
        ({"emails": ["nobody"]}, ["person.emails[0]"]),
        ({"emails": ["a@b.c", "a@b.c"]}, ["person.emails"]),
        ({"emails": [f"a{n}@b.c" for n in range(11)]}, ["person.emails"]),
        ({"phones": ["+86 10 1234 5678", "call me"]}, ["person.phones[1]"]),
        ({"phones": ["12345", "12345"]}, ["person.phones"]),
        ({"phones": [f"{n}12345" for n in range(11)]}, ["person.phones"]),
        ({"employer": "x" * 201}, ["person.employer"]),
        ({"occupation": "x" * 201}, ["person.occupation"]),
        ({"address": {"street": "x" * 201}}, ["person.address.street"]),
        ({"address": {"city": "x" * 101}}, ["person.address.city"]),
        ({"address": {"postal_code": "x" * 21}}, ["person.address.postal_code"]),
        ({"address": {"country": "China"}}, ["person.address.country"]),
        ({"more": {"": "x"}}, ['person.more[""]']),
        ({"more": {"x" * 51: "x"}}, [f'person.more["{"x" * 51}"]']),
        ({"more": {"x": "x" * 501}}, ['person.more["x"]']),
        ({"more": {str(n): "x" for n in range(21)}}, ["person.more"]),
        ({"name": "", "emails": ["nobody"]}, ["person.name", "person.emails[0]"]),
    ],
)
async def test_a_bad_record_is_refused_naming_every_bad_field_and_nothing_is_saved(
    records: Any,
    serving: tuple[ToolServer, Any],
    elsewhere: Elsewhere,
    changes: dict[str, Any],
    fields: list[str],
) -> None:
    abroad: Any = extract_pb2_grpc.ExtractServiceStub(elsewhere(serving[0]))

    code, message, (bad,) = await failure(abroad.SaveRecord(saving(**changes)))

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert list(dict.fromkeys(each.field for each in bad.field_violations)) == fields
    assert all(each.description in message for each in bad.field_violations)
    assert await total(records) == 0


@pytest.mark.parametrize(
    ("method", "given", "field"),
    [
        ("SaveRecord", {}, "person"),
        ("SaveRecord", {"person": {"name": "x"}, "source": "x" * 5001}, "source"),
        ("SaveRecord", {"person": {"name": "x"}, "source": "a\0b"}, "source"),
        ("GetRecord", {}, "id"),
        ("GetRecord", {"id": -1}, "id"),
        ("ListRecords", {"name_contains": "x" * 101}, "name_contains"),
        ("ListRecords", {"name_contains": "a\0b"}, "name_contains"),
        ("ListRecords", {"limit": 0}, "limit"),
        ("ListRecords", {"limit": 101}, "limit"),
    ],
)
async def test_a_bad_request_is_refused_naming_its_field(
    records: Any,
    serving: tuple[ToolServer, Any],
    elsewhere: Elsewhere,
    method: str,
    given: dict[str, Any],
    field: str,
) -> None:
    abroad: Any = extract_pb2_grpc.ExtractServiceStub(elsewhere(serving[0]))
    request = getattr(extract_pb2, f"{method}Request")(**given)

    code, _, (bad,) = await failure(getattr(abroad, method)(request))

    assert code == StatusCode.INVALID_ARGUMENT
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [each.field for each in bad.field_violations] == [field]
    assert await total(records) == 0


async def test_records_outlive_the_service_in_a_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    async with running("extract", DATABASE_URL=url) as (_, channel):
        saved = await extract_pb2_grpc.ExtractServiceStub(channel).SaveRecord(saving())
    async with running("extract", DATABASE_URL=url) as (_, channel):
        again = await extract_pb2_grpc.ExtractServiceStub(channel).SaveRecord(saving())

    assert (again.id, again.existed) == (saved.id, True)


async def test_a_store_that_is_full_saves_nothing_more(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tool_servers.extract.store.MAX_RECORDS", 1)
    await records.SaveRecord(saving())
    again = await records.SaveRecord(saving())

    code, message, _ = await failure(records.SaveRecord(saving(name="Ada")))

    assert again.existed
    assert code == StatusCode.RESOURCE_EXHAUSTED
    assert message.endswith("nothing was saved")
    assert await total(records) == 1


async def test_postgresql_is_reached_as_its_url_says(postgres_url: str) -> None:
    async with running("extract", DATABASE_URL=f"{postgres_url}?sslmode=disable") as (_, channel):
        stub = extract_pb2_grpc.ExtractServiceStub(channel)
        assert (await stub.ListRecords(extract_pb2.ListRecordsRequest(limit=1))).total >= 0

    settings = {"DATABASE_URL": f"{postgres_url}?sslmode=require"}
    await refuses("extract", "SSL", "--address", "127.0.0.1:0", **settings)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DATABASE_URL": "mysql://root:hidden@localhost/x"}, "a database of the kind 'mysql' is not known"),
        ({"DATABASE_URL": ""}, "the database URL cannot be read"),
        ({"DATABASE_URL": "sqlite:////nowhere/x.db"}, "the database cannot be used"),
        ({"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "127.0.0.1"),
    ],
)
async def test_a_wrong_setting_is_exit_status_2_and_one_line(environment: dict[str, str], words: str) -> None:
    await refuses("extract", words, "--address", "127.0.0.1:0", **environment)
