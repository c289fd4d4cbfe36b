/** The words after the program's name → its settings. */

import { parseArgs } from "node:util";
import { isDate } from "./world/local_time.js";

/** What the command line says. */
export interface Settings {
  readonly address: string;
  readonly graceSeconds: number;
  readonly delaySeconds: number;
  readonly holdSeconds: number;
  /** Milliseconds since 1970 at which the service's clock starts; undefined: the real time. */
  readonly startsAt: number | undefined;
}

/** A wrong setting, in one line with the cure. */
export class WrongSetting extends Error {}

export const HELP = `Runs the flight service: node build/src/main.js [--address HOST:PORT] …

It serves flights.v1.FlightService over a generated timetable, with health and reflection (v1 and v1alpha)
beside it, and writes one line to stdout when it is ready. A line for each call goes to stderr. SIGTERM and
SIGINT stop it: it says NOT_SERVING, refuses new calls, lets those in flight end, and exits with status 0; a
second one ends it at once.
A wrong setting is exit status 2. Holds and bookings are kept in memory until it stops.

  --address HOST:PORT  where to listen (default 127.0.0.1:50053; port 0: a free one)
  --grace SECONDS      how long calls in flight have to end when it is stopped (default 10)
  --hold SECONDS       how long seats are held (default 900)
  --now TIME           start the clock at this time, e.g. 2026-03-01T08:00:00Z, to find the same flights on every run
  --delay SECONDS      wait before each answer, to see calls overlap (default 0)
  --help               show this
`;

/** Reads the settings; undefined where --help is asked for. Throws WrongSetting. */
export function parse(words: readonly string[]): Settings | undefined {
  const values = options(words);
  if (values.help === true) return undefined;
  return {
    address: address(values.address ?? "127.0.0.1:50053"),
    graceSeconds: seconds("--grace", values.grace ?? "10", 0),
    delaySeconds: seconds("--delay", values.delay ?? "0", 0),
    holdSeconds: seconds("--hold", values.hold ?? "900", 1),
    startsAt: values.now === undefined ? undefined : instant(values.now),
  };
}

function options(words: readonly string[]) {
  const text = { type: "string" } as const;
  const known = {
    address: text,
    grace: text,
    hold: text,
    now: text,
    delay: text,
    help: { type: "boolean" },
  } as const;
  try {
    return parseArgs({ args: [...words], options: known }).values;
  } catch (error) {
    const [fact] = (error as Error).message.split(/[.\n]/);
    throw new WrongSetting(`${fact}: see --help`);
  }
}

function address(text: string): string {
  const port = /^(?:[^\s:]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(text)?.[1];
  if (port === undefined || Number(port) > 65_535) {
    throw new WrongSetting(`--address "${text}" is no HOST:PORT: give e.g. 127.0.0.1:50053, or port 0`);
  }
  return text;
}

function seconds(option: string, text: string, least: number): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  // setTimeout takes no more than 24 days.
  if (!(number >= least && number <= 86_400)) {
    throw new WrongSetting(`${option} "${text}" is no number of seconds: give ${least} to 86400`);
  }
  return number;
}

function instant(text: string): number {
  const date = /^(\d{4}-\d{2}-\d{2})T.*(Z|[+-]\d{2}:\d{2})$/.exec(text)?.[1];
  const milliseconds = date !== undefined && isDate(date) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new WrongSetting(`--now "${text}" is no time: give it with its offset, e.g. 2026-03-01T08:00:00Z`);
  }
  return milliseconds;
}
