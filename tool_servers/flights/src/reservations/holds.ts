/** Seats that are held for a while. */

import { exhausted, type Failure, notFound, precondition, quoted } from "../failure.js";
import type { Offer } from "../timetable/timetable.js";
import { newCode } from "./codes.js";

/** Seats that nobody else can have until an instant. */
export interface Hold {
  readonly id: string;
  readonly offer: Offer;
  readonly passengers: number;
  readonly expires: number;
}

/** The holds that last, and for a while those that ended, to tell why. */
export class Holds {
  readonly #lasting = new Map<string, Hold>();
  /** Why each of the last ones ended. */
  readonly #ended = new Map<string, Failure>();

  constructor(
    private readonly now: () => number,
    private readonly milliseconds: number,
    private readonly max: number,
  ) {}

  /** Holds seats, which the caller knows to be free. */
  add(offer: Offer, passengers: number): Hold {
    this.#expire();
    const oldest = this.#lasting.values().next().value;
    if (oldest !== undefined && this.#lasting.size >= this.max) {
      const seconds = Math.ceil((oldest.expires - this.now()) / 1000);
      const cure = `book by flight_id without a hold, or wait ${seconds} s`;
      throw exhausted("TOO_MANY_HOLDS", `all ${this.max} holds are in use`, cure, seconds);
    }
    const id = newCode((code) => this.#lasting.has(`HOLD-${code}`) || this.#ended.has(`HOLD-${code}`));
    const hold = { id: `HOLD-${id}`, offer, passengers, expires: this.now() + this.milliseconds };
    this.#lasting.set(hold.id, hold);
    return hold;
  }

  /** The hold of that id; fails where it has ended, or where there never was one. */
  get(id: string): Hold {
    this.#expire();
    const asked = id.trim().toUpperCase();
    const hold = this.#lasting.get(asked);
    if (hold !== undefined) return hold;
    throw (
      this.#ended.get(asked) ?? notFound("hold", id, "copy hold_id from HoldFlight, or book by flight_id")
    );
  }

  /** Ends a hold whose seats were booked. */
  booked(hold: Hold, bookingId: string): void {
    const fact = `hold ${quoted(hold.id)} was booked already`;
    const cure = `its booking_id is ${quoted(bookingId)}, see GetBooking`;
    this.#end(hold, precondition("HOLD_BOOKED", hold.id, fact, cure, { booking_id: bookingId }));
  }

  /** How many seats of an offer are held. */
  seats(offerId: string): number {
    this.#expire();
    let seats = 0;
    for (const hold of this.#lasting.values()) if (hold.offer.id === offerId) seats += hold.passengers;
    return seats;
  }

  #expire(): void {
    // All last equally long: the oldest ends first.
    for (const hold of this.#lasting.values()) {
      if (hold.expires > this.now()) return;
      const cure = `hold its flight again, or book by flight_id ${quoted(hold.offer.id)}`;
      const ended = `hold ${quoted(hold.id)} expired at ${new Date(hold.expires).toISOString()}`;
      this.#end(hold, precondition("HOLD_EXPIRED", hold.id, ended, cure, { flight_id: hold.offer.id }));
    }
  }

  #end(hold: Hold, why: Failure): void {
    this.#lasting.delete(hold.id);
    this.#ended.set(hold.id, why);
    const oldest = this.#ended.keys().next().value;
    if (oldest !== undefined && this.#ended.size > this.max) this.#ended.delete(oldest);
  }
}
