"""What the rules of hotels.proto forbid is refused, field by field, and nothing is written."""

from collections.abc import Iterator
from typing import Any, cast

import grpc
import pytest
from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from hotels.v1 import hotels_pb2, hotels_pb2_grpc

from tests.tool_servers.hotels.failures import failure, violations

LONG = "x" * 101

STAY: dict[str, Any] = {"check_in": "2026-03-02", "check_out": "2026-03-04"}
SEARCH: dict[str, Any] = {"city": "Osaka", **STAY}
BOOK: dict[str, Any] = {"hotel_id": "osaka-1", "guest_name": "Wang Fang", **STAY}

# method, a good request, what is wrong in it, the fields that are told, words of the cure
WRONG: list[tuple[str, dict[str, Any], dict[str, Any], set[str], str]] = [
    ("SearchHotels", SEARCH, {"city": ""}, {"city"}, 'give a city, e.g. "Shanghai" or "上海"'),
    ("SearchHotels", SEARCH, {"city": LONG}, {"city"}, "100"),
    ("SearchHotels", SEARCH, {"check_in": ""}, {"check_in"}, "missing or empty"),
    (
        "SearchHotels",
        SEARCH,
        {"check_in": "tomorrow"},
        {"check_in"},
        '"tomorrow" does not have the right form',
    ),
    ("SearchHotels", SEARCH, {"check_in": "2026-3-2"}, {"check_in"}, "give a date as YYYY-MM-DD"),
    ("SearchHotels", SEARCH, {"check_in": "2026-03-02T00:00:00Z"}, {"check_in"}, "YYYY-MM-DD"),
    ("SearchHotels", SEARCH, {"check_out": ""}, {"check_out"}, "missing or empty"),
    ("SearchHotels", SEARCH, {"check_out": "03/04/2026"}, {"check_out"}, '"03/04/2026"'),
    ("SearchHotels", SEARCH, {"guests": 0}, {"guests"}, '"0" is out of range: give 1 to 4'),
    ("SearchHotels", SEARCH, {"guests": 5}, {"guests"}, '"5" is out of range'),
    ("SearchHotels", SEARCH, {"max_nightly_price": {}}, {"max_nightly_price"}, "at least 1 unit"),
    ("SearchHotels", SEARCH, {"max_nightly_price": {"units": -5}}, {"max_nightly_price"}, "at least 1 unit"),
    (
        "SearchHotels",
        SEARCH,
        {"max_nightly_price": {"units": 5, "nanos": -1}},
        {"max_nightly_price"},
        "at least 1 unit",
    ),
    ("SearchHotels", SEARCH, {"min_stars": 0}, {"min_stars"}, "give 1 to 5"),
    ("SearchHotels", SEARCH, {"min_stars": 6}, {"min_stars"}, "give 1 to 5"),
    ("SearchHotels", SEARCH, {"amenities": [1, 0]}, {"amenities[1]"}, "AMENITY_WIFI"),
    ("SearchHotels", SEARCH, {"amenities": [99]}, {"amenities[0]"}, '"99" is none that can be asked for'),
    ("SearchHotels", SEARCH, {"amenities": [2, 2]}, {"amenities"}, "the same one twice"),
    ("SearchHotels", SEARCH, {"amenities": [1, 2, 3, 4, 5, 6, 1]}, {"amenities"}, "no more than 6"),
    ("SearchHotels", SEARCH, {"page_size": 0}, {"page_size"}, "give 1 to 20"),
    ("SearchHotels", SEARCH, {"page_size": 21}, {"page_size"}, "give 1 to 20"),
    ("SearchHotels", SEARCH, {"page_token": "t" * 65}, {"page_token"}, "next_page_token"),
    ("SearchHotels", {}, {}, {"city", "check_in", "check_out"}, "missing or empty"),
    (
        "SearchHotels",
        SEARCH,
        {"city": "", "check_in": "soon", "guests": 9, "min_stars": -1, "page_size": 1000},
        {"city", "check_in", "guests", "min_stars", "page_size"},
        "out of range",
    ),
    ("GetHotel", {}, {"hotel_id": ""}, {"hotel_id"}, "that SearchHotels lists"),
    ("GetHotel", {}, {"hotel_id": "h" * 65}, {"hotel_id"}, "64"),
    ("BookRoom", BOOK, {"hotel_id": ""}, {"hotel_id"}, "that SearchHotels lists"),
    ("BookRoom", BOOK, {"hotel_id": "h" * 65}, {"hotel_id"}, "64"),
    ("BookRoom", BOOK, {"check_in": "明天"}, {"check_in"}, '"明天" does not have the right form'),
    ("BookRoom", BOOK, {"check_out": "2026-03"}, {"check_out"}, "YYYY-MM-DD"),
    ("BookRoom", BOOK, {"guest_name": ""}, {"guest_name"}, "missing or empty"),
    ("BookRoom", BOOK, {"guest_name": "  "}, {"guest_name"}, "full name"),
    ("BookRoom", BOOK, {"guest_name": "\u3000"}, {"guest_name"}, "full name"),
    (
        "BookRoom",
        BOOK,
        {"guest_name": "42"},
        {"guest_name"},
        "must be a name, in one line: give the guest's full name",
    ),
    ("BookRoom", BOOK, {"guest_name": "Wang\0Fang"}, {"guest_name"}, "in one line"),
    ("BookRoom", BOOK, {"guest_name": "Wang\nFang"}, {"guest_name"}, "in one line"),
    ("BookRoom", BOOK, {"guest_name": LONG}, {"guest_name"}, "100"),
    ("BookRoom", BOOK, {"guests": 0}, {"guests"}, "give 1 to 4"),
    ("BookRoom", BOOK, {"guests": 5}, {"guests"}, "give 1 to 4"),
    ("BookRoom", BOOK, {"request_id": "42"}, {"request_id"}, '"42" must be a valid UUID'),
    ("BookRoom", {}, {}, {"hotel_id", "check_in", "check_out", "guest_name"}, "missing or empty"),
    ("GetBooking", {}, {"booking_id": ""}, {"booking_id"}, "that BookRoom returned"),
    ("GetBooking", {}, {"booking_id": "12"}, {"booking_id"}, '"12" does not have the right form'),
    ("GetBooking", {}, {"booking_id": "hb-22222222"}, {"booking_id"}, "HB-7K2M9QXD"),
    ("CancelBooking", {}, {"booking_id": ""}, {"booking_id"}, "that BookRoom returned"),
    ("CancelBooking", {}, {"booking_id": "HB-22222222X"}, {"booking_id"}, "HB-7K2M9QXD"),
]


def request_of(method: str) -> Any:
    service = hotels_pb2.DESCRIPTOR.services_by_name["HotelService"]
    return getattr(hotels_pb2, service.methods_by_name[method].input_type.name)


async def held(hotels: "hotels_pb2_grpc.HotelServiceAsyncStub") -> list[int]:
    """How many rooms are left everywhere in Osaka: fewer after any booking there, more after a cancelling."""
    found = await hotels.SearchHotels(hotels_pb2.SearchHotelsRequest(**SEARCH, page_size=20))
    return [offer.rooms_left for offer in found.offers]


@pytest.mark.parametrize(("method", "good", "wrong", "fields", "words"), WRONG)
async def test_what_breaks_a_rule_is_refused_with_its_field_and_nothing_is_written(
    hotels: "hotels_pb2_grpc.HotelServiceAsyncStub",
    method: str,
    good: dict[str, Any],
    wrong: dict[str, Any],
    fields: set[str],
    words: str,
) -> None:
    before = await held(hotels)

    error = await failure(getattr(hotels, method)(request_of(method)(**good | wrong)))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    told = violations(error)
    assert {*told} == fields
    assert words in " ".join(told.values())
    assert await held(hotels) == before


def ruled_fields() -> Iterator[tuple[str, str]]:
    """Each method with each field of its request that has a rule."""
    for method in hotels_pb2.DESCRIPTOR.services_by_name["HotelService"].methods:
        field: FieldDescriptor
        for field in method.input_type.fields:
            if validate_pb2.field.full_name in {
                each.full_name for each, _ in field.GetOptions().ListFields()
            }:
                yield method.name, field.name


def test_no_rule_is_left_out_of_the_table() -> None:
    tried = {(method, field.partition("[")[0]) for method, _, _, fields, _ in WRONG for field in fields}

    assert tried == {*ruled_fields()}


@pytest.mark.parametrize(("method", "good"), [("SearchHotels", SEARCH), ("BookRoom", BOOK)])
async def test_what_is_good_in_the_table_is_taken(
    hotels: "hotels_pb2_grpc.HotelServiceAsyncStub", method: str, good: dict[str, Any]
) -> None:
    await getattr(hotels, method)(request_of(method)(**good))


async def test_the_worst_request_is_refused_in_words_that_fit_a_status(
    hotels: "hotels_pb2_grpc.HotelServiceAsyncStub",
) -> None:
    long = "长" * 4000
    request = hotels_pb2.SearchHotelsRequest(
        city=long,
        check_in=long,
        check_out=long,
        page_token="长" * 3000,
        guests=2**31 - 1,
        min_stars=-(2**31),
        page_size=2**31 - 1,
        amenities=[cast(hotels_pb2.Amenity, 9999)] * 4000,
        max_nightly_price={"currency_code": long},
    )

    error = await failure(hotels.SearchHotels(request))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert {"city", "check_in", "guests", "amenities"} <= {*violations(error)}
    assert len(violations(error)) <= 12
