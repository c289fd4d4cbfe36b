import assert from "node:assert/strict";
import { test } from "node:test";
import { loadAirports } from "../src/world/airports.js";
import { distanceKm } from "../src/world/geography.js";
import { localTime } from "../src/world/local_time.js";
import { likeness, nearNames } from "../src/world/near_names.js";
import { Places } from "../src/world/places.js";

const airports = loadAirports();
const places = new Places(airports);
const codes = (name: string): string =>
  places
    .find(name)
    .map((airport) => airport.code)
    .join(" ");

test("there are at least 80 airports, each with a code of its own and a place on the globe", () => {
  assert.ok(airports.length >= 80);
  assert.equal(new Set(airports.map((airport) => airport.code)).size, airports.length);
  for (const { code, latitude, longitude, size } of airports) {
    assert.match(code, /^[A-Z]{3}$/);
    assert.ok(Math.abs(latitude) < 70 && Math.abs(longitude) <= 180, code);
    assert.ok([1, 2, 3].includes(size), code);
  }
});

test("no clock is further than three and a half hours from the sun", () => {
  for (const { code, longitude, city } of airports) {
    const [, sign, hours, minutes] =
      /([+-])(\d\d):(\d\d)$/.exec(localTime(city.timeZone, Date.UTC(2026, 0, 15))) ?? [];
    const offset = (Number(hours) + Number(minutes) / 60) * (sign === "-" ? -1 : 1);
    assert.ok(Math.abs(offset - longitude / 15) < 3.5, code);
  }
});

test("the airports of a city are near it", () => {
  for (const one of airports) {
    for (const other of airports.filter((each) => each.city === one.city)) {
      assert.ok(distanceKm(one, other) < 100, `${one.code} ${other.code}`);
    }
  }
});

test("distances are those of the globe", () => {
  const between = (from: string, to: string): number => {
    const [one, other] = [places.airport(from), places.airport(to)];
    assert.ok(one && other);
    return distanceKm(one, other);
  };
  assert.ok(Math.abs(between("JFK", "LHR") - 5540) < 20);
  assert.ok(Math.abs(between("SIN", "JFK") - 15_340) < 40);
  assert.ok(Math.abs(between("SYD", "AKL") - 2160) < 20);
});

for (const [name, expected] of [
  ["Shanghai", "PVG SHA"],
  ["shanghai ", "PVG SHA"],
  ["上海", "PVG SHA"],
  ["上海市", "PVG SHA"],
  ["Shanghai, China", "PVG SHA"],
  ["中国上海", "PVG SHA"],
  ["London, UK", "LHR LGW STN LCY"],
  ["London, Ontario", ""],
  ["Dallas, USA", "DFW"],
  ["Seoul Korea", "ICN GMP"],
  ["pvg", "PVG"],
  ["SHA", "SHA"],
  ["Shanghai (PVG)", "PVG"],
  ["Shanghai Pudong", "PVG"],
  ["上海浦东国际机场", "PVG"],
  ["PVG - Shanghai Pudong", "PVG"],
  ["Pudong International Airport", "PVG"],
  ["London", "LHR LGW STN LCY"],
  ["LON", "LHR LGW STN LCY"],
  ["Heathrow", "LHR"],
  ["New York City", "JFK EWR LGA"],
  ["Sao Paulo", "GRU CGH"],
  ["Zürich", "ZRH"],
  ["Zurich Airport", "ZRH"],
  ["Xian", "XIY"],
  ["Chicago O'Hare", "ORD"],
  ["København", "CPH"],
  ["胡志明市", "SGN"],
  ["臺北", "TPE TSA"],
  ["台北市", "TPE TSA"],
  ["Frankfurt", "FRA"],
  ["Hong Kong", "HKG"],
  ["Atlantis", ""],
  ["", ""],
  ["机场", ""],
  ["🛫", ""],
] as const) {
  test(`"${name}" means ${expected || "nothing"}`, () => assert.equal(codes(name), expected));
}

test("every city and airport is found by each of its names", () => {
  for (const airport of airports) {
    for (const name of [airport.city.name, ...airport.city.aliases, ...airport.city.chinese, airport.code]) {
      assert.ok(places.find(name).includes(airport), `${name} ${airport.code}`);
    }
    const names = [airport.name, ...airport.aliases].map((name) => `${airport.city.name} ${name}`);
    for (const name of names) assert.ok(places.find(name).includes(airport), name);
  }
});

test("a name that is not known is answered with those like it", () => {
  assert.equal(places.near("Shangai")[0], "Shanghai (上海; PVG, SHA)");
  assert.equal(places.near("Lodnon")[0], "London (伦敦; LHR, LGW, STN, LCY)");
  assert.equal(places.near("北平")[0], "Beijing (北京; PEK, PKX)");
  assert.ok(places.near("UK").includes("Manchester (曼彻斯特; MAN)"));
  assert.ok(places.near("Japan").some((each) => each.startsWith("Osaka")));
  assert.deepEqual(places.near("qqqqqqqqqqqq"), []);
});

test("likeness counts a swap of two letters once", () => {
  assert.equal(likeness("abcd", "abdc"), 0.75);
  assert.equal(likeness("", ""), 1);
  assert.equal(likeness("ab", "xy"), 0);
  assert.deepEqual(nearNames("rome", ["roma", "lima", "rome"]), ["rome", "roma"]);
});
