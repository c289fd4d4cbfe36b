import assert from "node:assert/strict";
import { test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { service as healthDefinition } from "grpc-health-check";
import { FlightService } from "../gen/flights/v1/flights_pb.js";
import { CURES } from "../src/cures.js";
import { addService, definition, pathOf } from "../src/grpc/handlers.js";
import { refusal, World, withServer } from "./harness.js";

test("a request that breaks rules is refused with each of them, and what to send", () =>
  withServer(async ({ client }) => {
    const refused = await refusal(client.call("searchFlights", { date: "tomorrow", passengers: 0 }));
    assert.equal(refused.code, "INVALID_ARGUMENT");
    assert.deepEqual(refused.fields, ["origin", "destination", "date", "passengers"]);
    assert.match(
      refused.message,
      /date: does not have the right form, it is "tomorrow": give the day of departure, e.g. "2026-03-01"/,
    );
  }));

test("there is a cure for every field of every request", () => {
  const fields = FlightService.methods.flatMap(({ input }) => [
    ...input.fields.map((field) => field.name),
    ...input.oneofs.map((oneof) => oneof.name),
  ]);
  const told = new Set(fields.filter((name) => !name.startsWith("_")));
  assert.deepEqual(new Set(Object.keys(CURES)), told);
});

test("a refusal of many long names still fits into what clients take", () =>
  withServer(async ({ client }) => {
    const seats = { case: "flightId" as const, value: "X" };
    const passengerNames = Array.from({ length: 190 }, () => "京".repeat(101));
    const refused = await refusal(client.call("bookFlight", { seats, passengerNames }));
    assert.equal(refused.code, "INVALID_ARGUMENT");
    assert.equal(refused.fields[0], "passenger_names");
    assert.ok(refused.fields.length < 20);
    assert.ok(encodeURI(refused.message).length < 2500);
  }));

test("a request that is too large is refused", () =>
  withServer(async ({ client }) => {
    const refused = await refusal(client.call("getBooking", { bookingId: "x".repeat(70_000) }));
    assert.equal(refused.code, "RESOURCE_EXHAUSTED");
  }));

test("calls in flight end, new ones are refused, and who watches health is told", async () => {
  const world = new World();
  world.delaySeconds = 0.2;
  await withServer(async ({ server, client, address }) => {
    const watching = watch(address);
    assert.equal(await watching.next(), "SERVING");
    const request = { origin: "PEK", destination: "SHA", date: "2026-03-05" };
    const inFlight = client.call("searchFlights", request);
    // Refused at once, and read after the other one by the server: that one is in flight.
    await refusal(client.call("searchFlights", {}));

    const stopped = server.stop(10);
    assert.equal(await watching.next(), "NOT_SERVING");
    assert.equal(await watching.next(), "UNAVAILABLE");
    assert.ok((await inFlight).flights.length > 0);
    await stopped;
    assert.equal((await refusal(client.call("searchFlights", request))).code, "UNAVAILABLE");
  }, world);
});

test("a call that does not end within the grace period is cut off", async () => {
  const world = new World();
  world.delaySeconds = 3600;
  await withServer(async ({ server, client }) => {
    const call = refusal(
      client.call("searchFlights", { origin: "PEK", destination: "SHA", date: "2026-03-05" }),
    );
    await refusal(client.call("searchFlights", {}));
    await server.stop(0.01);
    assert.match((await call).code, /UNAVAILABLE|CANCELLED|INTERNAL/);
  }, world);
});

test("a bug reaches no client: it gets an id, under which the log has the rest", async () => {
  const server = new grpc.Server();
  const bug = (): never => {
    throw new TypeError("secret");
  };
  const { searchFlights, holdFlight, bookFlight, getBooking, cancelBooking } = FlightService.method;
  assert.ok(searchFlights && holdFlight && bookFlight && getBooking && cancelBooking);
  addService(
    server,
    FlightService,
    { searchFlights: bug, holdFlight: bug, bookFlight: bug, getBooking: bug, cancelBooking: bug },
    0,
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const { Client } = await import("./harness.js");
  const client = new Client(`127.0.0.1:${port}`);
  const refused = await refusal(client.call("getBooking", { bookingId: "X" }));
  client.close();
  server.forceShutdown();
  assert.equal(`${refused.code} ${refused.reason}`, "INTERNAL UNEXPECTED");
  assert.match(refused.message, /incident [0-9a-f]{8}$/);
  assert.doesNotMatch(refused.message, /secret|TypeError/);
});

test("a method's path and shape are those of its .proto", () => {
  const method = FlightService.method.getBooking;
  assert.equal(pathOf(method), "/flights.v1.FlightService/GetBooking");
  const { requestStream, responseStream } = definition(method, pathOf(method));
  assert.deepEqual([requestStream, responseStream], [false, false]);
});

/** Watches the health of a server: each status, then the code with which the watching ends. */
function watch(address: string): { next(): Promise<string> } {
  const HealthClient = grpc.makeGenericClientConstructor(healthDefinition, "Health");
  const client = new HealthClient(address, grpc.credentials.createInsecure());
  const seen: string[] = [];
  let waiting: ((status: string) => void) | undefined;
  const tell = (status: string): void => {
    if (waiting === undefined) seen.push(status);
    else waiting(status);
    waiting = undefined;
  };
  const stream = (client.watch as (request: object) => grpc.ClientReadableStream<{ status: string }>)({
    service: "",
  });
  stream.on("data", (response: { status: string }) => tell(response.status));
  stream.on("error", (error: grpc.ServiceError) => {
    tell(grpc.status[error.code]);
    client.close();
  });
  return {
    next: () =>
      new Promise((resolve) => {
        const first = seen.shift();
        if (first === undefined) waiting = resolve;
        else resolve(first);
      }),
  };
}
