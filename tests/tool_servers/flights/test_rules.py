"""Every rule of every request, broken: what the client is told, and that nothing is written."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from buf.validate import validate_pb2
from flights.v1 import flights_pb2
from google.protobuf.descriptor import Descriptor
from google.rpc import error_details_pb2
from grpc_status import rpc_status

if TYPE_CHECKING:
    from flights.v1.flights_pb2_grpc import FlightServiceAsyncStub as Stub

SERVICE = flights_pb2.DESCRIPTOR.services_by_name["FlightService"]
SEARCH: dict[str, Any] = {"origin": "Beijing", "destination": "Shanghai", "date": "2026-03-02"}
BOOK: dict[str, Any] = {"flight_id": "PEK-SHA-20260302-CRN732-ECONOMY", "passenger_names": ["Wang Fang"]}

# The method, arguments, and the fields that are wrong in them.
WRONG: list[tuple[str, dict[str, Any], list[str]]] = [
    ("SearchFlights", {}, ["origin", "destination", "date"]),
    ("SearchFlights", SEARCH | {"origin": ""}, ["origin"]),
    ("SearchFlights", SEARCH | {"origin": "x" * 101}, ["origin"]),
    ("SearchFlights", SEARCH | {"destination": ""}, ["destination"]),
    ("SearchFlights", SEARCH | {"destination": "北" * 101}, ["destination"]),
    ("SearchFlights", SEARCH | {"date": ""}, ["date"]),
    ("SearchFlights", SEARCH | {"date": "tomorrow"}, ["date"]),
    ("SearchFlights", SEARCH | {"date": "2026-3-2"}, ["date"]),
    ("SearchFlights", SEARCH | {"date": "2026-03-02T00:00:00Z"}, ["date"]),
    ("SearchFlights", SEARCH | {"cabin": 5}, ["cabin"]),
    ("SearchFlights", SEARCH | {"cabin": -1}, ["cabin"]),
    ("SearchFlights", SEARCH | {"passengers": 0}, ["passengers"]),
    ("SearchFlights", SEARCH | {"passengers": 10}, ["passengers"]),
    ("SearchFlights", SEARCH | {"sort_order": 4}, ["sort_order"]),
    ("SearchFlights", SEARCH | {"page_size": 0}, ["page_size"]),
    ("SearchFlights", SEARCH | {"page_size": 51}, ["page_size"]),
    ("SearchFlights", SEARCH | {"page_token": "x" * 101}, ["page_token"]),
    (
        "SearchFlights",
        {"date": "soon", "cabin": 9, "page_size": -1},
        ["origin", "destination", "date", "cabin", "page_size"],
    ),
    ("HoldFlight", {}, ["flight_id"]),
    ("HoldFlight", {"flight_id": "x" * 65}, ["flight_id"]),
    ("HoldFlight", {"flight_id": BOOK["flight_id"], "passengers": 0}, ["passengers"]),
    ("HoldFlight", {"flight_id": BOOK["flight_id"], "passengers": 10}, ["passengers"]),
    ("BookFlight", {}, ["passenger_names", "seats"]),
    ("BookFlight", BOOK | {"flight_id": ""}, ["flight_id"]),
    ("BookFlight", BOOK | {"flight_id": "x" * 65}, ["flight_id"]),
    ("BookFlight", {"hold_id": "", "passenger_names": ["Wang Fang"]}, ["hold_id"]),
    ("BookFlight", {"hold_id": "x" * 65, "passenger_names": ["Wang Fang"]}, ["hold_id"]),
    ("BookFlight", BOOK | {"passenger_names": []}, ["passenger_names"]),
    ("BookFlight", BOOK | {"passenger_names": ["Wang Fang"] * 10}, ["passenger_names"]),
    ("BookFlight", BOOK | {"passenger_names": [""]}, ["passenger_names[0]"]),
    ("BookFlight", BOOK | {"passenger_names": ["李雷", "2"]}, ["passenger_names[1]"]),
    (
        "BookFlight",
        BOOK | {"passenger_names": ["Wang\nFang", "\0Wang"]},
        ["passenger_names[0]", "passenger_names[1]"],
    ),
    (
        "BookFlight",
        BOOK | {"passenger_names": ["Wang Fang", " ", "x" * 101]},
        ["passenger_names[1]", "passenger_names[2]"],
    ),
    ("BookFlight", BOOK | {"request_id": "7"}, ["request_id"]),
    ("GetBooking", {}, ["booking_id"]),
    ("GetBooking", {"booking_id": "x" * 65}, ["booking_id"]),
    ("CancelBooking", {}, ["booking_id"]),
    ("CancelBooking", {"booking_id": "x" * 65}, ["booking_id"]),
]


@pytest.mark.parametrize(("method", "arguments", "fields"), WRONG)
async def test_a_broken_rule_is_a_violation_and_writes_nothing(
    shared_stub: "Stub", method: str, arguments: dict[str, Any], fields: list[str]
) -> None:
    before = await everything(shared_stub)
    request = getattr(flights_pb2, SERVICE.methods_by_name[method].input_type.name)(**arguments)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(shared_stub, method)(request)

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    assert sorted(violation.field for violation in bad.field_violations) == sorted(fields)
    # Each says what to send in place of it.
    assert all(": " in violation.description for violation in bad.field_violations)
    assert await everything(shared_stub) == before


async def everything(stub: "Stub") -> flights_pb2.SearchFlightsResponse:
    """What a booking or a hold of the flights in these tests would change: the free seats."""
    return await stub.SearchFlights(flights_pb2.SearchFlightsRequest(**SEARCH, page_size=50))


# The stubs of validate.proto know them as fields only.
FIELD: Any = validate_pb2.field
ONEOF: Any = validate_pb2.oneof


def rules(message: Descriptor) -> Iterator[str]:
    """The fields and oneofs of a message that have rules."""
    for field in message.fields:
        if field.GetOptions().HasExtension(FIELD):
            yield field.name
    for oneof in message.oneofs:
        if oneof.GetOptions().HasExtension(ONEOF):
            yield oneof.name


@pytest.mark.parametrize("method", [*SERVICE.methods], ids=lambda method: method.name)
def test_the_table_breaks_the_rules_of_every_field(method: Any) -> None:
    broken = {field.partition("[")[0] for name, _, fields in WRONG if name == method.name for field in fields}

    assert broken == {*rules(method.input_type)}


async def test_the_arguments_that_are_broken_are_right_as_they_are(shared_stub: "Stub") -> None:
    booking = await shared_stub.BookFlight(flights_pb2.BookFlightRequest(**BOOK))

    assert BOOK["flight_id"] == booking.flight.flight_id
    assert (await everything(shared_stub)).flights
