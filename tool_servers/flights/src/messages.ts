/** What the service knows → the messages of flights.v1. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type AirportSchema,
  type BookingSchema,
  BookingState,
  Cabin,
  type FlightSchema,
  type HoldSchema,
} from "../gen/flights/v1/flights_pb.js";
import type { MoneySchema } from "../gen/google/type/money_pb.js";
import { type Booking, price } from "./reservations/bookings.js";
import type { Hold } from "./reservations/holds.js";
import type { CabinName } from "./timetable/cabins.js";
import type { Offer } from "./timetable/timetable.js";
import type { Airport } from "./world/airports.js";
import { localTime } from "./world/local_time.js";

/** The cabin that a request means: economy when it does not say. */
export function cabinName(cabin: Cabin): CabinName {
  if (cabin === Cabin.PREMIUM_ECONOMY) return "PREMIUM_ECONOMY";
  if (cabin === Cabin.BUSINESS) return "BUSINESS";
  return cabin === Cabin.FIRST ? "FIRST" : "ECONOMY";
}

/** A flight in one cabin. */
export function flightMessage(offer: Offer, seatsLeft: number): MessageInitShape<typeof FlightSchema> {
  const { flight, cabin } = offer;
  return {
    flightId: offer.id,
    flightNumber: flight.number,
    airline: flight.airline,
    origin: airportMessage(flight.from),
    destination: airportMessage(flight.to),
    departureTime: localTime(flight.from.city.timeZone, flight.departure),
    arrivalTime: localTime(flight.to.city.timeZone, flight.arrival),
    durationMinutes: Math.round((flight.arrival - flight.departure) / 60_000),
    cabin: Cabin[cabin],
    price: money(offer.dollars),
    seatsLeft,
  };
}

/** A hold, of which the flight has `seatsLeft` for others. */
export function holdMessage(hold: Hold, seatsLeft: number): MessageInitShape<typeof HoldSchema> {
  return {
    holdId: hold.id,
    flight: flightMessage(hold.offer, seatsLeft),
    passengers: hold.passengers,
    totalPrice: money(hold.offer.dollars * hold.passengers),
    expireTime: timestampFromMs(hold.expires),
  };
}

/** A booking, of which the flight has `seatsLeft` for others. */
export function bookingMessage(booking: Booking, seatsLeft: number): MessageInitShape<typeof BookingSchema> {
  const { cancelled } = booking;
  return {
    bookingId: booking.id,
    state: cancelled === undefined ? BookingState.CONFIRMED : BookingState.CANCELLED,
    flight: flightMessage(booking.offer, seatsLeft),
    passengerNames: [...booking.passengerNames],
    totalPrice: money(price(booking)),
    createTime: timestampFromMs(booking.created),
    ...(cancelled && { cancelTime: timestampFromMs(cancelled.at), refund: money(cancelled.refund) }),
  };
}

/** US dollars; cents are kept. */
export function money(dollars: number): MessageInitShape<typeof MoneySchema> {
  const cents = Math.round(dollars * 100);
  return { currencyCode: "USD", units: BigInt(Math.trunc(cents / 100)), nanos: (cents % 100) * 10_000_000 };
}

function airportMessage({ code, name, city }: Airport): MessageInitShape<typeof AirportSchema> {
  return { code, name, city: city.name, country: city.country };
}
