import assert from "node:assert/strict";
import { test } from "node:test";
import { Cabin, type Flight, SortOrder } from "../gen/flights/v1/flights_pb.js";
import { flights, refusal, START, World, withServer } from "./harness.js";

test("a search by city finds the flights of all its airports, with local times and prices", () =>
  withServer(async ({ client }) => {
    const request = { origin: "上海", destination: "London", date: "2026-03-05", pageSize: 50 };
    const found = await client.call("searchFlights", request);

    assert.deepEqual(new Set(found.flights.map((each) => each.origin?.code)), new Set(["PVG", "SHA"]));
    assert.ok(new Set(found.flights.map((each) => each.destination?.code)).size > 1);
    assert.equal(found.totalSize, found.flights.length);
    assert.match(found.source, /Simulated/);
    for (const each of found.flights) {
      assert.match(each.departureTime, /^2026-03-05T\d\d:\d\d:00\+08:00$/);
      assert.match(each.arrivalTime, /\+00:00$/);
      const minutes = (Date.parse(each.arrivalTime) - Date.parse(each.departureTime)) / 60_000;
      assert.equal(minutes, each.durationMinutes);
      assert.equal(each.cabin, Cabin.ECONOMY);
      assert.equal(each.price?.currencyCode, "USD");
      assert.ok(Number(each.price?.units) > 100);
    }
  }));

test("a flight from one airport of a city to another is refused", () =>
  withServer(async ({ client }) => {
    const request = { origin: "LHR", destination: "LGW", date: "2026-03-05" };
    const refused = await refusal(client.call("searchFlights", request));
    assert.deepEqual(refused.fields, ["destination"]);
    assert.match(refused.message, /is in London .*, as the origin is: give another city/);
  }));

test("flights come in the order that is asked for", () =>
  withServer(async ({ client }) => {
    const keys = {
      [SortOrder.UNSPECIFIED]: (each: Flight) => Number(each.price?.units),
      [SortOrder.PRICE]: (each: Flight) => Number(each.price?.units),
      [SortOrder.DEPARTURE_TIME]: (each: Flight) => Date.parse(each.departureTime),
      [SortOrder.DURATION]: (each: Flight) => each.durationMinutes,
    };
    for (const [order, key] of Object.entries(keys)) {
      const found = (await flights(client, { origin: "Beijing", sortOrder: Number(order) })).map(key);
      assert.ok(found.length > 5);
      assert.deepEqual(
        found,
        [...found].sort((one, other) => one - other),
        order,
      );
    }
  }));

test("the pages of a search hold all of it, once", () =>
  withServer(async ({ client }) => {
    const request = { origin: "Beijing", destination: "Shanghai", date: "2026-03-05" };
    const ids: string[] = [];
    let pageToken = "";
    do {
      const found = await client.call("searchFlights", { ...request, pageSize: 7, pageToken });
      ids.push(...found.flights.map((each) => each.flightId));
      assert.ok(ids.length <= found.totalSize);
      pageToken = found.nextPageToken;
    } while (pageToken !== "");
    const whole = await client.call("searchFlights", { ...request, pageSize: 50 });
    assert.deepEqual(
      ids,
      whole.flights.map((each) => each.flightId),
    );

    const { nextPageToken } = await client.call("searchFlights", request);
    const other = { ...request, origin: "Tianjin", pageToken: nextPageToken };
    const refused = await refusal(client.call("searchFlights", other));
    assert.deepEqual(refused.fields, ["page_token"]);
  }));

test("today's flights that have departed are not offered, nor can be booked", async () => {
  const world = new World();
  await withServer(async ({ client }) => {
    const today = await flights(client, { date: "2026-03-01" });
    for (const each of today) assert.ok(Date.parse(each.departureTime) > START, each.departureTime);
    const [last] = today.slice(-1);
    assert.ok(last);
    world.now = Date.parse("2026-03-01T15:59:00Z");
    const refused = await refusal(client.call("holdFlight", { flightId: last.flightId }));
    assert.equal(`${refused.code} ${refused.reason}`, "FAILED_PRECONDITION DEPARTED");
    const request = { origin: "PEK", destination: "SHA", date: "2026-03-01" };
    const found = await client.call("searchFlights", request);
    assert.equal(found.note, "All flights of the day have departed: search for the next day.");
  }, world);
});

for (const [what, request, note] of [
  ["too far apart", { origin: "Lima", destination: "Singapore" }, /nonstop.*two parts, e\.g\. by \w+/],
  ["too near", { origin: "Guangzhou", destination: "Shenzhen" }, /go by land/],
  ["without that cabin", { cabin: Cabin.FIRST }, /has that cabin.*CABIN_ECONOMY or CABIN_BUSINESS/],
  [
    "sold out in part",
    { cabin: Cabin.BUSINESS, passengers: 4 },
    /Left out: \d+ of \d+ flights, which are short of 4/,
  ],
  [
    "sold out",
    { cabin: Cabin.BUSINESS, passengers: 9 },
    /All \d+ flights .* short of 9 .* another day or cabin/,
  ],
] as const) {
  test(`a note says why there are few flights: ${what}`, () =>
    withServer(async ({ client }) => {
      const whole = { origin: "PEK", destination: "SHA", date: "2026-03-05", ...request };
      assert.match((await client.call("searchFlights", whole)).note, note);
    }));
}

for (const [what, request, fields, words] of [
  ["a misspelled city", { origin: "Shangai" }, ["origin"], /Shanghai \(上海; PVG, SHA\)/],
  ["two of them", { origin: "Shangai", destination: "X" }, ["origin", "destination"], /no city or airport/],
  ["a country", { destination: "Japan" }, ["destination"], /Tokyo .*Osaka/],
  ["the same city", { origin: "Beijing", destination: "PEK" }, ["destination"], /as the origin is/],
  ["yesterday", { date: "2026-02-28" }, ["date"], /has passed.*2026-03-01, which is today in Beijing/],
  ["too far ahead", { date: "2027-01-26" }, ["date"], /too far ahead.*2027-01-25/],
  ["no such day", { date: "2026-02-30" }, ["date"], /there is no day "2026-02-30"/],
] as const) {
  test(`a search is refused with the cure: ${what}`, () =>
    withServer(async ({ client }) => {
      const whole = { origin: "PEK", destination: "SHA", date: "2026-03-05", ...request };
      const refused = await refusal(client.call("searchFlights", whole));
      assert.equal(refused.code, "INVALID_ARGUMENT");
      assert.deepEqual(refused.fields, fields);
      assert.match(refused.message, words);
    }));
}

test("the first and the last day of the timetable have flights", () =>
  withServer(async ({ client }) => {
    for (const date of ["2026-03-01", "2027-01-25"]) assert.ok((await flights(client, { date })).length > 0);
  }));
