/** A generated timetable: every pair of airports within reach, every day, always the same. */

import type { Airport } from "../world/airports.js";
import { distanceKm } from "../world/geography.js";
import { instantOf } from "../world/local_time.js";
import { type CabinName, capacity, usualFare } from "./cabins.js";
import { hash, seeded } from "./random.js";

/** Nearer, one takes a train; further, no aircraft flies nonstop. */
export const SHORTEST_KM = 150;
export const LONGEST_KM = 15_500;

const AIRLINES = [
  ["CRN", "Crane Air"],
  ["LTN", "Lantern Airways"],
  ["JDR", "Jade River Airlines"],
  ["HBR", "Harbour Wings"],
  ["MRD", "Meridian Air"],
  ["NLT", "Northlight"],
] as const;

const MINUTE = 60_000;
const CRUISE_KM_PER_MINUTE = 14;
const FIRST_DEPARTURE = 6 * 60;
const LAST_DEPARTURE = 22 * 60 + 30;

/** A flight on a day. */
export interface ScheduledFlight {
  readonly number: string;
  readonly airline: string;
  readonly from: Airport;
  readonly to: Airport;
  /** The local date of the departure, as YYYY-MM-DD. */
  readonly date: string;
  /** Instants. */
  readonly departure: number;
  readonly arrival: number;
  readonly km: number;
}

/** A cabin of a flight, as it is sold before this service sells any seat of it. */
export interface Offer {
  readonly id: string;
  readonly flight: ScheduledFlight;
  readonly cabin: CabinName;
  /** For one passenger, in whole US dollars. */
  readonly dollars: number;
  readonly freeSeats: number;
}

/** All flights from one airport to another that depart on a local date, the earliest first. */
export function flightsOn(from: Airport, to: Airport, date: string): ScheduledFlight[] {
  const km = distanceKm(from, to);
  if (km < SHORTEST_KM || km > LONGEST_KM) return [];
  // Of the route alone: the same flights depart at the same times every day.
  const random = seeded(`${from.code}-${to.code}`);
  const count = flightsPerDay(from, to, km);
  const slot = (LAST_DEPARTURE - FIRST_DEPARTURE) / count;
  const firstNumber = 100 + (hash(`${from.code}/${to.code}`) % 800);
  return Array.from({ length: count }, (_, index) => {
    const minutes = FIRST_DEPARTURE + roundTo5((index + random()) * slot);
    const duration = roundTo5(30 + km / CRUISE_KM_PER_MINUTE + random() * 10);
    const [code, airline] = AIRLINES[Math.floor(random() * AIRLINES.length)] ?? AIRLINES[0];
    const departure = instantOf(from.city.timeZone, date, minutes);
    // Numbers rise over the day, so that no two flights of a route share one.
    const number = `${code}${firstNumber + index}`;
    return { number, airline, from, to, date, departure, arrival: departure + duration * MINUTE, km };
  });
}

/** A cabin of a flight with its price and free seats; none where the aircraft has no such cabin. */
export function offerOf(flight: ScheduledFlight, cabin: CabinName): Offer | undefined {
  const seats = capacity(cabin, flight.km);
  if (seats === 0) return undefined;
  const id = offerId(flight, cabin);
  const random = seeded(id);
  const demand = 0.4 + 0.65 * random();
  const weekend = [0, 5].includes(new Date(`${flight.date}T00:00:00Z`).getUTCDay()) ? 1.1 : 1;
  const dollars = Math.round(usualFare(cabin, flight.km) * (0.6 + 0.8 * demand) * weekend);
  return { id, flight, cabin, dollars, freeSeats: Math.max(0, Math.round(seats * (1 - demand))) };
}

/** The large airport by which a journey between two that are too far apart is shortest. */
export function stopover(from: Airport, to: Airport, airports: readonly Airport[]): Airport | undefined {
  const reachable = (one: Airport, other: Airport): boolean => {
    const km = distanceKm(one, other);
    return km >= SHORTEST_KM && km <= LONGEST_KM;
  };
  const detour = (hub: Airport): number => distanceKm(from, hub) + distanceKm(hub, to);
  return airports
    .filter((hub) => hub.size === 3 && reachable(from, hub) && reachable(hub, to))
    .sort((one, other) => detour(one) - detour(other))[0];
}

/** "PVG-LHR-20260301-CRN402-ECONOMY". */
function offerId(flight: ScheduledFlight, cabin: CabinName): string {
  return [flight.from.code, flight.to.code, flight.date.replaceAll("-", ""), flight.number, cabin].join("-");
}

function flightsPerDay(from: Airport, to: Airport, km: number): number {
  const busy = [1, 2, 4, 7, 10][from.size + to.size - 2] ?? 1;
  if (km < LONGEST_KM / 5) return busy;
  return Math.max(1, Math.round(busy / (km < LONGEST_KM / 2 ? 2 : 3)));
}

function roundTo5(minutes: number): number {
  return Math.round(minutes / 5) * 5;
}
