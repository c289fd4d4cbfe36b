"""What the hotel service answers, call by call, to a client in Python."""

import uuid
from typing import TypeAlias

import grpc
import pytest
from google.rpc import error_details_pb2
from hotels.v1 import hotels_pb2, hotels_pb2_grpc

from tests.tool_servers.hotels.failures import detail, failure, violations

Hotels: TypeAlias = "hotels_pb2_grpc.HotelServiceAsyncStub"


def search(city: str, **fields: object) -> hotels_pb2.SearchHotelsRequest:
    stay = {"check_in": "2026-03-02", "check_out": "2026-03-04"}
    return hotels_pb2.SearchHotelsRequest(**{"city": city, **stay, **fields})  # type: ignore[arg-type]


def book(hotel_id: str, **fields: object) -> hotels_pb2.BookRoomRequest:
    stay = {"check_in": "2026-03-02", "check_out": "2026-03-04"}
    return hotels_pb2.BookRoomRequest(
        **{"hotel_id": hotel_id, "guest_name": "王芳", **stay, **fields}  # type: ignore[arg-type]
    )


async def test_a_room_is_searched_booked_looked_up_and_cancelled(hotels: Hotels) -> None:
    found = await hotels.SearchHotels(search("北京", guests=2, page_size=1))
    offer = found.offers[0]
    hotel = await hotels.GetHotel(hotels_pb2.GetHotelRequest(hotel_id=offer.hotel.id))
    booked = await hotels.BookRoom(book(hotel.id, guests=2))
    known = await hotels.GetBooking(hotels_pb2.GetBookingRequest(booking_id=booked.id))
    fewer = await hotels.SearchHotels(search("北京", guests=2, page_size=1))
    request = hotels_pb2.CancelBookingRequest(booking_id=booked.id)
    cancelled = await hotels.CancelBooking(request)
    again = await hotels.CancelBooking(request)
    anew = await hotels.SearchHotels(search("北京", guests=2, page_size=1))

    assert found.city == "Beijing"
    assert found.source.startswith("simulated")
    assert hotel.name == offer.hotel.name
    assert booked.total_price == offer.total_price
    assert booked.total_price.currency_code == "CNY"
    assert booked.state == hotels_pb2.BOOKING_STATE_CONFIRMED
    assert known == booked
    left = [each.rooms_left for each in fewer.offers if each.hotel.id == hotel.id]
    assert left in ([offer.rooms_left - 1], [])
    assert cancelled.state == hotels_pb2.BOOKING_STATE_CANCELLED
    assert again == cancelled
    assert anew == found


async def test_every_page_is_bounded_and_the_last_has_no_token(hotels: Hotels) -> None:
    whole = await hotels.SearchHotels(search("Paris", page_size=20))
    read: list[str] = []
    token = ""
    while True:
        page = await hotels.SearchHotels(search("Paris", page_size=2, page_token=token))
        read += [offer.hotel.id for offer in page.offers]
        token = page.next_page_token
        if not token:
            break

    assert read == [offer.hotel.id for offer in whole.offers]
    assert len(read) == whole.total_size > 2


async def test_a_request_id_books_once(hotels: Hotels) -> None:
    hotel_id = (await hotels.SearchHotels(search("Berlin"))).offers[0].hotel.id
    request = book(hotel_id, request_id=str(uuid.uuid4()))

    first = await hotels.BookRoom(request)
    second = await hotels.BookRoom(request)
    request.guest_name = "Li Lei"
    other = await failure(hotels.BookRoom(request))

    assert second == first
    assert other.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert {*violations(other)} == {"request_id"}


async def test_a_hotel_that_is_sold_out_names_others_that_are_not(hotels: Hotels) -> None:
    offer = (await hotels.SearchHotels(search("Rome"))).offers[0]
    for _ in range(offer.rooms_left):
        await hotels.BookRoom(book(offer.hotel.id))

    error = await failure(hotels.BookRoom(book(offer.hotel.id)))

    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    info = detail(error, error_details_pb2.ErrorInfo())
    assert info.reason == "SOLD_OUT"
    alternative = info.metadata["alternatives"].split(",")[0]
    assert f'"{alternative}"' in (error.details() or "")
    assert (await hotels.BookRoom(book(alternative))).hotel_id == alternative
    failed = detail(error, error_details_pb2.PreconditionFailure())
    assert failed.violations[0].subject == offer.hotel.id


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"city": "Shanghia"}, {"city": "the nearest names are Shanghai (上海)"}),
        ({"city": "，,"}, {"city": "no known city looks like it"}),
        ({"city": "上每"}, {"city": "Shanghai (上海)"}),
        ({"check_in": "2026-02-28"}, {"check_in": 'in Shanghai it is "2026-03-01" today'}),
        ({"check_in": "2026-02-30"}, {"check_in": "no day of the calendar"}),
        ({"check_out": "2026-03-02"}, {"check_out": 'give the day of departure, "2026-03-03" or later'}),
        ({"check_out": "2026-03-01"}, {"check_out": "is not after check_in"}),
        ({"check_out": "2026-04-02"}, {"check_out": 'give "2026-04-01" or earlier'}),
        ({"check_in": "2027-03-02", "check_out": "2027-03-04"}, {"check_in": "more than 365 days ahead"}),
        (
            {"max_nightly_price": {"currency_code": "USD", "units": 90}},
            {"max_nightly_price.currency_code": 'give the price in "CNY"'},
        ),
        ({"page_token": "MTA"}, {"page_token": "is no page of this search"}),
        (
            {"city": "Nowhere-upon-Sea", "check_out": "2026-03-02", "page_token": "MTA"},
            {"city": "give one of Beijing, Shanghai", "check_out": "not after", "page_token": "no page"},
        ),
    ],
)
async def test_what_no_rule_can_say_is_told_field_by_field(
    hotels: Hotels, fields: dict[str, object], told: dict[str, str]
) -> None:
    error = await failure(hotels.SearchHotels(search(**{"city": "Shanghai", **fields})))  # type: ignore[arg-type]

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    found = violations(error)
    assert {*found} == {*told}
    assert all(words in found[field] for field, words in told.items()), found


async def test_a_hotel_that_is_not_there_is_told_with_the_nearest(hotels: Hotels) -> None:
    for call in (
        hotels.GetHotel(hotels_pb2.GetHotelRequest(hotel_id="rome-99")),
        hotels.BookRoom(book("rome-99")),
    ):
        error = await failure(call)

        assert error.code() == grpc.StatusCode.NOT_FOUND
        assert 'there is no hotel "rome-99"; the nearest are "rome-' in (error.details() or "")
        assert detail(error, error_details_pb2.ResourceInfo()).resource_name == "rome-99"


async def test_a_booking_that_is_not_there_is_told(hotels: Hotels) -> None:
    for call in (
        hotels.GetBooking(hotels_pb2.GetBookingRequest(booking_id="HB-ZZZZZZZZ")),
        hotels.CancelBooking(hotels_pb2.CancelBookingRequest(booking_id="HB-ZZZZZZZZ")),
    ):
        error = await failure(call)

        assert error.code() == grpc.StatusCode.NOT_FOUND
        assert error.details() == 'there is no booking "HB-ZZZZZZZZ"; give the id that BookRoom returned'
        assert detail(error, error_details_pb2.ErrorInfo()).reason == "BOOKING_NOT_FOUND"
