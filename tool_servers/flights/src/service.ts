/** The methods of flights.v1.FlightService. */

import { type FlightService, type SearchFlightsRequest, SortOrder } from "../gen/flights/v1/flights_pb.js";
import type { Handlers } from "./grpc/handlers.js";
import { bookingMessage, cabinName, flightMessage, holdMessage } from "./messages.js";
import { page } from "./pages.js";
import type { Booking } from "./reservations/bookings.js";
import { Desk, type Limits } from "./reservations/desk.js";
import { type Query, search } from "./search.js";
import { Offers } from "./timetable/offers.js";
import { loadAirports } from "./world/airports.js";
import { Places } from "./world/places.js";

const SOURCE = "Simulated timetable: the flights and airlines are invented, nothing is paid.";
const DEFAULT_PAGE_SIZE = 10;

/** What the service needs of the world. */
export interface Setting extends Limits {
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Answers requests, which are known to keep the rules of their .proto. */
export function flightService({ now, ...limits }: Setting): Handlers<typeof FlightService> {
  const offers = new Offers(new Places(loadAirports()), now);
  const desk = new Desk(offers, limits);
  const told = (booking: Booking) => bookingMessage(booking, desk.seatsLeft(booking.offer));
  return {
    searchFlights: (request) => {
      const query = queryOf(request);
      const found = search(query, offers, desk);
      const size = request.pageSize ?? DEFAULT_PAGE_SIZE;
      const { items, next } = page(found.offers, size, request.pageToken, JSON.stringify(query));
      return {
        flights: items.map((offer) => flightMessage(offer, desk.seatsLeft(offer))),
        nextPageToken: next,
        totalSize: found.offers.length,
        note: found.note,
        source: SOURCE,
      };
    },
    holdFlight: (request) => {
      const hold = desk.hold(request.flightId, request.passengers ?? 1);
      return holdMessage(hold, desk.seatsLeft(hold.offer));
    },
    bookFlight: ({ seats, passengerNames, ...request }) => {
      const names = passengerNames.map((name) => name.trim());
      const requestId = request.requestId.toLowerCase();
      // protovalidate has seen that one of the two is given.
      return told(
        seats.case === "holdId"
          ? desk.bookHold(seats.value, names, requestId)
          : desk.bookFlight(seats.value ?? "", names, requestId),
      );
    },
    getBooking: (request) => told(desk.booking(request.bookingId)),
    cancelBooking: (request) => told(desk.cancel(request.bookingId)),
  };
}

function queryOf(request: SearchFlightsRequest): Query {
  return {
    origin: request.origin,
    destination: request.destination,
    date: request.date,
    cabin: cabinName(request.cabin),
    passengers: request.passengers ?? 1,
    order: orderName(request.sortOrder),
  };
}

function orderName(order: SortOrder): Query["order"] {
  if (order === SortOrder.DEPARTURE_TIME) return "DEPARTURE_TIME";
  return order === SortOrder.DURATION ? "DURATION" : "PRICE";
}
