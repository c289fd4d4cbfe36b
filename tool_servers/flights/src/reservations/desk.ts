/** Where seats are sold: what is free, holds and bookings together. */

import { type Failure, invalid, precondition, quoted } from "../failure.js";
import { cabinsOver } from "../timetable/cabins.js";
import type { Offers } from "../timetable/offers.js";
import { type Offer, offerOf } from "../timetable/timetable.js";
import { plusDays } from "../world/local_time.js";
import { type Booking, Bookings } from "./bookings.js";
import { type Hold, Holds } from "./holds.js";

/** How long seats are held, and how much is kept. */
export interface Limits {
  readonly holdMilliseconds: number;
  readonly maxHolds: number;
  readonly maxBookings: number;
}

/** Sells the seats of a timetable. */
export class Desk {
  readonly #holds: Holds;
  readonly #bookings: Bookings;

  constructor(
    private readonly offers: Offers,
    limits: Limits,
  ) {
    this.#holds = new Holds(offers.now, limits.holdMilliseconds, limits.maxHolds);
    this.#bookings = new Bookings(offers.now, limits.maxBookings);
  }

  /** How many seats of an offer are free now. */
  seatsLeft(offer: Offer): number {
    return offer.freeSeats - this.#holds.seats(offer.id) - this.#bookings.seats(offer.id);
  }

  /** Holds seats; fails where there are not so many. */
  hold(flightId: string, passengers: number): Hold {
    const offer = this.offers.find(flightId);
    this.#checkFree(offer, passengers);
    return this.#holds.add(offer, passengers);
  }

  /** Books the seats of a hold, one for each name. */
  bookHold(holdId: string, passengerNames: readonly string[], requestId: string): Booking {
    const source = holdId.trim().toUpperCase();
    return this.#once(requestId, source, passengerNames, () => {
      const hold = this.#holds.get(holdId);
      this.offers.checkAhead(hold.offer);
      if (passengerNames.length !== hold.passengers) throw wrongNumber(hold, passengerNames.length);
      const booking = this.#bookings.add({ offer: hold.offer, passengerNames, requestId, source });
      this.#holds.booked(hold, booking.id);
      return booking;
    });
  }

  /** Books seats of a flight, one for each name. */
  bookFlight(flightId: string, passengerNames: readonly string[], requestId: string): Booking {
    const source = flightId.trim().toUpperCase();
    return this.#once(requestId, source, passengerNames, () => {
      const offer = this.offers.find(flightId);
      this.#checkFree(offer, passengerNames.length);
      return this.#bookings.add({ offer, passengerNames, requestId, source });
    });
  }

  /** The booking of that id. */
  booking(id: string): Booking {
    return this.#bookings.get(id);
  }

  /** Cancels the booking of that id. */
  cancel(id: string): Booking {
    return this.#bookings.cancel(id);
  }

  /** What a request with this id made, or what is made now. */
  #once(requestId: string, source: string, names: readonly string[], book: () => Booking): Booking {
    const before = requestId === "" ? undefined : this.#bookings.repeated(requestId, source, names);
    return before ?? book();
  }

  #checkFree(offer: Offer, passengers: number): void {
    const left = this.seatsLeft(offer);
    if (passengers > left) throw this.#soldOut(offer, passengers, left);
  }

  #soldOut(offer: Offer, passengers: number, left: number): Failure {
    const fact =
      left > 0
        ? `flight ${quoted(offer.id)} has ${left} of the ${passengers} seats that are wanted`
        : `flight ${quoted(offer.id)} is sold out`;
    const others = this.#alternatives(offer, passengers);
    const cure =
      others.length > 0
        ? `take ${others.map(quoted).join(" or ")}, or search again`
        : "search for another day or cabin";
    const facts = { seats_left: String(left), alternatives: others.join(",") };
    return precondition("SOLD_OUT", offer.id, fact, cure, facts);
  }

  /** Up to three flights with enough seats: of that day in that cabin, then in another, then of the days after. */
  #alternatives({ flight, cabin }: Offer, passengers: number): string[] {
    const { from, to, date, km } = flight;
    const otherCabins = cabinsOver(km).filter((each) => each !== cabin);
    const candidates = [
      ...this.offers.onDay(from, to, date, cabin),
      ...otherCabins.flatMap((each) => offerOf(flight, each) ?? []),
      ...[1, 2].flatMap((days) => this.offers.onDay(from, to, plusDays(date, days), cabin)),
    ];
    return candidates
      .filter((each) => this.seatsLeft(each) >= passengers)
      .map((each) => each.id)
      .slice(0, 3);
  }
}

function wrongNumber(hold: Hold, names: number): Failure {
  const description = `hold ${quoted(hold.id)} is for ${hold.passengers}, not ${names}: give ${hold.passengers} names, or book by flight_id ${quoted(hold.offer.id)}`;
  return invalid({ field: "passenger_names", description });
}
