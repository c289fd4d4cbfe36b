import assert from "node:assert/strict";
import { test } from "node:test";
import { HELP, parse, WrongSetting } from "../src/command_line.js";

test("without words, the defaults hold", () => {
  assert.deepEqual(parse([]), {
    address: "127.0.0.1:50053",
    graceSeconds: 10,
    delaySeconds: 0,
    holdSeconds: 900,
    startsAt: undefined,
  });
});

test("each setting is read", () => {
  const words = ["--address", "[::1]:0", "--grace=0", "--hold", "60", "--delay", "0.5", "--now"];
  assert.deepEqual(parse([...words, "2026-03-01T08:00:00+08:00"]), {
    address: "[::1]:0",
    graceSeconds: 0,
    delaySeconds: 0.5,
    holdSeconds: 60,
    startsAt: Date.UTC(2026, 2, 1),
  });
});

test("--help tells every setting", () => {
  assert.equal(parse(["--help"]), undefined);
  for (const option of ["--address", "--grace", "--hold", "--now", "--delay"])
    assert.ok(HELP.includes(option));
});

for (const words of [
  ["--address", "nowhere"],
  ["--address", "127.0.0.1:65536"],
  ["--address", ":50053"],
  ["--address"],
  ["--adress", "127.0.0.1:0"],
  ["--grace", "soon"],
  ["--grace="],
  ["--grace=-1"],
  ["--hold", "0"],
  ["--hold", "1e9"],
  ["--delay", "NaN"],
  ["--now", "2026-03-01"],
  ["--now", "noon"],
  ["--now", "2026-02-30T08:00:00Z"],
  ["extra"],
]) {
  test(`${words.join(" ")} is refused in one line`, () => {
    assert.throws(
      () => parse(words),
      (error: unknown) => error instanceof WrongSetting && /^.+: .+$/.test(error.message),
    );
  });
}
