/** Codes for people to read out: without letters and digits that look alike. */

import { randomInt } from "node:crypto";

const LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH = 6;

/**
 * A code like "7K2QXM" that is not `taken`. Nobody can guess it, and after a restart it names nothing of before: what
 * somebody kept must not cancel a booking of somebody else.
 */
export function newCode(taken: (code: string) => boolean): string {
  for (;;) {
    const code = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join("");
    if (!taken(code)) return code;
  }
}
