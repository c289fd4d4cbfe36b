/** The cabins of a flight: which there are, their seats, their fares. */

/** A cabin; the name is part of flight ids. */
export type CabinName = "ECONOMY" | "PREMIUM_ECONOMY" | "BUSINESS" | "FIRST";

/** All cabins, the cheapest first. */
export const CABINS: readonly CabinName[] = ["ECONOMY", "PREMIUM_ECONOMY", "BUSINESS", "FIRST"];

/** From here on aircraft have four cabins. */
export const LONG_HAUL_KM = 4000;

const FARE_FACTORS: Record<CabinName, number> = {
  ECONOMY: 1,
  PREMIUM_ECONOMY: 1.7,
  BUSINESS: 3.2,
  FIRST: 5.5,
};

/** How many seats a cabin has; 0: the aircraft has no such cabin. */
export function capacity(cabin: CabinName, km: number): number {
  const seats: Record<CabinName, number> =
    km >= LONG_HAUL_KM
      ? { ECONOMY: 210, PREMIUM_ECONOMY: 28, BUSINESS: 40, FIRST: 8 }
      : { ECONOMY: 156, PREMIUM_ECONOMY: 0, BUSINESS: 12, FIRST: 0 };
  return seats[cabin];
}

/** The cabins of a flight over a distance. */
export function cabinsOver(km: number): CabinName[] {
  return CABINS.filter((cabin) => capacity(cabin, km) > 0);
}

/** The usual fare over a distance in US dollars; what is asked on a day varies around it. */
export function usualFare(cabin: CabinName, km: number): number {
  return (35 + 0.07 * km) * FARE_FACTORS[cabin];
}
