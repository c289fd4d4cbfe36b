/** Instants ↔ local times of a time zone. An instant is milliseconds since 1970, as of Date.now(). */

const MINUTE = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** The local time with its offset from UTC: "2026-03-01T08:15:00+08:00". */
export function localTime(timeZone: string, instant: number): string {
  const minutes = offsetMinutes(timeZone, instant);
  const local = new Date(instant + minutes * MINUTE).toISOString().slice(0, 19);
  const size = Math.abs(minutes);
  return `${local}${minutes < 0 ? "-" : "+"}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

/** The date in a time zone, as YYYY-MM-DD. */
export function localDate(timeZone: string, instant: number): string {
  return localTime(timeZone, instant).slice(0, 10);
}

/** The instant at which clocks of a time zone show so many minutes after the midnight that begins a date. */
export function instantOf(timeZone: string, date: string, minutes: number): number {
  const asIfUtc = Date.parse(`${date}T00:00:00Z`) + minutes * MINUTE;
  // Twice: the first guess may lie on the other side of a change of the clocks.
  const guess = asIfUtc - offsetMinutes(timeZone, asIfUtc) * MINUTE;
  return asIfUtc - offsetMinutes(timeZone, guess) * MINUTE;
}

/** The date so many days later. */
export function plusDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 24 * 60 * MINUTE).toISOString().slice(0, 10);
}

/** Whether there is such a day: there is no 2026-02-30. */
export function isDate(date: string): boolean {
  const instant = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().slice(0, 10) === date;
}

function offsetMinutes(timeZone: string, instant: number): number {
  const parts = format(timeZone).formatToParts(instant);
  const number = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(
    number("year"),
    number("month") - 1,
    number("day"),
    number("hour"),
    number("minute"),
    number("second"),
  );
  return Math.round((local - Math.floor(instant / 1000) * 1000) / MINUTE);
}

function format(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timeZone, made);
  return made;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
