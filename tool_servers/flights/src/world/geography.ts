/** Distances on the globe. */

const EARTH_RADIUS_KM = 6371;

/** A point of the globe, in degrees. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** The great-circle distance in kilometres. */
export function distanceKm(from: Point, to: Point): number {
  const north = radians(to.latitude - from.latitude);
  const east = radians(to.longitude - from.longitude);
  const cosines = Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude));
  const haversine = Math.sin(north / 2) ** 2 + cosines * Math.sin(east / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, haversine)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
