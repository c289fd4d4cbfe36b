/** A search → the offers that fit, in order, and a word on what was left out. */

import { type FieldViolation, invalid, quoted } from "./failure.js";
import type { Desk } from "./reservations/desk.js";
import { type CabinName, cabinsOver } from "./timetable/cabins.js";
import type { Offers } from "./timetable/offers.js";
import { LONGEST_KM, type Offer, SHORTEST_KM, stopover } from "./timetable/timetable.js";
import type { Airport } from "./world/airports.js";
import { distanceKm } from "./world/geography.js";

/** What to search for. */
export interface Query {
  readonly origin: string;
  readonly destination: string;
  readonly date: string;
  readonly cabin: CabinName;
  readonly passengers: number;
  readonly order: "PRICE" | "DEPARTURE_TIME" | "DURATION";
}

/** All that was found. */
export interface Found {
  readonly offers: readonly Offer[];
  /** Why there are none, or fewer than one might expect; or empty. */
  readonly note: string;
}

/** Finds the flights between two places with enough free seats. */
export function search(query: Query, offers: Offers, desk: Desk): Found {
  const { from, to } = endsOf(query, offers);
  offers.checkDate(query.date, from[0]);
  const pairs = from.flatMap((origin) => to.map((destination) => [origin, destination] as const));
  const all = pairs.flatMap(([origin, destination]) =>
    offers.onDay(origin, destination, query.date, query.cabin),
  );
  const free = all.filter((offer) => desk.seatsLeft(offer) >= query.passengers);
  const note =
    all.length === 0 ? whyNone(query, offers, from[0], to[0]) : whatIsLeftOut(query, all.length, free.length);
  return { offers: free.sort(inOrder(query.order)), note };
}

type Airports = readonly [Airport, ...Airport[]];

function endsOf(query: Query, offers: Offers): { from: Airports; to: Airports } {
  const [from, to] = [offers.places.find(query.origin), offers.places.find(query.destination)];
  const violations: FieldViolation[] = [];
  if (!isSome(from)) violations.push(unknownPlace("origin", query.origin, offers));
  if (!isSome(to)) violations.push(unknownPlace("destination", query.destination, offers));
  if (!isSome(from) || !isSome(to)) throw invalid(...violations);
  if (from[0].city === to[0].city) {
    const city = offers.places.describe(to[0].city);
    const description = `${quoted(query.destination)} is in ${city}, as the origin is: give another city`;
    throw invalid({ field: "destination", description });
  }
  return { from, to };
}

function isSome(airports: readonly Airport[]): airports is Airports {
  return airports.length > 0;
}

function unknownPlace(field: string, name: string, offers: Offers): FieldViolation {
  const near = offers.places.near(name);
  const cure =
    near.length > 0
      ? `give one of ${near.join(", ")}, or another city or IATA code`
      : "give a large city near it, in English or Chinese, or an IATA code";
  return { field, description: `${quoted(name)} is no city or airport of the timetable: ${cure}` };
}

function whyNone(query: Query, offers: Offers, from: Airport, to: Airport): string {
  const km = distanceKm(from, to);
  const between = `${from.city.name} and ${to.city.name}`;
  if (km < SHORTEST_KM) return `There are no flights between ${between}, ${Math.round(km)} km: go by land.`;
  if (km > LONGEST_KM) {
    const hub = stopover(from, to, offers.places.airports);
    const by = hub === undefined ? "" : `, e.g. by ${hub.city.name} (${hub.code})`;
    return `No aircraft flies nonstop between ${between}, ${Math.round(km)} km: search in two parts${by}.`;
  }
  const cabins = cabinsOver(km);
  if (!cabins.includes(query.cabin)) {
    return `No flight between ${between} has that cabin: search for ${cabins.map((each) => `CABIN_${each}`).join(" or ")}.`;
  }
  return "All flights of the day have departed: search for the next day.";
}

function whatIsLeftOut({ passengers }: Query, all: number, free: number): string {
  if (all === free) return "";
  const why = passengers === 1 ? "sold out" : `short of ${passengers} free seats in that cabin`;
  if (free > 0) return `Left out: ${all - free} of ${all} flights, which are ${why}.`;
  return `All ${all} flights of the day are ${why}: search for another day or cabin.`;
}

function inOrder(order: Query["order"]): (one: Offer, other: Offer) => number {
  const earlier = (one: Offer, other: Offer): number =>
    one.flight.departure - other.flight.departure || (one.id < other.id ? -1 : 1);
  const duration = ({ flight }: Offer): number => flight.arrival - flight.departure;
  if (order === "DEPARTURE_TIME") return earlier;
  if (order === "DURATION") return (one, other) => duration(one) - duration(other) || earlier(one, other);
  return (one, other) => one.dollars - other.dollars || earlier(one, other);
}
