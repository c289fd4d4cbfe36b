/**
 * Runs the flight service:
 *
 *     make -C tool_servers/flights build
 *     node tool_servers/flights/build/src/main.js      # flights: listening on 127.0.0.1:50053
 *
 * `--help` tells the settings.
 */

import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { HELP, parse, type Settings, WrongSetting } from "./command_line.js";
import { FlightServer } from "./server.js";

const MAX_HOLDS = 1000;
const MAX_BOOKINGS = 10_000;

async function serve(settings: Settings): Promise<void> {
  const stopping = firstSignal();
  const ahead = settings.startsAt === undefined ? 0 : settings.startsAt - Date.now();
  const server = new FlightServer(
    {
      now: () => Date.now() + ahead,
      holdMilliseconds: settings.holdSeconds * 1000,
      maxHolds: MAX_HOLDS,
      maxBookings: MAX_BOOKINGS,
    },
    settings.delaySeconds,
  );
  const port = await listen(server, settings.address);
  const host = settings.address.replace(/:\d+$/, "");
  process.stdout.write(`flights: listening on ${host}:${port}\n`);
  await stopping;
  await server.stop(settings.graceSeconds);
}

/** Resolves at SIGTERM or SIGINT; a second one ends the process at once. */
function firstSignal(): Promise<void> {
  const signals = ["SIGTERM", "SIGINT"] as const;
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of signals) process.off(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}

async function listen(server: FlightServer, address: string): Promise<number> {
  try {
    return await server.start(address);
  } catch {
    throw new WrongSetting(`cannot listen on "${address}": give a HOST:PORT of this machine that is free`);
  }
}

async function main(): Promise<number> {
  // What fails is told in one line, ours.
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
  try {
    const settings = parse(process.argv.slice(2));
    if (settings === undefined) process.stdout.write(HELP);
    else await serve(settings);
    return 0;
  } catch (error) {
    if (!(error instanceof WrongSetting)) throw error;
    process.stderr.write(`flights: ${error.message}\n`);
    return 2;
  }
}

// What is still open, e.g. an answer that is delayed beyond the grace period, must not keep the process.
process.exit(await main());
