import assert from "node:assert/strict";
import { test } from "node:test";
import { instantOf, isDate, localDate, localTime, plusDays } from "../src/world/local_time.js";

test("local times have the offset of their day", () => {
  assert.equal(localTime("Asia/Shanghai", Date.UTC(2026, 2, 1)), "2026-03-01T08:00:00+08:00");
  assert.equal(localTime("Asia/Kathmandu", Date.UTC(2026, 2, 1)), "2026-03-01T05:45:00+05:45");
  assert.equal(localTime("Europe/London", Date.UTC(2026, 6, 1)), "2026-07-01T01:00:00+01:00");
  assert.equal(localTime("America/New_York", Date.UTC(2026, 0, 1)), "2025-12-31T19:00:00-05:00");
  assert.equal(localTime("Europe/London", Date.UTC(2026, 0, 1)), "2026-01-01T00:00:00+00:00");
});

test("a local time leads back to its instant, also on the days when clocks change", () => {
  for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kathmandu"]) {
    for (const date of ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"]) {
      for (const minutes of [0, 6 * 60, 22 * 60 + 30]) {
        const local = localTime(zone, instantOf(zone, date, minutes));
        const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
        assert.equal(local.slice(0, 16), `${date}T${clock}`, zone);
      }
    }
  }
});

test("the day of the Pacific is not that of Asia", () => {
  const instant = Date.UTC(2026, 2, 1, 2);
  assert.equal(localDate("Asia/Tokyo", instant), "2026-03-01");
  assert.equal(localDate("Pacific/Honolulu", instant), "2026-02-28");
});

test("days that do not exist are known", () => {
  for (const date of ["2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "2026-04-31", "tomorrow"]) {
    assert.equal(isDate(date), false, date);
  }
  assert.equal(isDate("2028-02-29"), true);
  assert.equal(plusDays("2028-02-28", 2), "2028-03-01");
});
