/** The flight service at an address, with health and reflection beside it. */

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { FlightService } from "../gen/flights/v1/flights_pb.js";
import { CURES } from "./cures.js";
import { CallLog } from "./grpc/call_log.js";
import { addService } from "./grpc/handlers.js";
import { addReflection } from "./grpc/reflection.js";
import { validating } from "./grpc/validation.js";
import { flightService, type Setting } from "./service.js";

const OPTIONS = {
  "grpc.max_receive_message_length": 64 * 1024,
  "grpc.max_send_message_length": 1024 * 1024,
  "grpc.max_concurrent_streams": 1000,
  // Long-lived clients come back through name resolution now and then, so that load stays even.
  "grpc.max_connection_age_ms": 30 * 60 * 1000,
  "grpc.max_connection_age_grace_ms": 30 * 1000,
};

/**
 * Serves until it is stopped.
 *
 *     const server = new FlightServer(setting);
 *     const port = await server.start("127.0.0.1:0");
 *     …
 *     await server.stop(10);
 */
export class FlightServer {
  readonly #calls = new CallLog(`/${FlightService.typeName}/`);
  readonly #health = new HealthImplementation({ "": "SERVING", [FlightService.typeName]: "SERVING" });
  readonly #server: Server;

  constructor(setting: Setting, delaySeconds = 0) {
    // The first one is nearest to the client: it sees what the second one refuses.
    const interceptors = [this.#calls.interceptor, validating(FlightService, CURES)];
    this.#server = new Server({ ...OPTIONS, interceptors });
    addService(this.#server, FlightService, flightService(setting), delaySeconds);
    this.#health.addToServer(this.#server);
    addReflection(this.#server);
  }

  /** Listens, and returns the port; fails where the address cannot be had. */
  start(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  }

  /** Says NOT_SERVING, refuses new calls, and gives those in flight so many seconds to end. */
  stop(graceSeconds: number): Promise<void> {
    for (const name of ["", FlightService.typeName]) this.#health.setStatus(name, "NOT_SERVING");
    return new Promise((resolve) => {
      const force = setTimeout(() => this.#server.forceShutdown(), graceSeconds * 1000);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
      this.#calls.endOthers();
    });
  }
}
