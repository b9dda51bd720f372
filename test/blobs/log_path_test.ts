import assert from "node:assert/strict";
import { test } from "node:test";
import { isDayBefore, logPath } from "../../src/blobs/log_path.ts";

const JOB = "0198c0de-8f00-7abc-8def-0123456789ab";

test("a log lies in the folder of its job's day and minute", () => {
  assert.equal(logPath(JOB, 3), `2025-08-19/0198c0de/${JOB}.3.log`);
});

test("an id in capitals names the same log", () => {
  assert.equal(logPath(JOB.toUpperCase(), 1), logPath(JOB, 1));
});

test("nothing but a uuid and a positive integer names a log", () => {
  const ids = [
    "",
    "..",
    "../../etc/passwd",
    `${JOB}/..`,
    `../${JOB}`,
    `${JOB}\0`,
    `${JOB}\n`,
    JOB.slice(1),
    JOB.replaceAll("-", ""),
    JOB.replace("a", "%"),
    "ａ198c0de-8f00-7abc-8def-0123456789ab",
    null,
    undefined,
    7,
    {},
    [JOB],
  ];
  for (const id of ids) assert.throws(() => logPath(id as string, 1), RangeError, String(id));
  for (const attempt of [0, -1, 1.5, NaN, Infinity, 2 ** 31, "1", "../1", null]) {
    assert.throws(() => logPath(JOB, attempt as number), RangeError, String(attempt));
  }
});

test("an id from the end of time still has a folder of its own", () => {
  const path = logPath("ffffffff-ffff-7fff-bfff-ffffffffffff", 1);
  assert.match(path, /^9999-12-31\/ffffffff\/[0-9a-f-]{36}\.1\.log$/);
});

test("a day is over only when all of it lies before", () => {
  assert.equal(isDayBefore("2025-08-19", Date.UTC(2025, 7, 20)), true);
  assert.equal(isDayBefore("2025-08-19", Date.UTC(2025, 7, 20) - 1), false);
  for (const name of ["lost+found", "2025-8-19", "2025-13-40", "..", "9999"]) {
    assert.equal(isDayBefore(name, Number.MAX_SAFE_INTEGER), false, name);
  }
});
