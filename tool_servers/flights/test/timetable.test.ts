import assert from "node:assert/strict";
import { test } from "node:test";
import { CABINS, LONG_HAUL_KM } from "../src/timetable/cabins.js";
import { seeded } from "../src/timetable/random.js";
import {
  flightsOn,
  LONGEST_KM,
  offerOf,
  type ScheduledFlight,
  SHORTEST_KM,
  stopover,
} from "../src/timetable/timetable.js";
import { type Airport, loadAirports } from "../src/world/airports.js";
import { distanceKm } from "../src/world/geography.js";
import { localTime } from "../src/world/local_time.js";

const airports = loadAirports();
const DATE = "2026-03-02";
const at = (code: string): Airport => {
  const airport = airports.find((each) => each.code === code);
  assert.ok(airport);
  return airport;
};
const all: ScheduledFlight[] = airports.flatMap((from) =>
  airports.flatMap((to) => flightsOn(from, to, DATE)),
);

test("every two airports within reach of each other have flights, no others have", () => {
  const flown = new Set(all.map(({ from, to }) => `${from.code}-${to.code}`));
  for (const from of airports) {
    for (const to of airports) {
      const km = distanceKm(from, to);
      const route = `${from.code}-${to.code}`;
      assert.equal(flown.has(route), km >= SHORTEST_KM && km <= LONGEST_KM, route);
    }
  }
});

test("flights depart on their day, and are as long as aircraft need", () => {
  for (const { from, date, departure, arrival, km, number } of all) {
    assert.equal(localTime(from.city.timeZone, departure).slice(0, 10), date);
    const speed = km / ((arrival - departure) / 3_600_000);
    assert.ok(speed > 150 && speed < 860, `${number} ${speed}`);
    assert.ok(arrival - departure < 19.5 * 3_600_000, number);
  }
});

test("no two offers share an id", () => {
  const ids = all.flatMap((flight) => CABINS.flatMap((cabin) => offerOf(flight, cabin)?.id ?? []));
  assert.equal(new Set(ids).size, ids.length);
});

test("the timetable is the same each time, and at the same hours on each day", () => {
  const [today, again] = [1, 2].map(() => flightsOn(at("PEK"), at("SHA"), DATE));
  assert.deepEqual(today, again);
  const next = flightsOn(at("PEK"), at("SHA"), "2026-03-03");
  assert.deepEqual(
    today?.map((flight) => flight.departure + 24 * 3_600_000),
    next.map((flight) => flight.departure),
  );
});

test("some cabins are sold out, most are not; better ones cost more than economy usually does", () => {
  const offers = all.flatMap((flight) => CABINS.flatMap((cabin) => offerOf(flight, cabin) ?? []));
  const soldOut = offers.filter((offer) => offer.freeSeats === 0).length / offers.length;
  assert.ok(soldOut > 0.02 && soldOut < 0.2, String(soldOut));
  for (const { freeSeats, dollars } of offers) assert.ok(freeSeats >= 0 && dollars > 0);
  const mean = (cabin: string): number => {
    const prices = offers.filter((offer) => offer.cabin === cabin && offer.flight.km >= LONG_HAUL_KM);
    return prices.reduce((sum, offer) => sum + offer.dollars, 0) / prices.length;
  };
  const means = CABINS.map(mean);
  assert.deepEqual(
    means,
    [...means].sort((one, other) => one - other),
  );
});

test("only long flights have all four cabins", () => {
  const [short] = flightsOn(at("PEK"), at("SHA"), DATE);
  const [long] = flightsOn(at("LHR"), at("JFK"), DATE);
  assert.ok(short && long);
  assert.deepEqual(
    CABINS.map((cabin) => offerOf(short, cabin) !== undefined),
    [true, false, true, false],
  );
  assert.deepEqual(
    CABINS.map((cabin) => offerOf(long, cabin) !== undefined),
    [true, true, true, true],
  );
});

test("a stopover is within reach of both ends", () => {
  const hub = stopover(at("LIM"), at("SIN"), airports);
  assert.ok(hub);
  assert.ok(flightsOn(at("LIM"), hub, DATE).length > 0 && flightsOn(hub, at("SIN"), DATE).length > 0);
});

test("numbers of a seed are the same on every run and machine", () => {
  // A change of them would change every flight.
  const random = seeded("PEK-SHA");
  assert.deepEqual(
    [random(), random(), random()],
    [0.2848766187671572, 0.9847498363815248, 0.9389095520600677],
  );
});
