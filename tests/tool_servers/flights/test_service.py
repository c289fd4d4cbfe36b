"""Each method over the wire, as a client in another language than the server sees it."""

import asyncio
import datetime
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from flights.v1 import flights_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.tool_servers.flights.serving import Server

if TYPE_CHECKING:
    from flights.v1.flights_pb2_grpc import FlightServiceAsyncStub as Stub

REQUEST_ID = "0b5ff3a6-5b0e-4d0c-9f3e-6a1f0f5e2d11"


def search(**more: object) -> flights_pb2.SearchFlightsRequest:
    return flights_pb2.SearchFlightsRequest(
        **{"origin": "北京", "destination": "上海", "date": "2026-03-02", "page_size": 50} | more  # type: ignore[arg-type]
    )


async def first(stub: "Stub", **more: object) -> flights_pb2.Flight:
    return (await stub.SearchFlights(search(**more))).flights[0]


async def test_a_trip_is_searched_held_booked_told_and_cancelled(server: Server) -> None:
    flight = await first(server.stub, cabin=flights_pb2.CABIN_BUSINESS, passengers=2)
    hold = await server.stub.HoldFlight(
        flights_pb2.HoldFlightRequest(flight_id=flight.flight_id, passengers=2)
    )
    booking = await server.stub.BookFlight(
        flights_pb2.BookFlightRequest(hold_id=hold.hold_id, passenger_names=["Wang Fang", "李雷"])
    )
    told = await server.stub.GetBooking(flights_pb2.GetBookingRequest(booking_id=booking.booking_id))
    request = flights_pb2.CancelBookingRequest(booking_id=booking.booking_id)
    cancelled = await server.stub.CancelBooking(request)

    assert (flight.origin.city, flight.destination.city) == ("Beijing", "Shanghai")
    assert flight.cabin == flights_pb2.CABIN_BUSINESS
    assert hold.flight.seats_left == flight.seats_left - 2
    assert hold.total_price.units == 2 * flight.price.units
    # 15 minutes after the clock's start, and what the calls took.
    expires = hold.expire_time.ToDatetime(datetime.UTC)
    assert expires >= datetime.datetime(2026, 3, 1, 8, 15, tzinfo=datetime.UTC)
    assert booking.state == flights_pb2.BOOKING_STATE_CONFIRMED
    assert list(booking.passenger_names) == ["Wang Fang", "李雷"]
    assert told == booking
    assert cancelled.state == flights_pb2.BOOKING_STATE_CANCELLED
    assert cancelled.refund.currency_code == "USD"
    assert 0 < cancelled.refund.units <= booking.total_price.units
    assert await server.stub.CancelBooking(request) == cancelled
    again = await first(server.stub, cabin=flights_pb2.CABIN_BUSINESS, passengers=2)
    assert again == flight


async def test_times_are_local_and_have_an_offset(shared_stub: "Stub") -> None:
    flight = await first(shared_stub, destination="伦敦")

    departure, arrival = map(datetime.datetime.fromisoformat, (flight.departure_time, flight.arrival_time))
    assert departure.utcoffset() == datetime.timedelta(hours=8)
    assert arrival.utcoffset() == datetime.timedelta()
    assert arrival - departure == datetime.timedelta(minutes=flight.duration_minutes)


async def test_a_search_is_the_same_on_every_server(shared_stub: "Stub") -> None:
    flight = await first(shared_stub)

    assert flight.flight_id == "PKX-SHA-20260302-HBR626-ECONOMY"


async def test_seats_are_never_sold_twice(server: Server) -> None:
    flight = await first(server.stub, cabin=flights_pb2.CABIN_BUSINESS)
    request = flights_pb2.BookFlightRequest(flight_id=flight.flight_id, passenger_names=["Wang Fang"])
    calls = [server.stub.BookFlight(request) for _ in range(flight.seats_left + 5)]

    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    refused = [each for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    booked = {each.booking_id for each in outcomes if isinstance(each, flights_pb2.Booking)}
    assert len(booked) == flight.seats_left
    assert {each.code() for each in refused} == {grpc.StatusCode.FAILED_PRECONDITION}
    status = rpc_status.from_call(refused[0])  # type: ignore[arg-type]
    assert status is not None
    info, failure = error_details_pb2.ErrorInfo(), error_details_pb2.PreconditionFailure()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(failure)
    assert info.reason == "SOLD_OUT"
    alternatives = info.metadata["alternatives"].split(",")
    assert all(alternative in failure.violations[0].description for alternative in alternatives)
    await server.stub.HoldFlight(flights_pb2.HoldFlightRequest(flight_id=alternatives[0]))


async def test_a_request_id_makes_booking_safe_to_repeat(server: Server) -> None:
    flight = await first(server.stub)
    request = flights_pb2.BookFlightRequest(
        flight_id=flight.flight_id, passenger_names=["Wang Fang"], request_id=REQUEST_ID
    )
    one, other = await asyncio.gather(server.stub.BookFlight(request), server.stub.BookFlight(request))

    assert one == other
    assert (await first(server.stub)).seats_left == flight.seats_left - 1


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"origin": "Peking Duck"}, "origin", "no city or airport"),
        ({"origin": "Shenzen"}, "origin", "Shenzhen (深圳; SZX)"),
        ({"destination": "PEK"}, "destination", "give another city"),
        ({"date": "2026-02-28"}, "date", "2026-03-01, which is today in Beijing"),
        ({"date": "2026-02-30"}, "date", "there is no day"),
        ({"date": "2027-03-01"}, "date", "too far ahead"),
        ({"page_token": "7.next"}, "page_token", "next_page_token"),
    ],
)
async def test_what_cannot_be_searched_is_a_field_violation_with_the_cure(
    shared_stub: "Stub", more: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await shared_stub.SearchFlights(search(**more))

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words in (caught.value.details() or "")
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
    assert status is not None
    bad = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad)
    assert [violation.field for violation in bad.field_violations] == [field]


async def test_what_is_not_known_is_not_found(shared_stub: "Stub") -> None:
    names: dict[str, Any] = {"passenger_names": ["Wang Fang"]}
    calls: list[Awaitable[object]] = [
        shared_stub.HoldFlight(flights_pb2.HoldFlightRequest(flight_id="MU5101")),
        shared_stub.BookFlight(flights_pb2.BookFlightRequest(flight_id="MU5101", **names)),
        shared_stub.BookFlight(flights_pb2.BookFlightRequest(hold_id="HOLD-1", **names)),
        shared_stub.GetBooking(flights_pb2.GetBookingRequest(booking_id="ABC")),
        shared_stub.CancelBooking(flights_pb2.CancelBookingRequest(booking_id="ABC")),
    ]
    for call in calls:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]
        assert status is not None
        info = error_details_pb2.ResourceInfo()
        assert status.details[1].Unpack(info)
        assert "copy" in info.description
