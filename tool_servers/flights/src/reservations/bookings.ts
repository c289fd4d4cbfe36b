/** Seats that were booked. */

import { exhausted, invalid, notFound, precondition, quoted } from "../failure.js";
import type { Offer } from "../timetable/timetable.js";
import { newCode } from "./codes.js";

/** Until then before departure, all of the price is paid back; later, half. */
const FULL_REFUND_MS = 24 * 60 * 60 * 1000;

/** What somebody wants to book. */
export interface Wanted {
  readonly offer: Offer;
  readonly passengerNames: readonly string[];
  /** Empty where the call is not safe to repeat. */
  readonly requestId: string;
  /** What the request booked, to tell a repetition from another one: a hold's or a flight's id. */
  readonly source: string;
}

/** Seats that were booked, and may have been cancelled since. */
export interface Booking extends Wanted {
  readonly id: string;
  readonly created: number;
  readonly cancelled?: { readonly at: number; readonly refund: number };
}

/** All bookings, at most `max`: to make room, the oldest that no longer matters goes. */
export class Bookings {
  readonly #bookings = new Map<string, Booking>();
  readonly #idOfRequest = new Map<string, string>();
  readonly #seats = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly max: number,
  ) {}

  /** Books seats, which the caller knows to be free. */
  add(wanted: Wanted): Booking {
    if (this.#bookings.size >= this.max) this.#makeRoom();
    const id = newCode((code) => this.#bookings.has(code));
    const booking = { ...wanted, id, created: this.now() };
    this.#bookings.set(id, booking);
    if (wanted.requestId !== "") this.#idOfRequest.set(wanted.requestId, id);
    this.#take(booking.offer.id, wanted.passengerNames.length);
    return booking;
  }

  /** The booking that a request with this id made; fails where that request wanted something else. */
  repeated(requestId: string, source: string, passengerNames: readonly string[]): Booking | undefined {
    const booking = this.#bookings.get(this.#idOfRequest.get(requestId) ?? "");
    if (booking === undefined) return undefined;
    const same = booking.source === source && booking.passengerNames.join("\n") === passengerNames.join("\n");
    if (same) return booking;
    const fact = `was sent before with something else to book, which is booking ${quoted(booking.id)}`;
    throw invalid({ field: "request_id", description: `${fact}: send a new UUID to book this, too` });
  }

  /** The booking of that id; fails where there is none, without a word of those of others. */
  get(id: string): Booking {
    const booking = this.#bookings.get(id.trim().toUpperCase());
    if (booking === undefined)
      throw notFound("booking", id, "copy booking_id from BookFlight, six letters and digits");
    return booking;
  }

  /** Cancels a booking; one that is cancelled stays as it is. */
  cancel(id: string): Booking {
    const booking = this.get(id);
    if (booking.cancelled !== undefined) return booking;
    const untilDeparture = booking.offer.flight.departure - this.now();
    if (untilDeparture <= 0) {
      const fact = `flight ${quoted(booking.offer.id)} of booking ${quoted(booking.id)} has departed`;
      throw precondition("DEPARTED", booking.id, fact, "it can no longer be cancelled");
    }
    const share = untilDeparture >= FULL_REFUND_MS ? 1 : 0.5;
    const cancelled = { at: this.now(), refund: share * price(booking) };
    const changed = { ...booking, cancelled };
    this.#bookings.set(booking.id, changed);
    this.#take(booking.offer.id, -booking.passengerNames.length);
    return changed;
  }

  /** How many seats of an offer are booked. */
  seats(offerId: string): number {
    return this.#seats.get(offerId) ?? 0;
  }

  #take(offerId: string, seats: number): void {
    const taken = this.seats(offerId) + seats;
    if (taken === 0) this.#seats.delete(offerId);
    else this.#seats.set(offerId, taken);
  }

  #makeRoom(): void {
    for (const booking of this.#bookings.values()) {
      const departed = booking.offer.flight.departure <= this.now();
      if (booking.cancelled === undefined && !departed) continue;
      if (booking.cancelled === undefined) this.#take(booking.offer.id, -booking.passengerNames.length);
      this.#idOfRequest.delete(booking.requestId);
      this.#bookings.delete(booking.id);
      return;
    }
    const fact = `the service keeps ${this.max} bookings and is full`;
    throw exhausted("TOO_MANY_BOOKINGS", fact, "cancel one with CancelBooking first", 3600);
  }
}

/** What all passengers pay together, in US dollars. */
export function price(booking: Wanted): number {
  return booking.offer.dollars * booking.passengerNames.length;
}
