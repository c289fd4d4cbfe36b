/** A flight id ↔ the offer that it names, and the days on which flights are sold. */

import { type Failure, invalid, notFound, precondition, quoted } from "../failure.js";
import type { Airport } from "../world/airports.js";
import { isDate, localDate, plusDays } from "../world/local_time.js";
import { nearNames } from "../world/near_names.js";
import type { Places } from "../world/places.js";
import { CABINS, type CabinName } from "./cabins.js";
import { flightsOn, type Offer, offerOf } from "./timetable.js";

/** How far ahead flights are sold. */
export const DAYS_AHEAD = 330;

const ID = /^([A-Z]{3})-([A-Z]{3})-(\d{4})(\d{2})(\d{2})-([A-Z]{3}\d+)-([A-Z_]+)$/;
const COPY_IT = "copy flight_id from a flight of SearchFlights as it is";

/** What the timetable sells, now. */
export class Offers {
  constructor(
    readonly places: Places,
    readonly now: () => number,
  ) {}

  /** The cabins of that name of all flights of a day that have not departed. */
  onDay(from: Airport, to: Airport, date: string, cabin: CabinName): Offer[] {
    if (date > this.#lastDay(from)) return [];
    const ahead = flightsOn(from, to, date).filter((flight) => flight.departure > this.now());
    return ahead.flatMap((flight) => offerOf(flight, cabin) ?? []);
  }

  /** The offer that an id names; fails where there is none, or where it has departed. */
  find(id: string): Offer {
    const asked = id.trim().toUpperCase();
    const offers = this.#likely(asked);
    const offer = offers.find((each) => each.id === asked);
    if (offer === undefined) throw this.#unknown(id, offers);
    this.checkAhead(offer);
    return offer;
  }

  /** Fails where an offer's flight has departed. */
  checkAhead(offer: Offer): void {
    if (offer.flight.departure > this.now()) return;
    const fact = `flight ${quoted(offer.id)} has departed`;
    throw precondition("DEPARTED", offer.id, fact, "search for a later one");
  }

  /** Fails where flights from an airport are not sold on a date. */
  checkDate(date: string, from: Airport): void {
    const fault = this.#dateFault(date, from);
    if (fault !== undefined) throw invalid({ field: "date", description: fault });
  }

  #dateFault(date: string, from: Airport): string | undefined {
    const today = localDate(from.city.timeZone, this.now());
    const last = this.#lastDay(from);
    const range = `give a day from ${today}, which is today in ${from.city.name}, to ${last}`;
    if (!isDate(date)) return `there is no day ${quoted(date)}: ${range}`;
    if (date < today) return `${quoted(date)} has passed: ${range}`;
    if (date > last) return `${quoted(date)} is too far ahead, the timetable ends on ${last}: ${range}`;
    return undefined;
  }

  #lastDay(from: Airport): string {
    return plusDays(localDate(from.city.timeZone, this.now()), DAYS_AHEAD);
  }

  /** All cabins of all flights of the route and day that an id speaks of. */
  #likely(id: string): Offer[] {
    const [, from, to, year, month, day] = ID.exec(id) ?? [];
    const [origin, destination] = [this.places.airport(from ?? ""), this.places.airport(to ?? "")];
    const date = `${year}-${month}-${day}`;
    if (!origin || !destination || !isDate(date) || date > this.#lastDay(origin)) return [];
    const flights = flightsOn(origin, destination, date);
    return flights.flatMap((flight) => CABINS.flatMap((cabin) => offerOf(flight, cabin) ?? []));
  }

  #unknown(id: string, offers: readonly Offer[]): Failure {
    const near = nearNames(
      id.trim().toUpperCase(),
      offers.filter(({ flight }) => flight.departure > this.now()).map((offer) => offer.id),
    );
    const cure = near.length > 0 ? `${COPY_IT}; the nearest are ${near.map(quoted).join(", ")}` : COPY_IT;
    return notFound("flight", id, cure);
  }
}
