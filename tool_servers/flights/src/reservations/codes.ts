/** Codes for people to read out: without letters and digits that look alike. */

import { seeded } from "../timetable/random.js";

const LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH = 6;

/** Makes codes like "7K2QXM", the same ones on every run, none twice. */
export class Codes {
  readonly #random: () => number;

  constructor(kind: string) {
    this.#random = seeded(kind);
  }

  /** A code that is not `taken`. */
  next(taken: (code: string) => boolean): string {
    for (;;) {
      const code = Array.from(
        { length: LENGTH },
        () => LETTERS[Math.floor(this.#random() * LETTERS.length)],
      ).join("");
      if (!taken(code)) return code;
    }
  }
}
