"""extract.v1 requests → records."""

import datetime
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import grpc.aio
from extract.v1 import extract_pb2, extract_pb2_grpc
from google.rpc import error_details_pb2
from sqlalchemy.exc import SQLAlchemyError

from tool_servers.extract.store import MAX_RECORDS, Kept, Store, StoreFull
from tool_servers.serving.failures import Failure, Violation, invalid_request, reason
from tool_servers.serving.server import Service

_DESCRIPTOR = extract_pb2.DESCRIPTOR.services_by_name["ExtractService"]
_DEFAULT_LIMIT = 20
_OLDEST = datetime.date(1850, 1, 1)

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
        if person.birthday:
            _check_birthday(person.birthday)
        # In one order, so that the same person has the same bytes.
        data = person.SerializeToString(deterministic=True)
        with _database():
            kept = await self._store.save(person.name.strip(), data, request.source)
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
        limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
        with _database():
            found, total = await self._store.find(request.name_contains, limit)
        return extract_pb2.ListRecordsResponse(records=map(_record, found), total=total)


def _check_birthday(text: str) -> None:
    field = "person.birthday"
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        what = f'"{text}" is no day of the calendar; leave it out when the text does not tell it'
        raise invalid_request([Violation(field=field, description=what)]) from None
    if not _OLDEST <= day <= datetime.datetime.now(datetime.UTC).date():
        what = f'"{text}" is no birthday of somebody who lives or has lived lately; see what the text says'
        raise invalid_request([Violation(field=field, description=what)])


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
        logger.warning("the database cannot be used: %s", type(error).__name__)
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
