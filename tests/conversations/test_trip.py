"""Conversation 3: a trip, by tools in three languages; somebody approves before anything is booked."""

from typing import Any

import grpc.aio
from flights.v1 import flights_pb2, flights_pb2_grpc
from hotels.v1 import hotels_pb2, hotels_pb2_grpc

from tests.conversations import page
from tests.conversations.backends import Backend
from tests.conversations.script import Turn, call, calls, says, turn
from tests.conversations.talk import WAITS, Talk
from tests.models.scripted_server import Answer

HEADING = "3. A trip, in three languages"
ASKED = "明天去上海开会，帮我安排行程"
FLIGHTS = "flights.v1.FlightService"
HOTELS = "hotels.v1.HotelService"
TODAY, TOMORROW, NEXT = "2026-03-01", "2026-03-02", "2026-03-03"


async def test_a_flight_and_a_hotel_are_booked_once_after_somebody_approved(conversation: Talk) -> None:
    flights, hotels = await planners(conversation)
    conversation.model.script += [*planning(), turn(tell)]

    shown = await conversation.chat("--save", "trip.db", ASKED, status=WAITS)

    assert "? flights_v1_FlightService_BookFlight waits for approval as call_4: " in shown
    assert "? hotels_v1_HotelService_BookRoom waits for approval as call_5: " in shown
    free = await seats_left(flights)

    shown = await conversation.chat("--resume", "trip.db", "--approve", "call_4", "--approve", "call_5")

    told = Turn(conversation.model.requests[-1]["messages"])
    flight, room = told.result("call_4"), told.result("call_5")
    assert f"航班 {flight['booking_id']}" in shown
    assert f"酒店 {room['id']}" in shown
    assert await seats_left(flights) == free - 1
    assert await flight_booked(flights, flight["booking_id"]) == ["Wang Fang"]
    assert await room_booked(hotels, room["id"]) == ("Wang Fang", TOMORROW, NEXT)
    for backend, method in ((flights, "BookFlight"), (hotels, "BookRoom")):
        await backend.stop()
        assert backend.received(method) == 1
    page.assert_shows(HEADING, conversation.transcript)


async def test_what_is_not_approved_is_not_booked_and_the_rest_is(conversation: Talk) -> None:
    flights, hotels = await planners(conversation)
    conversation.model.script += [*planning(), turn(tell_without_room)]
    await conversation.chat("--save", "trip.db", ASKED, status=WAITS)

    shown = await conversation.chat("--resume", "trip.db", "--approve", "call_4", "--reject", "call_5")

    assert shown.endswith("酒店没有预订，因为您没有同意。\n")
    for backend, method, booked in ((flights, "BookFlight", 1), (hotels, "BookRoom", 0)):
        await backend.stop()
        assert backend.received(method) == booked
    page.assert_shows("Half of it approved", conversation.transcript)


async def planners(conversation: Talk) -> tuple[Backend, Backend]:
    """Starts weather in Python, flights in TypeScript and hotels in Java; returns the latter two."""
    await conversation.start("weather")
    flights = await conversation.start("flights", "--now", f"{TODAY}T08:00:00Z")
    return flights, await conversation.start("hotels", "--today", TODAY)


def planning() -> list[Any]:
    return [
        call("call_1", "weather.v1.WeatherService.GetForecast", name="上海", days=2),
        call("call_2", f"{FLIGHTS}.SearchFlights", origin="北京", destination="上海", date=TOMORROW),
        call("call_3", f"{HOTELS}.SearchHotels", city="上海", check_in=TOMORROW, check_out=NEXT),
        turn(book),
    ]


def book(seen: Turn) -> Answer:
    """The cheapest of both."""
    flight, offer = seen.result("call_2")["flights"][0], seen.result("call_3")["offers"][0]
    seats = {"flight_id": flight["flight_id"], "passenger_names": ["Wang Fang"]}
    room = {"hotel_id": offer["hotel"]["id"], "guest_name": "Wang Fang", "check_in": TOMORROW}
    return calls(
        ("call_4", f"{FLIGHTS}.BookFlight", seats),
        ("call_5", f"{HOTELS}.BookRoom", room | {"check_out": NEXT}),
        saying=f"我想订 {flight['flight_number']}（{_money(flight['price'])}）"
        f"和 {offer['hotel']['name']}（{_money(offer['total_price'])}），可以吗？",
    )


def tell(seen: Turn) -> Answer:
    room = seen.result("call_5")
    hotel = f"酒店 {room['id']}：{room['hotel_name']}，{_money(room['total_price'])}"
    return says(f"{_weather_and_flight(seen)}\n{hotel}。")


def tell_without_room(seen: Turn) -> Answer:
    assert "rejected" in seen.content("call_5").lower()
    return says(f"{_weather_and_flight(seen)}\n酒店没有预订，因为您没有同意。")


def _weather_and_flight(seen: Turn) -> str:
    tomorrow = seen.result("call_1")["days"][1]
    booking = seen.result("call_4")
    flight, price = booking["flight"], _money(booking["total_price"])
    departure = f"{flight['flight_number']}，{flight['departure_time'][11:16]} 起飞"
    return (
        f"上海明天 {tomorrow['temp_min']:.0f}–{tomorrow['temp_max']:.0f} °C。\n"
        f"航班 {booking['booking_id']}：{departure}，{price}。"
    )


def _money(price: dict[str, Any]) -> str:
    return f"{price['units']} {price['currency_code']}"


async def seats_left(flights: Backend) -> int:
    """In the cheapest flight, asked of the server itself."""
    async with grpc.aio.insecure_channel(flights.address) as channel:
        wanted = flights_pb2.SearchFlightsRequest(origin="北京", destination="上海", date=TOMORROW)
        found = await flights_pb2_grpc.FlightServiceStub(channel).SearchFlights(wanted)
    return found.flights[0].seats_left


async def flight_booked(flights: Backend, booking_id: str) -> list[str]:
    """For whom."""
    async with grpc.aio.insecure_channel(flights.address) as channel:
        wanted = flights_pb2.GetBookingRequest(booking_id=booking_id)
        booking = await flights_pb2_grpc.FlightServiceStub(channel).GetBooking(wanted)
    assert booking.state == flights_pb2.BOOKING_STATE_CONFIRMED
    return list(booking.passenger_names)


async def room_booked(hotels: Backend, booking_id: str) -> tuple[str, str, str]:
    """For whom, and from when to when."""
    async with grpc.aio.insecure_channel(hotels.address) as channel:
        wanted = hotels_pb2.GetBookingRequest(booking_id=booking_id)
        booking = await hotels_pb2_grpc.HotelServiceStub(channel).GetBooking(wanted)
    assert booking.state == hotels_pb2.BOOKING_STATE_CONFIRMED
    return booking.guest_name, booking.check_in, booking.check_out
