/** A real server on a free port with a clock that stands still, and a client of it. */

import assert from "node:assert/strict";
import { create, fromBinary, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { type Flight, FlightService } from "../gen/flights/v1/flights_pb.js";
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../gen/google/rpc/status_pb.js";
import { definition, pathOf } from "../src/grpc/handlers.js";
import { FlightServer } from "../src/server.js";

type Methods = typeof FlightService.method;

/** 8 in the morning of 1 March 2026, UTC: 16 o'clock in Shanghai. */
export const START = Date.parse("2026-03-01T08:00:00Z");

/** What a test may set, and change while the server runs. */
export class World {
  now = START;
  holdMilliseconds = 15 * 60_000;
  maxHolds = 100;
  maxBookings = 100;
  delaySeconds = 0;
}

/** A server with a client of it. */
export interface Served {
  readonly server: FlightServer;
  readonly client: Client;
  readonly address: string;
}

/** Runs `test` against a server of its own. */
export async function withServer(
  test: (served: Served) => Promise<void>,
  world = new World(),
): Promise<void> {
  const server = new FlightServer({ ...world, now: () => world.now }, world.delaySeconds);
  const address = `127.0.0.1:${await server.start("127.0.0.1:0")}`;
  const client = new Client(address);
  try {
    await test({ server, client, address });
  } finally {
    client.close();
    await server.stop(0);
  }
}

/** Calls the service as any client does. */
export class Client {
  readonly #client: grpc.Client;

  constructor(address: string) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure());
  }

  call<Name extends keyof Methods>(
    name: Name,
    request: MessageInitShape<Methods[Name]["input"]>,
  ): Promise<MessageShape<Methods[Name]["output"]>> {
    const method = FlightService.method[name];
    const { requestSerialize, responseDeserialize } = definition(method, pathOf(method));
    const message = create(method.input, request);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        pathOf(method),
        requestSerialize,
        responseDeserialize,
        message,
        (error, response) => {
          if (error) reject(error);
          else resolve(response as MessageShape<Methods[Name]["output"]>);
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** The flights from Beijing Capital to Shanghai Hongqiao on a day, or what `more` says. */
export async function flights(client: Client, more: object = {}): Promise<readonly Flight[]> {
  const request = { origin: "PEK", destination: "SHA", date: "2026-03-05", pageSize: 50, ...more };
  return (await client.call("searchFlights", request)).flights;
}

/** The cheapest of them. */
export async function flight(client: Client, more: object = {}): Promise<Flight> {
  const [first] = await flights(client, more);
  assert.ok(first);
  return first;
}

/** How a call failed. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
  /** The fields that are wrong. */
  readonly fields: readonly string[];
}

/** How a call fails; it must. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  const error = await call.then(
    () => undefined,
    (caught: grpc.ServiceError) => caught,
  );
  if (error === undefined) throw new Error("the call did not fail");
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const details = bytes === undefined ? [] : fromBinary(StatusSchema, bytes as Buffer).details;
  const info = details
    .map((each) => anyUnpack(each, ErrorInfoSchema))
    .find((each): each is ErrorInfo => !!each);
  const bad = details
    .map((each) => anyUnpack(each, BadRequestSchema))
    .find((each): each is BadRequest => !!each);
  return {
    code: grpc.status[error.code],
    message: error.details,
    reason: info?.reason ?? "",
    facts: info?.metadata ?? {},
    fields: bad?.fieldViolations.map((violation) => violation.field) ?? [],
  };
}
