import assert from "node:assert/strict";
import { test } from "node:test";
import { BookingState, Cabin } from "../gen/flights/v1/flights_pb.js";
import { type Client, flight, flights, refusal, World, withServer } from "./harness.js";

const REQUEST_ID = "0b5ff3a6-5b0e-4d0c-9f3e-6a1f0f5e2d11";
const DAY = 24 * 3_600_000;

async function seatsLeft(client: Client, id: string): Promise<number | undefined> {
  const found = (await flights(client)).find((each) => each.flightId === id);
  return found?.seatsLeft;
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `Passenger ${index}`);

test("held seats are nobody else's until the hold expires", async () => {
  const world = new World();
  await withServer(async ({ client }) => {
    const { flightId, seatsLeft: before } = await flight(client);
    const hold = await client.call("holdFlight", { flightId, passengers: 4 });
    assert.equal(hold.totalPrice?.units, 4n * (hold.flight?.price?.units ?? 0n));
    assert.equal(await seatsLeft(client, flightId), before - 4);

    world.now += world.holdMilliseconds;
    assert.equal(await seatsLeft(client, flightId), before);
    const refused = await refusal(client.call("bookFlight", bookingOf(hold.holdId, 4)));
    assert.equal(`${refused.code} ${refused.reason}`, "FAILED_PRECONDITION HOLD_EXPIRED");
    assert.equal(refused.facts.flight_id, flightId);
  }, world);
});

function bookingOf(holdId: string, passengers: number) {
  return { seats: { case: "holdId" as const, value: holdId }, passengerNames: names(passengers) };
}

test("a hold is booked for as many as it is for, once", () =>
  withServer(async ({ client }) => {
    const { flightId, seatsLeft: before } = await flight(client);
    const { holdId } = await client.call("holdFlight", { flightId, passengers: 2 });

    const tooMany = await refusal(client.call("bookFlight", bookingOf(holdId, 3)));
    assert.deepEqual(tooMany.fields, ["passenger_names"]);
    const booking = await client.call("bookFlight", bookingOf(holdId.toLowerCase(), 2));
    const twice = await refusal(client.call("bookFlight", bookingOf(holdId, 2)));

    assert.equal(booking.state, BookingState.CONFIRMED);
    assert.deepEqual(booking.passengerNames, names(2));
    assert.equal(`${twice.code} ${twice.reason}`, "FAILED_PRECONDITION HOLD_BOOKED");
    assert.equal(twice.facts.booking_id, booking.bookingId);
    assert.equal(await seatsLeft(client, flightId), before - 2);
    assert.deepEqual(await client.call("getBooking", { bookingId: booking.bookingId }), booking);
  }));

test("seats run out, and the refusal names flights that have some", () =>
  withServer(async ({ client }) => {
    const found = await flights(client, { cabin: Cabin.BUSINESS });
    const { flightId, seatsLeft: left } = found.find((each) => each.seatsLeft < 9) ?? found[0] ?? {};
    assert.ok(flightId && left);
    await client.call("holdFlight", { flightId, passengers: left });
    const seats = { case: "flightId" as const, value: flightId };
    const refused = await refusal(client.call("bookFlight", { seats, passengerNames: names(2) }));

    assert.equal(`${refused.code} ${refused.reason}`, "FAILED_PRECONDITION SOLD_OUT");
    const alternatives = refused.facts.alternatives?.split(",") ?? [];
    assert.equal(alternatives.length, 3);
    for (const alternative of alternatives) {
      await client.call("holdFlight", { flightId: alternative, passengers: 2 });
    }
  }));

test("a request that is repeated books once; one that differs is refused", () =>
  withServer(async ({ client }) => {
    const { flightId, seatsLeft: before } = await flight(client);
    const seats = { case: "flightId" as const, value: flightId };
    const request = { seats, passengerNames: ["Wang Fang"], requestId: REQUEST_ID };
    const booking = await client.call("bookFlight", request);

    assert.deepEqual(
      await client.call("bookFlight", { ...request, requestId: REQUEST_ID.toUpperCase() }),
      booking,
    );
    const other = await refusal(client.call("bookFlight", { ...request, passengerNames: ["Li Lei"] }));
    assert.deepEqual(other.fields, ["request_id"]);
    assert.equal(await seatsLeft(client, flightId), before - 1);
    const again = await client.call("bookFlight", { ...request, requestId: "" });
    assert.notEqual(again.bookingId, booking.bookingId);
  }));

test("a hold that was booked is told again to a request that is repeated", () =>
  withServer(async ({ client }) => {
    const { flightId } = await flight(client);
    const { holdId } = await client.call("holdFlight", { flightId });
    const request = { ...bookingOf(holdId, 1), requestId: REQUEST_ID };
    const booking = await client.call("bookFlight", request);
    assert.deepEqual(await client.call("bookFlight", request), booking);
  }));

for (const [hours, share] of [
  [24, 1],
  [23.9, 0.5],
] as const) {
  test(`cancelled ${hours} hours before departure, ${share} of the price is paid back, once`, async () => {
    const world = new World();
    await withServer(async ({ client }) => {
      const { flightId, seatsLeft: before, departureTime } = await flight(client);
      const seats = { case: "flightId" as const, value: flightId };
      const booking = await client.call("bookFlight", { seats, passengerNames: names(3) });
      world.now = Date.parse(departureTime) - hours * 3_600_000;
      const cancelled = await client.call("cancelBooking", { bookingId: booking.bookingId });
      world.now += 1000;
      const again = await client.call("cancelBooking", { bookingId: booking.bookingId.toLowerCase() });

      assert.equal(cancelled.state, BookingState.CANCELLED);
      const { units = 0n, nanos = 0 } = cancelled.refund ?? {};
      assert.equal(Number(units) + nanos / 1e9, share * Number(booking.totalPrice?.units));
      assert.deepEqual(again, cancelled);
      assert.equal(cancelled.flight?.seatsLeft, before);
    }, world);
  });
}

test("a hold is not booked once its flight has departed", async () => {
  const world = new World();
  await withServer(async ({ client }) => {
    const { flightId, departureTime } = await flight(client);
    world.now = Date.parse(departureTime) - 1000;
    const { holdId } = await client.call("holdFlight", { flightId });
    world.now += 1000;
    const refused = await refusal(client.call("bookFlight", bookingOf(holdId, 1)));
    assert.equal(`${refused.code} ${refused.reason}`, "FAILED_PRECONDITION DEPARTED");
  }, world);
});

test("a booking whose flight has departed cannot be cancelled", async () => {
  const world = new World();
  await withServer(async ({ client }) => {
    const { flightId, departureTime } = await flight(client);
    const seats = { case: "flightId" as const, value: flightId };
    const { bookingId } = await client.call("bookFlight", { seats, passengerNames: ["Wang Fang"] });
    world.now = Date.parse(departureTime);
    const refused = await refusal(client.call("cancelBooking", { bookingId }));
    assert.equal(`${refused.code} ${refused.reason}`, "FAILED_PRECONDITION DEPARTED");
    assert.equal((await client.call("getBooking", { bookingId })).state, BookingState.CONFIRMED);
  }, world);
});

test("a flight that is not known is answered with what is like it", () =>
  withServer(async ({ client }) => {
    const { flightId } = await flight(client);
    const call = client.call("holdFlight", { flightId: flightId.replace("ECONOMY", "ECONMY") });
    const refused = await refusal(call);
    assert.equal(refused.code, "NOT_FOUND");
    assert.match(refused.message, new RegExp(flightId));
    const past = await refusal(client.call("holdFlight", { flightId: "PEK-SHA-20250305-CRN1-ECONOMY" }));
    assert.match(past.message, /^there is no flight .* as it is$/);
    for (const flightId of ["MU5101", "PEK-XXX-20260305-CRN1-ECONOMY", "PEK-SHA-20270305-CRN732-ECONOMY"]) {
      assert.equal((await refusal(client.call("holdFlight", { flightId }))).code, "NOT_FOUND");
    }
  }));

test("of a booking or a hold that is not known, nothing is said of those of others", () =>
  withServer(async ({ client }) => {
    const { flightId } = await flight(client);
    const seats = { case: "flightId" as const, value: flightId };
    const { bookingId } = await client.call("bookFlight", { seats, passengerNames: ["Wang Fang"] });
    const { holdId } = await client.call("holdFlight", { flightId });
    for (const [call, other] of [
      [client.call("getBooking", { bookingId: bookingId.slice(1) }), bookingId],
      [client.call("cancelBooking", { bookingId: `${bookingId}2` }), bookingId],
      [client.call("bookFlight", bookingOf(holdId.slice(0, -1), 1)), holdId],
    ] as const) {
      const refused = await refusal(call);
      assert.equal(refused.code, "NOT_FOUND");
      assert.doesNotMatch(refused.message, new RegExp(`${other}(?!2)`));
    }
  }));

test("a booking's id names no booking that another server made", async () => {
  const made: string[] = [];
  for (let servers = 0; servers < 2; servers++) {
    await withServer(async ({ client }) => {
      const { flightId } = await flight(client);
      const seats = { case: "flightId" as const, value: flightId };
      made.push((await client.call("bookFlight", { seats, passengerNames: ["Wang Fang"] })).bookingId);
      made.push((await client.call("holdFlight", { flightId })).holdId);
    });
  }
  assert.equal(new Set(made).size, 4);
});

test("holds are bounded, and have room again when one expires", async () => {
  const world = new World();
  world.maxHolds = 3;
  await withServer(async ({ client }) => {
    const { flightId } = await flight(client);
    for (let held = 0; held < 3; held++) await client.call("holdFlight", { flightId });
    const refused = await refusal(client.call("holdFlight", { flightId }));
    assert.equal(`${refused.code} ${refused.reason}`, "RESOURCE_EXHAUSTED TOO_MANY_HOLDS");
    world.now += world.holdMilliseconds;
    await client.call("holdFlight", { flightId });
  }, world);
});

test("bookings are bounded: those that no longer matter make room, others do not", async () => {
  const world = new World();
  world.maxBookings = 2;
  await withServer(async ({ client }) => {
    const { flightId } = await flight(client);
    const book = (value: string) =>
      client.call("bookFlight", { seats: { case: "flightId", value }, passengerNames: ["Wang Fang"] });
    const first = await book(flightId);
    await book(flightId);
    const refused = await refusal(book(flightId));
    assert.equal(`${refused.code} ${refused.reason}`, "RESOURCE_EXHAUSTED TOO_MANY_BOOKINGS");

    await client.call("cancelBooking", { bookingId: first.bookingId });
    await book(flightId);
    const gone = await refusal(client.call("getBooking", { bookingId: first.bookingId }));
    assert.equal(gone.code, "NOT_FOUND");
    world.now += 10 * DAY;
    const later = await flight(client, { date: "2026-03-20" });
    await book(later.flightId);
  }, world);
});
