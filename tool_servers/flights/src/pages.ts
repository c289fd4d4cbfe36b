/** One page of a list, and the token of the next. */

import { invalid } from "./failure.js";
import { hash } from "./timetable/random.js";

/** A page. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Empty on the last page. */
  readonly next: string;
}

/** The page of `all` that a token begins; `search` says what was searched for: a token is good for that only. */
export function page<T>(all: readonly T[], size: number, token: string, search: string): Page<T> {
  const mark = hash(search).toString(36);
  const start = token === "" ? 0 : startOf(token, mark);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? `${end}.${mark}` : "" };
}

function startOf(token: string, mark: string): number {
  const [, start, markOfToken] = /^(\d{1,6})\.([0-9a-z]+)$/.exec(token) ?? [];
  if (start !== undefined && markOfToken === mark) return Number(start);
  const fact = "is not the next_page_token of this search";
  const cure = "copy it as it is, with all else as it was, or leave it out for the first page";
  throw invalid({ field: "page_token", description: `${fact}: ${cure}` });
}
