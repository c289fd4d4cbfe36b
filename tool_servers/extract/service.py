"""extract.v1 requests → records."""

import datetime
import logging
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import grpc.aio
from extract.v1 import extract_pb2, extract_pb2_grpc
from google.rpc import error_details_pb2
from sqlalchemy.exc import SQLAlchemyError

from tool_servers.extract.store import MAX_RECORDS, Kept, Store, StoreFull
from tool_servers.serving import database
from tool_servers.serving.failures import Failure, Violation, invalid_request, reason
from tool_servers.serving.server import Service

_DESCRIPTOR = extract_pb2.DESCRIPTOR.services_by_name["ExtractService"]
_DEFAULT_LIMIT = 20
_EAST = datetime.timedelta(hours=14)
_UNSEEN = ("Zs", "Zl", "Zp", "Cc", "Cf")
"""Categories of characters that nobody sees: blanks, ends of lines, controls, formats."""
# PostgreSQL keeps no text with it.
_NO_TEXT = "has the character U+0000, which no text has; send it without"

logger = logging.getLogger(__name__)


def extract_service(store: Store) -> Service:
    """What is served."""
    return Service(
        descriptor=_DESCRIPTOR,
        servicer=ExtractService(store),
        register=extract_pb2_grpc.add_ExtractServiceServicer_to_server,
    )


class ExtractService(extract_pb2_grpc.ExtractServiceServicer):
    """Answers SaveRecord, GetRecord and ListRecords."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def SaveRecord(
        self,
        request: extract_pb2.SaveRecordRequest,
        context: grpc.aio.ServicerContext[extract_pb2.SaveRecordRequest, extract_pb2.Record],
    ) -> extract_pb2.Record:
        person = request.person
        person.name = person.name.strip()
        problems = list(_problems(request))
        if problems:
            raise invalid_request(problems)
        # In one order, so that the same person has the same bytes.
        data = person.SerializeToString(deterministic=True)
        with _database():
            kept = await self._store.save(person.name, data, request.source)
        return _record(kept)

    async def GetRecord(
        self,
        request: extract_pb2.GetRecordRequest,
        context: grpc.aio.ServicerContext[extract_pb2.GetRecordRequest, extract_pb2.Record],
    ) -> extract_pb2.Record:
        with _database():
            kept = await self._store.get(request.id)
        if kept is None:
            cure = "ListRecords tells which there are"
            raise Failure(
                grpc.StatusCode.NOT_FOUND,
                f'there is no record "{request.id}"; {cure}',
                reason(_DESCRIPTOR.full_name, "RECORD_NOT_FOUND"),
                error_details_pb2.ResourceInfo(
                    resource_type="record", resource_name=str(request.id), description=cure
                ),
            )
        return _record(kept)

    async def ListRecords(
        self,
        request: extract_pb2.ListRecordsRequest,
        context: grpc.aio.ServicerContext[extract_pb2.ListRecordsRequest, extract_pb2.ListRecordsResponse],
    ) -> extract_pb2.ListRecordsResponse:
        if "\0" in request.name_contains:
            raise invalid_request([Violation(field="name_contains", description=_NO_TEXT)])
        limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
        with _database():
            found, total = await self._store.find(request.name_contains, limit)
        return extract_pb2.ListRecordsResponse(records=map(_record, found), total=total)


def _problems(request: extract_pb2.SaveRecordRequest) -> Iterator[Violation]:
    """What the rules of the .proto cannot say."""
    name = request.person.name
    if all(unicodedata.category(character) in _UNSEEN for character in name):
        yield Violation(field="person.name", description="must be the person's name, as the text writes it")
    for field, text in (("person.name", name), ("source", request.source)):
        if "\0" in text:
            yield Violation(field=field, description=_NO_TEXT)
    if request.person.birthday:
        yield from _birthday_problems(request.person.birthday)


def _birthday_problems(text: str) -> Iterator[Violation]:
    field = "person.birthday"
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        what = f'"{text}" is no day of the calendar; leave it out when the text does not tell it'
        yield Violation(field=field, description=what)
        return
    # A day begins earlier in the east than it does in UTC.
    if day > (datetime.datetime.now(datetime.UTC) + _EAST).date():
        what = f'"{text}" has not come yet; see what the text says, and leave it out when it does not tell it'
        yield Violation(field=field, description=what)


@contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except StoreFull:
        raise Failure(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            f"there are {MAX_RECORDS} records, as many as are kept; nothing was saved",
            reason(_DESCRIPTOR.full_name, "STORE_FULL"),
        ) from None
    except (OSError, SQLAlchemyError) as error:
        logger.warning("the database cannot be used: %s", database.cause(error))
        raise Failure(
            grpc.StatusCode.UNAVAILABLE,
            "the database of the records cannot be used; try again later",
            reason(_DESCRIPTOR.full_name, "DATABASE_UNAVAILABLE"),
        ) from error


def _record(kept: Kept) -> extract_pb2.Record:
    record = extract_pb2.Record(id=kept.id, source=kept.source, existed=kept.existed)
    record.person.ParseFromString(kept.person)
    record.create_time.FromDatetime(kept.created_at)
    return record
